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
import { readRunState, type RunState } from '#main/run-state.ts';

const never = new AbortController().signal;

function runningState(paths: ClusterPaths): RunState {
  const state = readRunState(paths);
  if (state === undefined) throw new UserError(`cluster ${paths.name} does not run: \`peapod up\` starts it`);
  if (state.runtime === 'simulated') throw new UserError('simulated containers have no images');
  return state;
}

const socketOf = (paths: ClusterPaths, { runtime, nodes }: RunState): string =>
  runtime === 'containerd' ? nodePaths(paths, nodes[0]!).containerdSocket : runtime.replace(/^unix:\/\//, '');

/** The runtime of a running cluster, for as long as `work` takes. */
async function withRuntime<T>(paths: ClusterPaths, work: (runtime: ContainerRuntime) => Promise<T>): Promise<T> {
  await using runtime = criRuntime(socketOf(paths, runningState(paths)));
  return await work(runtime);
}

export const listImages = (paths: ClusterPaths): Promise<readonly Image[]> =>
  withRuntime(paths, (runtime) => runtime.images.list(never));

/** Gives the image's id. */
export const pullImage = (paths: ClusterPaths, name: string): Promise<string> =>
  withRuntime(paths, async (runtime) => {
    try {
      return await runtime.images.pull(name, {}, never);
    } catch (error) {
      if (error instanceof RuntimeFault)
        throw new UserError(`cannot pull ${name}: ${error.description}`, { cause: error });
      throw error;
    }
  });

/**
 * Puts the images of an archive (`docker save`, `skopeo copy … oci-archive:`) into the runtime under the names they have in
 * it, by containerd's own tool: CRI has no call for it. Gives their names; loading again what is there changes nothing.
 */
export async function loadImages(paths: ClusterPaths, file: string): Promise<readonly string[]> {
  const archive = resolve(file);
  if (!existsSync(archive)) throw new UserError(`there is no file ${archive}`);
  const state = runningState(paths);
  const names = namesIn(archive);
  if (names.length === 0)
    throw new UserError(`${archive} names none of its images: give them a name when you save them`);
  const args = ['--address', socketOf(paths, state), '--namespace', CONTAINERD_NAMESPACE, 'images', 'import', archive];
  await run(findTool('ctr', usualPlaces(), 'containerd'), args, {}, never);
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
