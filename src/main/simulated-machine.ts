import { rmSync } from 'node:fs';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { logFiles } from '#cri/simulated/log-files.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import type { Host } from '#host/host.ts';
import { simulatedHost } from '#host/simulated-host.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import type { NetworkProber } from '#kubelet/probes/probe-call.ts';
import { SimulatedProber } from '#kubelet/probes/simulated-prober.ts';
import { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import type { Clock } from '#lib/clock.ts';

export interface SimulatedMachineOptions {
  readonly clock: Clock;
  /** The folder its containers' logs go to. What is there goes: it is of containers that went with the process that simulated them. */
  readonly logs: string;
  /** Default: this machine's. */
  readonly hostname?: string;
  readonly podRanges: readonly string[];
}

/** What a kubelet has below it that has no containers. */
export interface SimulatedMachine {
  readonly runtime: ContainerRuntime;
  readonly host: Host;
  readonly network: NetworkProber;
  readonly files: PodFiles;
  readonly podRanges: readonly string[];
}

/** Its runtime ends with `stack`. */
export function simulatedMachine(
  { clock, logs, hostname, podRanges }: SimulatedMachineOptions,
  stack: AsyncDisposableStack,
): SimulatedMachine {
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
