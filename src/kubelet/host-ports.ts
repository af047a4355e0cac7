import type { Pod } from '#api/generated/core-v1.ts';
import type { PortMapping } from '#cri/config.ts';
import { currentSandbox, type Observed } from '#kubelet/observed.ts';

/** A port of the host that leads into a pod. */
export interface HostPort extends PortMapping {
  /** The pod's, of either family; the first of each is used. */
  readonly addresses: readonly string[];
}

/** Opens ports of the host into pods. */
export interface PortPublisher {
  /** These and no others are the pod's from now on. Saying the same again costs nothing. */
  set(uid: string, open: readonly HostPort[]): void;
  /** Makes it so, and keeps it so, until `signal` aborts: the ports then stay as they are. Once everyone has said theirs. */
  run(signal: AbortSignal): Promise<void>;
}

/** What a pod asks for, sidecars included. A pod in the host's own network has its ports there anyway. */
export const portMappings = ({ spec }: Pod): readonly PortMapping[] =>
  spec.hostNetwork === true
    ? []
    : [...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'), ...spec.containers]
        .flatMap(({ ports = [] }) => ports)
        .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
        .map((port) => ({
          protocol: port.protocol ?? 'TCP',
          containerPort: port.containerPort,
          hostPort: port.hostPort!,
          hostIp: port.hostIP,
        }));

/** What is open for a pod as it is seen: nothing before it has an address, nor once its sandbox has ended. */
export function hostPorts(pod: Pod | undefined, seen: Pick<Observed, 'sandboxes'>): readonly HostPort[] {
  const sandbox = currentSandbox(seen);
  if (pod === undefined || sandbox?.state !== 'ready') return [];
  return portMappings(pod).map((mapping) => ({ ...mapping, addresses: sandbox.addresses }));
}
