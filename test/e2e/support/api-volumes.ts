import type { E2eCluster } from '#test/e2e/support/cluster.ts';
import { idle, podManifest, type PodWatch } from '#test/e2e/support/pod-watch.ts';

/** What the stories of api-volumes.test.ts share: one cluster, and short words for pods and what they refer to. */
export interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  create(...manifests: readonly string[]): Promise<void>;
  sh(pod: string, script: string): Promise<string>;
}

export const object = (kind: 'ConfigMap' | 'Secret', name: string, more: object): string =>
  JSON.stringify({ apiVersion: 'v1', kind, metadata: { name, namespace: 'default' }, ...more });
export const configMap = (name: string, data: object, more: object = {}): string =>
  object('ConfigMap', name, { data, ...more });
export const secret = (name: string, stringData: object, more: object = {}): string =>
  object('Secret', name, { stringData, ...more });

/** A pod with these volumes, each mounted at `/NAME`, in one container. */
export function podWith(
  name: string,
  volumes: Readonly<Record<string, object>>,
  spec: object = {},
  metadata: object = {},
): string {
  const volumeMounts = Object.keys(volumes).map((volume) => ({ name: volume, mountPath: `/${volume}` }));
  const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } };
  return podManifest(
    name,
    {
      terminationGracePeriodSeconds: 1,
      volumes: Object.entries(volumes).map(([volume, source]) => ({ name: volume, ...source })),
      containers: [idle('c', { volumeMounts, resources }), idle('unlimited')],
      ...spec,
    },
    metadata,
  );
}

export const field = (path: string, fieldPath: string, more: object = {}): object => ({
  path,
  fieldRef: { fieldPath },
  ...more,
});
export const resource = (path: string, name: string, more: object = {}): object => ({
  path,
  resourceFieldRef: { containerName: 'c', resource: name, ...more },
});
export const projected = (...sources: readonly object[]): object => ({ projected: { sources } });
export const items = [{ key: 'data-1', path: 'path/to/data-1', mode: 0o400 }];
export const mapped = [{ key: 'data-1', path: 'deep/one' }];
