import { hasReason } from '#api/errors.ts';
import type { KubeObject, NewMeta } from '#api/meta.ts';
import type { User } from '#api/transport.ts';
import type { Descriptor } from '#server/descriptor.ts';
import type { Registry } from '#server/registry/registry.ts';

/** What every cluster has from its first moment; what is there already is left as it is. */
export interface BootstrapOptions {
  readonly registry: Registry;
  readonly find: (plural: string) => Descriptor;
  /** The first address of the service range, and the port the server is reached at from outside of it. */
  readonly kubernetesService: { readonly clusterIP: string; readonly targetPort: number };
}

const server: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

export async function bootstrap({ registry, find, kubernetesService }: BootstrapOptions): Promise<void> {
  const ensure = async (plural: string, body: object & { metadata: NewMeta }): Promise<void> => {
    const { namespace, name } = body.metadata;
    const target = { descriptor: find(plural), namespace, name, subresource: undefined };
    if (exists(registry, target)) return;
    const write = { user: server, dryRun: false, warn: () => {} };
    await registry.create(target, body as unknown as KubeObject, write).catch((error: unknown) => {
      // Another server on the same store was faster.
      if (!hasReason(error, 'AlreadyExists')) throw error;
    });
  };
  const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
  await Promise.all(namespaces.map((name) => ensure('namespaces', { metadata: { name } })));
  await Promise.all([
    ...systemPriorityClasses.map((each) => ensure('priorityclasses', each)),
    ensure('services', serviceOf(kubernetesService)),
  ]);
}

function exists(registry: Registry, target: Parameters<Registry['get']>[0]): boolean {
  try {
    registry.get(target);
    return true;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false;
    throw error;
  }
}

const systemPriorityClasses = [
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
    preemptionPolicy: 'PreemptLowerPriority',
  },
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description:
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    preemptionPolicy: 'PreemptLowerPriority',
  },
];

/** How pods find the API. */
const serviceOf = ({
  clusterIP,
  targetPort,
}: BootstrapOptions['kubernetesService']): { metadata: NewMeta; spec: object } => ({
  metadata: {
    name: 'kubernetes',
    namespace: 'default',
    labels: { component: 'apiserver', provider: 'kubernetes' },
  },
  spec: {
    type: 'ClusterIP',
    clusterIP,
    clusterIPs: [clusterIP],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort }],
    sessionAffinity: 'None',
  },
});
