/** Which ports of its node a pod takes, and whether two pods can take theirs on one node. */
export interface HostPortClaim {
  readonly protocol: string;
  readonly port: number;
  /** `0.0.0.0` for all addresses of the node. */
  readonly address: string;
}

interface Port {
  readonly hostPort?: number;
  readonly hostIP?: string;
  readonly protocol?: string;
}
interface ContainerFacts {
  readonly restartPolicy?: string;
  readonly ports?: readonly Port[];
}
/** What is looked at of a pod. */
export interface HostPortFacts {
  readonly spec: {
    readonly containers: readonly ContainerFacts[];
    readonly initContainers?: readonly ContainerFacts[];
  };
}

const everywhere = '0.0.0.0';

/** Sidecars included: they run beside the containers. */
export const hostPortClaims = ({ spec }: HostPortFacts): readonly HostPortClaim[] =>
  [...spec.containers, ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')]
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort = 0, hostIP, protocol = 'TCP' }) =>
      hostPort > 0 ? [{ protocol, port: hostPort, address: hostIP || everywhere }] : [],
    );

/** One port, one protocol, and addresses of which one contains the other. */
export const conflicts = (a: HostPortClaim, b: HostPortClaim): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  (a.address === b.address || a.address === everywhere || b.address === everywhere);
