import type { ContainerRuntime } from '#cri/runtime.ts';
import type { Host } from '#host/host.ts';
import type { PortPublisher } from '#kubelet/host-ports.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import type { NetworkProber } from '#kubelet/probes/probe-call.ts';

/** Everything below a kubelet, ready to be used: the runtime answers, the network is configured. */
export interface Machine {
  readonly runtime: ContainerRuntime;
  readonly host: Host;
  readonly files: PodFiles;
  readonly network: NetworkProber;
  readonly podRanges: readonly string[];
  /** Opens host ports; without it they are the runtime's own business. */
  readonly ports?: PortPublisher;
}
