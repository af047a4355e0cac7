/**
 * The port's other adapter: a runtime in process, that runs nothing. Sandboxes have addresses and containers have lives,
 * under the clock it is given, by the script it is given (behaviour.ts, script.ts); the same calls at the same times give the same
 * ids, addresses and states. It needs no root and touches nothing outside itself. It never passes for a real one: its name
 * is 'simulated', and what only real processes could do is refused. It outlives whoever uses it: a kubelet
 * that "restarts" gets the same object and finds its containers.
 */
import type { ContainerId, ContainerRuntime, CreateConfigs } from '#cri/runtime.ts';
import { type ContainerBehaviour, type PullBehaviour, type SimulatedAnswer } from '#cri/simulated/behaviour.ts';
import { scriptedBehaviour } from '#cri/simulated/script.ts';
import { SimulatedContainers } from '#cri/simulated/simulated-containers.ts';
import { SimulatedImages } from '#cri/simulated/simulated-images.ts';
import type { SimulatedLog } from '#cri/simulated/simulated-log.ts';
import { SimulatedSandboxes } from '#cri/simulated/simulated-sandboxes.ts';
import { SimulatedState } from '#cri/simulated/simulated-state.ts';
import { simulatedStreams } from '#cri/simulated/simulated-streams.ts';
import { simulatedStats } from '#cri/simulated/simulated-use.ts';
import type { Clock } from '#lib/clock.ts';

export interface SimulatedOptions {
  readonly clock: Clock;
  /** Where sandboxes' addresses come from, one range a family, the primary first. Default: ['10.88.0.0/16', 'fd00:10:88::/64']. */
  readonly addressRanges?: readonly string[];
  /** Default: what annotations say, else to run for ever. */
  readonly behaviour?: (configs: CreateConfigs) => ContainerBehaviour;
  /** Default: every image can be pulled and has 1 MiB. A sandbox's annotations go first. */
  readonly pull?: (name: string) => PullBehaviour;
  /** Default: lines are dropped. */
  readonly log?: SimulatedLog;
  /** How long things take; default 0, which is within the call. */
  readonly sandboxMs?: number;
  readonly startMs?: number;
  readonly pullMs?: number;
  /** How long after a container has ended by itself its status says so; `ended` is told before. */
  readonly clearMs?: number;
}

export interface SimulatedRuntime extends ContainerRuntime {
  /** What a running container answers to a question (behaviour.ts); undefined when it does not run. */
  answer(id: ContainerId, question: string): SimulatedAnswer | undefined;
}

export function simulatedRuntime(options: SimulatedOptions): SimulatedRuntime {
  const { clock, addressRanges = ['10.88.0.0/16', 'fd00:10:88::/64'] } = options;
  const state = new SimulatedState(clock);
  const images = new SimulatedImages(clock, {
    pull: options.pull ?? (() => ({ kind: 'pulled', sizeBytes: 2 ** 20 })),
    pullMs: options.pullMs ?? 0,
  });
  return {
    info: {
      version: async (signal) => {
        signal.throwIfAborted();
        return { name: 'simulated', version: '0.1.0', apiVersion: 'v1' };
      },
      status: async (signal) => {
        signal.throwIfAborted();
        const ready = { ready: true, reason: '', message: '' };
        return { runtime: ready, network: ready, handlers: [''], cgroupDriver: 'cgroupfs' };
      },
    },
    sandboxes: new SimulatedSandboxes(state, addressRanges, options.sandboxMs ?? 0),
    containers: new SimulatedContainers(state, images, {
      behaviour: options.behaviour ?? (({ container, sandbox }) => scriptedBehaviour(container, sandbox)),
      log: options.log ?? { opened() {}, wrote() {} },
      startMs: options.startMs ?? 0,
      clearMs: options.clearMs ?? 0,
    }),
    images,
    streams: simulatedStreams(state),
    stats: simulatedStats(state),
    answer(id, question) {
      const container = state.containers.get(id);
      if (container?.state.kind !== 'running') return undefined;
      return container.behaviour.answer?.(question, clock.now() - container.state.startedAt) ?? 'ok';
    },
    events: state.events,
    /** Ends its containers' timers; what it knew is gone with the object. */
    [Symbol.asyncDispose]: async () => {
      for (const container of state.containers.values()) state.remove(container);
    },
  };
}
