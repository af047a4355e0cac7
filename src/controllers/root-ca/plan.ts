import type { ConfigMap, Namespace } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';

export const rootCaName = 'kube-root-ca.crt';

const annotation = 'kubernetes.io/description';
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export type RootCaPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'create'; readonly object: New<ConfigMap> }
  | { readonly kind: 'update'; readonly object: ConfigMap };

/** Every namespace has the CA's certificate, under one key and nothing beside it; any description will do. */
export function planRootCa(
  namespace: Namespace | undefined,
  configMap: ConfigMap | undefined,
  certificate: string,
): RootCaPlan {
  if (!namespace || namespace.metadata.deletionTimestamp !== undefined || namespace.status?.phase === 'Terminating')
    return { kind: 'nothing' };
  const data = { 'ca.crt': certificate };
  if (!configMap) {
    const metadata = {
      name: rootCaName,
      namespace: namespace.metadata.name,
      annotations: { [annotation]: description },
    };
    return { kind: 'create', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } };
  }
  if (holdsOnly(configMap.data, data) && configMap.metadata.annotations?.[annotation]) return { kind: 'nothing' };
  const annotations = { ...configMap.metadata.annotations, [annotation]: description };
  return { kind: 'update', object: { ...configMap, metadata: { ...configMap.metadata, annotations }, data } };
}

const holdsOnly = (actual: ConfigMap['data'], wanted: Readonly<Record<string, string>>): boolean =>
  Object.keys(actual ?? {}).length === Object.keys(wanted).length &&
  Object.entries(wanted).every(([key, value]) => actual?.[key] === value);
