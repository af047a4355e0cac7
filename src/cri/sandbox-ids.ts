import type { ContainerRuntime } from '#cri/runtime.ts';

/** Ids of a runtime's sandboxes. */
export interface SandboxIds {
  /** All of them, ready or not. */
  readonly known: ReadonlySet<string>;
  /** Of these the ones that are ready or have a container that has not ended. */
  readonly alive: ReadonlySet<string>;
}

/** The containers are asked for after the sandboxes: one that is made in between is of a sandbox that is ready. */
export async function sandboxIds(
  { sandboxes, containers }: Pick<ContainerRuntime, 'sandboxes' | 'containers'>,
  signal: AbortSignal,
): Promise<SandboxIds> {
  const all = await sandboxes.list({}, signal);
  const unended = (await containers.list({}, signal)).filter(({ state }) => state !== 'exited');
  const ready = all.filter(({ state }) => state === 'ready');
  return {
    known: new Set(all.map(({ id }) => id)),
    alive: new Set([...ready.map(({ id }) => id), ...unended.map(({ sandbox }) => sandbox)]),
  };
}
