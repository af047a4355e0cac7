import type { ClusterShape } from '#cli/cluster-shape.ts';
import type { ImageChoice, NodeRequest, RuntimeChoice } from '#cli/commands.ts';
import type { Tell } from '#cli/tell.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import type { Clock } from '#lib/clock.ts';
import type { SchedulerConfiguration } from '#scheduler/config/scheduler-configuration.ts';
import type { SqliteStore } from '#store/sqlite/sqlite-store.ts';

export interface ClusterOptions {
  readonly paths: ClusterPaths;
  /** Being opened. It is not closed here. */
  readonly store: Promise<SqliteStore>;
  readonly clock: Clock;
  readonly tell: Tell;
  /** undefined: the one it had before, else 6443. */
  readonly port: number | undefined;
  readonly runtime: RuntimeChoice;
  readonly images: ImageChoice;
  readonly registryMirror: string | undefined;
  readonly shape: ClusterShape;
  readonly settings: NodeRequest;
  /** undefined: the usual place. With several nodes each has a folder of its own name in it. */
  readonly staticPods: string | undefined;
  readonly allowedUnsafeSysctls: readonly string[];
  /** undefined: upstream's defaults. */
  readonly scheduler: SchedulerConfiguration | undefined;
}
