import type { ContainerRuntime } from '#cri/runtime.ts';
import { labels } from '#kubelet/observed.ts';
import type { LogFile } from '#kubelet/log-files.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import type { LogSettings } from '#kubelet/settings.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';

export interface LogRotationDeps {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly files: Pick<PodFiles, 'largeLogs' | 'rotateLog'>;
  readonly settings: LogSettings;
  readonly log: (message: string, error: unknown) => void;
}

/** Upstream's containerLogMonitorInterval. */
const LOOK_MS = 10_000;

/** Keeps containers' logs from filling the disk: looks at their sizes every ten seconds. Until `signal` aborts. */
export async function keepLogsSmall(deps: LogRotationDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(LOOK_MS, signal);
    for (const file of await deps.files.largeLogs(deps.settings.maxBytes)) {
      try {
        await rotate(deps, file, signal);
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        deps.log(`rotating ${file.path} failed`, error);
      }
    }
  }
}

/** Only of a container that runs: another's log grows no more. */
async function rotate(
  { runtime, files, settings }: LogRotationDeps,
  file: LogFile,
  signal: AbortSignal,
): Promise<void> {
  const wanted = { [labels.podUid]: file.uid, [labels.containerName]: file.container };
  const found = await runtime.containers.list({ labels: wanted, state: 'running' }, signal);
  const container = found.find(({ attempt }) => attempt === file.attempt);
  if (container === undefined) return;
  await files.rotateLog(file, settings.maxFiles, () => runtime.containers.reopenLog(container.id, signal));
}
