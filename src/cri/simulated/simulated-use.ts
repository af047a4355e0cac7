/** What simulated containers are said to use. */
import type { ContainerStats, Stats } from '#cri/runtime.ts';
import { valueAt } from '#cri/simulated/script-values.ts';
import { labelsMatch, type SimulatedContainer, type SimulatedState } from '#cri/simulated/simulated-state.ts';

/** Nobody is measured, and nothing is invented: figures are those of the scripts, and without one there are none. */
export function simulatedStats(state: SimulatedState): Stats {
  const containers: Stats['containers'] = async (filter, signal) => {
    signal.throwIfAborted();
    return [...state.containers.values()]
      .filter(({ sandbox }) => filter.sandbox === undefined || sandbox.id === filter.sandbox)
      .filter(({ config }) => labelsMatch(filter.labels, config.labels))
      .map((container) => {
        const { id, config } = container;
        const { name, attempt, labels } = config;
        return { id, name, attempt, labels, ...useOf(container, state.clock.now()) };
      });
  };
  return {
    containers,
    async sandboxes(filter, signal) {
      const wanted = [...state.sandboxes.values()]
        .filter(({ id }) => filter.sandbox === undefined || id === filter.sandbox)
        .filter(({ config }) => labelsMatch(filter.labels, config.labels));
      return await Promise.all(
        wanted.map(async ({ id, config: { metadata, labels } }) => ({
          id,
          metadata,
          labels,
          cpu: undefined,
          memory: undefined,
          network: undefined,
          processCount: undefined,
          containers: await containers({ sandbox: id }, signal),
        })),
      );
    },
  };
}

/** Bytes; undefined when it does not run, or nobody says. */
export function memoryUse({ state, behaviour }: SimulatedContainer, now: number): number | undefined {
  if (state.kind !== 'running' || behaviour.memory === undefined) return undefined;
  return valueAt(behaviour.memory, now - state.startedAt) ?? 0;
}

/** What it has written stays when it has exited. */
function diskUse({ state, behaviour }: SimulatedContainer, now: number): number | undefined {
  const startedAt = state.kind === 'running' || state.kind === 'exited' ? state.startedAt : undefined;
  if (startedAt === undefined || behaviour.disk === undefined) return undefined;
  return valueAt(behaviour.disk, (state.kind === 'exited' ? state.finishedAt : now) - startedAt) ?? 0;
}

function useOf(container: SimulatedContainer, at: number): Pick<ContainerStats, 'cpu' | 'memory' | 'writableLayer'> {
  const memory = memoryUse(container, at);
  const disk = diskUse(container, at);
  const unknown = { availableBytes: undefined, rssBytes: undefined, pageFaults: undefined, majorPageFaults: undefined };
  return {
    cpu: undefined,
    memory: memory === undefined ? undefined : { at, workingSetBytes: memory, usageBytes: memory, ...unknown },
    writableLayer: disk === undefined ? undefined : { mountpoint: '', at, usedBytes: disk, inodesUsed: 0 },
  };
}
