import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';
import { idle, podManifest, type PodWatch } from '#test/e2e/support/pod-watch.ts';

/** What stories share: one cluster, and short words for pods and what they refer to. */
export interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  create(...manifests: readonly string[]): Promise<void>;
  sh(pod: string, script: string): Promise<string>;
}

export const stageOn = (cluster: E2eCluster, pods: PodWatch): Stage => ({
  cluster,
  pods,
  async create(...manifests) {
    const list = `{"apiVersion":"v1","kind":"List","items":[${manifests.join(',')}]}`;
    const ran = await cluster.kubectlWith({ input: list }, 'create', '-f', '-');
    assert.equal(ran.code, 0, ran.stderr);
  },
  sh: (pod, script) => cluster.ok('exec', pod, '--', 'sh', '-c', script),
});

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

/** What a path of a container should be; what is left out may be anything. */
export interface WantedFile {
  readonly text?: string | RegExp;
  readonly bytes?: Uint8Array;
  /** In octal, links followed. */
  readonly mode?: string;
  readonly group?: number;
  readonly absent?: true;
}

/** A conformance test of upstream, by its name, and the files that show its behaviour. */
export type Conformance = readonly [codename: string, files: Readonly<Record<string, WantedFile>>];

/** One look at a pod's files, as whoever its container runs as; then a test for each behaviour, under upstream's name for it. */
export async function conform(
  t: TestContext,
  { sh }: Pick<Stage, 'sh'>,
  pod: string,
  table: readonly Conformance[],
): Promise<void> {
  const paths = [...new Set(table.flatMap(([, files]) => Object.keys(files)))];
  const script = `for p in ${paths.join(' ')}; do stat -L -c '%a %g' $p || echo absent; test -d $p || base64 < $p | tr -d '\\n'; echo; done`;
  const lines = (await sh(pod, `{ ${script}; } 2>/dev/null`)).split('\n');
  const shown = new Map(paths.map((path, n) => [path, { facts: lines[2 * n] ?? '', base64: lines[2 * n + 1] ?? '' }]));
  for (const [codename, files] of table) {
    await t.test(codename, () => {
      for (const [path, want] of Object.entries(files)) checkFile(path, shown.get(path)!, want);
    });
  }
}

function checkFile(path: string, shown: { readonly facts: string; readonly base64: string }, want: WantedFile): void {
  const [mode, group] = shown.facts.split(' ');
  if (want.absent) return assert.equal(shown.facts, 'absent', path);
  assert.notEqual(mode, 'absent', path);
  const bytes = Buffer.from(shown.base64, 'base64');
  if (typeof want.text === 'string') assert.equal(bytes.toString(), want.text, path);
  else if (want.text) assert.match(bytes.toString(), want.text, path);
  if (want.bytes) assert.deepEqual(bytes, Buffer.from(want.bytes), path);
  if (want.mode !== undefined) assert.equal(mode, want.mode, path);
  if (want.group !== undefined) assert.equal(group, String(want.group), path);
}
