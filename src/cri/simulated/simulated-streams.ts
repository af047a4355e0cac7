/** What a runtime without processes can say about them. */
import type { Streams } from '#cri/runtime.ts';
import { PREFIX } from '#cri/simulated/script.ts';
import { type SimulatedState, fault } from '#cri/simulated/simulated-state.ts';

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
      const scripted = answer?.(execQuestion(command), state.clock.now() - container.state.startedAt);
      if (scripted === 'hang') {
        await state.clock.sleep(timeoutMs > 0 ? timeoutMs : Infinity, AbortSignal.any([signal, container.over.signal]));
        throw fault('deadline', 'context deadline exceeded');
      }
      if (scripted !== undefined)
        return { exitCode: scripted === 'ok' ? 0 : 1, stdout: Buffer.from(scripted), stderr: Buffer.of() };
      if (!exec) throw fault('unimplemented', unscripted(container.config.name, command));
      const result = exec(command);
      if (!result) throw fault('other', `exec: ${JSON.stringify(command[0] ?? '')}: executable file not found`);
      return result;
    },
    exec: refuse('exec'),
    attach: refuse('attach'),
    portForward: refuse('port-forward'),
  };
}

const execQuestion = (command: readonly string[]): string => `exec:${command.join(' ')}`;

const unscripted = (container: string, command: readonly string[]): string =>
  `the simulated runtime runs no processes: exec answers what annotation "${PREFIX}${container}.answers" says, such as ${JSON.stringify({ [execQuestion(command)]: 'ok' })}`;
