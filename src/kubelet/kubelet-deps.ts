import type { Client } from '#client/client.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Timeline } from '#client/timeline-recorder.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import type { Host } from '#host/host.ts';
import type { DiskUsage } from '#host/machine.ts';
import type { PortPublisher } from '#kubelet/host-ports.ts';
import type { NodeSelf } from '#kubelet/node-object.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import type { NetworkProber } from '#kubelet/probes/probe-call.ts';
import type { MissingCapabilities } from '#kubelet/security-context.ts';
import type { KubeletSettings } from '#kubelet/settings.ts';
import type { ManifestFolder } from '#kubelet/static-pods/manifest-folder.ts';
import type { Clock } from '#lib/clock.ts';

/** What a kubelet is made of. */
export interface KubeletDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly host: Host;
  readonly events: EventRecorder;
  /** Told what happens to the pods; nobody is told when absent. Like `events` it is run by who made it. */
  readonly timeline?: Timeline;
  readonly files: PodFiles;
  /** How probes and hooks reach what listens in a pod. */
  readonly network: NetworkProber;
  /** Where the runtime does not do it itself. */
  readonly ports?: PortPublisher;
  /** Bytes that may still be given out. */
  readonly memoryAvailable: () => Promise<number>;
  /** Of the disk that pods write to. */
  readonly disk: () => Promise<DiskUsage>;
  /** Asked anew each time: the port and the addresses may come later than the kubelet. */
  readonly self: () => NodeSelf;
  /** Tells this node's containers from those of other kubelets on the same runtime. */
  readonly owner: string;
  readonly missing: MissingCapabilities;
  readonly settings: KubeletSettings;
  /** Where the manifests of static pods lie. */
  readonly manifests?: ManifestFolder;
  /** Whether the kernel enforces AppArmor profiles. */
  readonly appArmor: boolean;
  /** Kernel parameters that pods may set besides the safe ones; a `*` at the end stands for anything. */
  readonly allowedUnsafeSysctls?: readonly string[];
  readonly log: (message: string, error: unknown) => void;
}
