/** What a runtime without processes can say about them. */
import type { Stats, Streams } from '#cri/runtime.ts';
import { type SimulatedState, fault, labelsMatch } from '#cri/simulated/simulated-state.ts';

export function simulatedStreams(state: SimulatedState): Streams {
  const refuse = (what: string) => async (): Promise<never> => {
    throw fault('unimplemented', `the simulated runtime runs no processes: ${what} is not possible`);
  };
  return {
    async execSync(id, command, { timeoutMs }, signal) {
      signal.throwIfAborted();
      const container = state.containers.get(id);
      if (!container) throw fault('not-found', `container ${id}: not found`);
      if (container.state.kind !== 'running') throw fault('other', `container ${id} is ${container.state.kind}`);
      const { exec, answer } = container.behaviour;
      const scripted = answer?.(`exec:${command.join(' ')}`, state.clock.now() - container.state.startedAt);
      if (scripted === 'hang') {
        await state.clock.sleep(timeoutMs > 0 ? timeoutMs : Infinity, AbortSignal.any([signal, container.over.signal]));
        throw fault('deadline', 'context deadline exceeded');
      }
      if (scripted !== undefined)
        return { exitCode: scripted === 'ok' ? 0 : 1, stdout: Buffer.from(scripted), stderr: Buffer.of() };
      if (!exec) return await refuse('exec')();
      const result = exec(command);
      if (!result) throw fault('other', `exec: ${JSON.stringify(command[0] ?? '')}: executable file not found`);
      return result;
    },
    exec: refuse('exec'),
    attach: refuse('attach'),
    portForward: refuse('port-forward'),
  };
}

/** Nobody is measured, so nothing is invented: entries without figures. */
export function simulatedStats(state: SimulatedState): Stats {
  const none = { cpu: undefined, memory: undefined } as const;
  const containers: Stats['containers'] = async (filter, signal) => {
    signal.throwIfAborted();
    return [...state.containers.values()]
      .filter(({ sandbox }) => filter.sandbox === undefined || sandbox.id === filter.sandbox)
      .filter(({ config }) => labelsMatch(filter.labels, config.labels))
      .map(({ id, config: { name, attempt, labels } }) => ({
        id,
        name,
        attempt,
        labels,
        ...none,
        writableLayer: undefined,
      }));
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
          ...none,
          network: undefined,
          processCount: undefined,
          containers: await containers({ sandbox: id }, signal),
        })),
      );
    },
  };
}
