import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '#client/client.ts';
import { nodeResource } from '#client/resources.ts';
import { hasReason } from '#api/errors.ts';
import {
  type ClusterShape,
  clusterShape,
  type ShapeRequest,
  simulatedCount,
  simulatedNodeName,
} from '#cli/cluster-shape.ts';
import type { RuntimeChoice } from '#cli/commands.ts';
import { UserError } from '#cli/user-error.ts';
import { type ClusterPaths, nodePaths } from '#host/data-dir.ts';

export interface DecidedShape {
  readonly shape: ClusterShape;
  /** Nodes that were in the cluster, and are no more. */
  readonly removed: readonly string[];
}

/**
 * What this start's cluster is like, and remembers it: in DATA for the next one, in RUN for as long as something of it may be
 * running. Call it with the directories made. Throws UserError when what an earlier start has left running is another cluster.
 */
export function decideShape(paths: ClusterPaths, request: ShapeRequest, runtime: RuntimeChoice): DecidedShape {
  const before = read(shapeFile(paths));
  const shape = clusterShape(paths.name, request, before);
  if (shape.nodes.length > 1 && runtime.kind !== 'containerd') {
    throw new UserError(
      `several nodes have a containerd each, and --runtime ${runtime.kind === 'socket' ? runtime.socket : runtime.kind} is none of peapod's: leave out --nodes or --runtime`,
    );
  }
  const running = read(runningFile(paths));
  if (running !== undefined && namesOf(running).join() !== namesOf(shape).join()) {
    throw new UserError(
      `what runs of cluster ${paths.name} are the nodes ${namesOf(running).join(', ')}: \`peapod down\` ends them; or leave out what would make them others`,
    );
  }
  if (running !== undefined && shape.podRange !== undefined && running.podRange?.v4 !== shape.podRange.v4) {
    throw new UserError(
      `what runs of cluster ${paths.name} has addresses of its range from before: \`peapod down\` ends it; or leave podCIDRs as they were`,
    );
  }
  write(shapeFile(paths), shape);
  write(runningFile(paths), shape);
  const left = new Set(allNamesOf(paths, shape));
  return { shape, removed: allNamesOf(paths, before).filter((name) => !left.has(name)) };
}

/** Their objects, and what they kept on the disk. What is gone already is passed over. */
export async function forgetNodes(
  paths: ClusterPaths,
  { client, names }: { readonly client: Client; readonly names: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const waiting = names.values();
  const forget = async (): Promise<void> => {
    for (const name of waiting) {
      try {
        await client.delete(nodeResource, { name }, {}, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      rmSync(nodePaths(paths, name).root, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, forget));
}

/** How many are forgotten side by side; there may be thousands. */
const AT_A_TIME = 16;

/** The cluster of which something may be running; undefined when nothing is. */
export const runningShape = (paths: ClusterPaths): ClusterShape | undefined => read(runningFile(paths));

const namesOf = (shape: ClusterShape | undefined): readonly string[] => shape?.nodes.map(({ name }) => name) ?? [];

/** Also of those without containers. */
const allNamesOf = ({ name }: ClusterPaths, shape: ClusterShape | undefined): readonly string[] => [
  ...namesOf(shape),
  ...Array.from({ length: simulatedCount(shape?.simulated ?? []) }, (_, index) => simulatedNodeName(name, index + 1)),
];

const shapeFile = (paths: ClusterPaths): string => join(paths.data, 'cluster.json');
const runningFile = (paths: ClusterPaths): string => join(paths.run, 'cluster.json');

/** Written by ourselves, whole. */
const read = (file: string): ClusterShape | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ClusterShape) : undefined;

function write(file: string, shape: ClusterShape): void {
  writeFileSync(`${file}.draft`, JSON.stringify(shape), { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}
