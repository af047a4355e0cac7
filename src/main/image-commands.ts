import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '#cli/user-error.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { RuntimeFault } from '#cri/fault.ts';
import type { ContainerRuntime, Image } from '#cri/runtime.ts';
import { findTool, usualPlaces } from '#host/containerd/tools.ts';
import { type ClusterPaths, nodePaths } from '#host/data-dir.ts';
import { run } from '#host/process.ts';
import { imagesIn } from '#images/archive.ts';
import { isSwitchedOff } from '#main/agents.ts';
import { readRunState, type RunState } from '#main/run-state.ts';

const never = new AbortController().signal;

function runningState(paths: ClusterPaths): RunState {
  const state = readRunState(paths);
  if (state === undefined) throw new UserError(`cluster ${paths.name} does not run: \`peapod up\` starts it`);
  if (state.runtime === 'simulated') throw new UserError('simulated containers have no images');
  return state;
}

const socketsOf = (paths: ClusterPaths, { runtime, nodes }: RunState): readonly string[] =>
  runtime === 'containerd'
    ? nodes.filter((name) => !isSwitchedOff(paths, name)).map((name) => nodePaths(paths, name).containerdSocket)
    : [runtime.replace(/^unix:\/\//, '')];

/** The runtimes of a running cluster, one a node, for as long as `work` takes. */
const withRuntimes = <T>(paths: ClusterPaths, work: (runtime: ContainerRuntime) => Promise<T>): Promise<readonly T[]> =>
  Promise.all(
    socketsOf(paths, runningState(paths)).map(async (socket) => {
      await using runtime = criRuntime(socket);
      return await work(runtime);
    }),
  );

/** Of all nodes, each image once. */
export async function listImages(paths: ClusterPaths): Promise<readonly Image[]> {
  const all = await withRuntimes(paths, (runtime) => runtime.images.list(never));
  return [...new Map(all.flat().map((image) => [image.id, image])).values()];
}

/** On every node. Gives the image's id. */
export async function pullImage(paths: ClusterPaths, name: string): Promise<string> {
  const [id] = await withRuntimes(paths, async (runtime) => {
    try {
      return await runtime.images.pull(name, {}, never);
    } catch (error) {
      if (error instanceof RuntimeFault)
        throw new UserError(`cannot pull ${name}: ${error.description}`, { cause: error });
      throw error;
    }
  });
  return id ?? '';
}

/**
 * Puts the images of an archive (`docker save`, `skopeo copy … oci-archive:`) into every node's runtime under the names they have
 * in it, by containerd's own tool: CRI has no call for it. Gives their names; loading again what is there changes nothing.
 */
export async function loadImages(paths: ClusterPaths, file: string): Promise<readonly string[]> {
  const archive = resolve(file);
  if (!existsSync(archive)) throw new UserError(`there is no file ${archive}`);
  const state = runningState(paths);
  const names = namesIn(archive);
  if (names.length === 0)
    throw new UserError(`${archive} names none of its images: give them a name when you save them`);
  const importing = ['--namespace', CONTAINERD_NAMESPACE, 'images', 'import', archive];
  const ctr = findTool('ctr', usualPlaces(), 'containerd');
  await Promise.all(socketsOf(paths, state).map((socket) => run(ctr, ['--address', socket, ...importing], {}, never)));
  return names;
}

/** What the CRI part of containerd looks at. */
const CONTAINERD_NAMESPACE = 'k8s.io';

function namesIn(archive: string): readonly string[] {
  try {
    return imagesIn(archive).flatMap(({ references }) => references);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
