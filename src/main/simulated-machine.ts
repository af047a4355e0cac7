import { rmSync } from 'node:fs';
import { logFiles } from '#cri/simulated/log-files.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { simulatedHost } from '#host/simulated-host.ts';
import { SimulatedProber } from '#kubelet/probes/simulated-prober.ts';
import { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import type { Clock } from '#lib/clock.ts';
import type { Machine } from '#main/below-kubelet.ts';

export interface SimulatedMachineOptions {
  readonly clock: Clock;
  /** The folder its containers' logs go to. What is there goes: it is of containers that went with the process that simulated them. */
  readonly logs: string;
  /** Default: this machine's. */
  readonly hostname?: string;
  readonly podRanges: readonly string[];
}

/** What a kubelet has below it that has no containers. Its runtime ends with `stack`. */
export function simulatedMachine(
  { clock, logs, hostname, podRanges }: SimulatedMachineOptions,
  stack: AsyncDisposableStack,
): Machine {
  const host = simulatedHost(hostname === undefined ? {} : { hostname });
  const runtime = stack.use(simulatedRuntime({ clock, addressRanges: podRanges, log: logFiles }));
  rmSync(logs, { recursive: true, force: true });
  return {
    runtime,
    host,
    network: new SimulatedProber(runtime, clock),
    files: new SimulatedPodFiles(host, logs),
    podRanges,
  };
}
