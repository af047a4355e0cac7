import type { ContainerRuntime } from '#cri/runtime.ts';

/** Ids of what a runtime knows. */
export interface RuntimeIds {
  /** All sandboxes, ready or not. */
  readonly sandboxes: ReadonlySet<string>;
  /** Sandboxes that are ready or have a container that has not ended, and these containers. */
  readonly alive: ReadonlySet<string>;
}

/** The containers are asked for after the sandboxes: one that is made in between is of a sandbox that is ready. */
export async function runtimeIds(
  { sandboxes, containers }: Pick<ContainerRuntime, 'sandboxes' | 'containers'>,
  signal: AbortSignal,
): Promise<RuntimeIds> {
  const all = await sandboxes.list({}, signal);
  const unended = (await containers.list({}, signal)).filter(({ state }) => state !== 'exited');
  const ready = all.filter(({ state }) => state === 'ready');
  return {
    sandboxes: new Set(all.map(({ id }) => id)),
    alive: new Set([...ready.map(({ id }) => id), ...unended.flatMap(({ id, sandbox }) => [id, sandbox])]),
  };
}
