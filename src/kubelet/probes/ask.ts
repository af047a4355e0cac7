import type { Probe } from '#api/generated/core-v1.ts';
import { RuntimeFault } from '#cri/fault.ts';
import type { Streams } from '#cri/runtime.ts';
import {
  type Answer,
  type NetworkProber,
  type ProbeCall,
  probeCall,
  type ProbeTarget,
  UnaskableError,
} from '#kubelet/probes/probe-call.ts';

/** Asks a container once. Rejects only with the signal's reason. */
export interface ProbeAsker {
  ask(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<Answer>;
}

/** What could not be asked is tried again at once this often, as upstream does, before nothing is known. */
const TRIES = 3;

interface Means {
  readonly streams: Streams;
  readonly network: NetworkProber;
  readonly callOf: typeof probeCall;
}

export function createProbeAsker(deps: Omit<Means, 'callOf'>): ProbeAsker {
  const means = { ...deps, callOf: rememberedCalls() };
  return {
    async ask(probe, target, signal) {
      for (let tries = 1; ; tries++) {
        const answer = await askOnce(means, probe, target, signal);
        if (answer.outcome !== 'unknown' || tries === TRIES) return answer;
      }
    },
  };
}

/** The same question is put to the same target again and again: it is made once. */
function rememberedCalls(): typeof probeCall {
  const known = new WeakMap<Probe, { readonly target: ProbeTarget; readonly call: ProbeCall }>();
  return (probe, target) => {
    const last = known.get(probe);
    if (last?.target === target) return last.call;
    const call = probeCall(probe, target);
    known.set(probe, { target, call });
    return call;
  };
}

async function askOnce(
  { streams, network, callOf }: Means,
  probe: Probe,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Answer> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    const call = callOf(probe, target);
    return call.kind === 'exec'
      ? await askByCommand(streams, call.command, { target, timeoutMs }, signal)
      : await network.ask(call, { container: target.id, timeoutMs }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UnaskableError) && !(error instanceof RuntimeFault)) throw error;
    return { outcome: 'unknown', output: error.message };
  }
}

/** Exit code 0 is a success, any other a failure, and so is taking too long. */
async function askByCommand(
  streams: Streams,
  command: readonly string[],
  { target, timeoutMs }: { readonly target: ProbeTarget; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const { exitCode, stdout, stderr } = await streams.execSync(target.id, command, { timeoutMs }, signal);
    const output = Buffer.concat([stdout, stderr]).toString();
    return { outcome: exitCode === 0 ? 'success' : 'failure', output };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RuntimeFault) || error.kind !== 'deadline') throw error;
    const output = `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`;
    return { outcome: 'failure', output };
  }
}
