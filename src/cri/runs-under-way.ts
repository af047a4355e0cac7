import type { SandboxConfig } from '#cri/config.ts';
import type { ContainerRuntime, SandboxId } from '#cri/runtime.ts';

export interface FollowedRuntime {
  readonly runtime: ContainerRuntime;
  /** Resolves when every sandbox that is being made at this moment has been made, or has failed to be. */
  runsEnded(): Promise<void>;
}

/** The same runtime, of which it is known whether it is making a sandbox: until it has, what that takes belongs to nothing yet. */
export function followRuns(plain: ContainerRuntime): FollowedRuntime {
  const { sandboxes } = plain;
  const underWay = new Set<Promise<SandboxId>>();
  const run = (config: SandboxConfig, signal: AbortSignal): Promise<SandboxId> => {
    const running = sandboxes.run(config, signal).finally(() => underWay.delete(running));
    underWay.add(running);
    return running;
  };
  const runtime: ContainerRuntime = {
    ...plain,
    sandboxes: {
      run,
      stop: (id, signal) => sandboxes.stop(id, signal),
      remove: (id, signal) => sandboxes.remove(id, signal),
      status: (id, signal) => sandboxes.status(id, signal),
      list: (filter, signal) => sandboxes.list(filter, signal),
      networkNamespace: (id, signal) => sandboxes.networkNamespace(id, signal),
    },
    [Symbol.asyncDispose]: () => plain[Symbol.asyncDispose](),
  };
  return { runtime, runsEnded: async () => void (await Promise.allSettled(underWay)) };
}
