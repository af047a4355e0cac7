/** Files that follow what the API says: stories of api-volumes.test.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configMapResource, secretResource } from '#client/resources.ts';
import { nodePaths, podPath } from '#host/data-dir.ts';
import {
  configMap,
  conform,
  type Conformance,
  field,
  podWith,
  projected,
  secret,
  type Stage,
} from '#test/e2e/support/api-volumes.ts';
import { until } from '#test/e2e/support/cluster.ts';

const optional = true;
/** `up` is there, `later` is made while the pod runs, `gone` is deleted meanwhile. */
const names = ['up', 'later', 'gone'];
const each = (of: (name: string) => object, prefix: string): Readonly<Record<string, object>> =>
  Object.fromEntries(names.map((name) => [`${prefix}-${name}`, of(name)]));

const volumes = {
  ...each((name) => ({ configMap: { name, optional } }), 'cm'),
  ...each((name) => ({ secret: { secretName: name, optional } }), 's'),
  ...each((name) => projected({ configMap: { name, optional } }), 'pcm'),
  ...each((name) => projected({ secret: { name, optional } }), 'ps'),
  required: { configMap: { name: 'up' } },
  'p-required': projected({ configMap: { name: 'up' } }),
  fixed: { configMap: { name: 'fixed' } },
  d: { downwardAPI: { items: [field('labels', 'metadata.labels'), field('annotations', 'metadata.annotations')] } },
  pd: projected({
    downwardAPI: { items: [field('labels', 'metadata.labels'), field('annotations', 'metadata.annotations')] },
  }),
};

const optionalUpdates = (prefix: string, value: string): Conformance[1] => ({
  [`/${prefix}-up/data-1`]: { text: value },
  [`/${prefix}-up/data-3`]: { text: 'new' },
  [`/${prefix}-later/data-1`]: { text: 'born' },
  [`/${prefix}-gone/data-1`]: { absent: true },
});
const updated = { '/data-1': 'value-2', '/data-3': 'new' };
const required = (volume: string): Conformance[1] =>
  Object.fromEntries(Object.entries(updated).map(([key, text]) => [`/${volume}${key}`, { text }]));

const reflected: readonly Conformance[] = [
  ['ConfigMap updates should be reflected in volume', required('required')],
  ['ConfigMap optional updates should be reflected in volume', optionalUpdates('cm', 'value-2')],
  ['Secrets optional updates should be reflected in volume', optionalUpdates('s', 'secret-2')],
  ['Projected configMap updates should be reflected in volume', required('p-required')],
  ['Projected configMap optional updates should be reflected in volume', optionalUpdates('pcm', 'value-2')],
  ['Projected secret optional updates should be reflected in volume', optionalUpdates('ps', 'secret-2')],
  ['Downward API volume should update labels on modification', { '/d/labels': { text: 'a="1"\nc="3"' } }],
  ['Downward API volume should update annotations on modification', { '/d/annotations': { text: 'b="other"' } }],
  ['Projected downwardAPI should update labels on modification', { '/pd/labels': { text: 'a="1"\nc="3"' } }],
  ['Projected downwardAPI should update annotations on modification', { '/pd/annotations': { text: 'b="other"' } }],
];

export async function updates(stage: Stage, t: TestContext): Promise<void> {
  const { cluster, pods, create, sh } = stage;
  const first = { 'data-1': 'value-1' };
  await create(
    ...['up', 'gone'].flatMap((name) => [configMap(name, first), secret(name, first)]),
    configMap('fixed', first, { immutable: true }),
    secret('fixed', first, { immutable: true }),
    podWith('up', volumes, {}, { labels: { a: '1' }, annotations: { b: 'say "x"' } }),
  );
  await pods.running('up');
  await conform(t, stage, 'up', [
    [
      'before anything changes, what is there is there',
      {
        '/d/labels': { text: 'a="1"' },
        '/d/annotations': { text: 'b="say \\"x\\""' },
        '/pcm-up/data-1': { text: 'value-1' },
        '/s-gone/data-1': { text: 'value-1' },
        '/cm-later/data-1': { absent: true },
      },
    ],
  ]);
  const merge = (kind: string, data: object): Promise<string> =>
    cluster.ok('patch', kind, 'up', '--type=merge', '-p', JSON.stringify(data));
  await Promise.all([
    merge('configmap', { data: { 'data-1': 'value-2', 'data-3': 'new' } }),
    merge('secret', { stringData: { 'data-1': 'secret-2', 'data-3': 'new' } }),
    create(configMap('later', { 'data-1': 'born' }), secret('later', { 'data-1': 'born' })),
    cluster.ok('delete', 'configmap', 'gone'),
    cluster.ok('delete', 'secret', 'gone'),
    merge('pod', { metadata: { labels: { c: '3' }, annotations: { b: 'other' } } }),
  ]);
  const listed = 'cd /; ls *-gone; cat *-up/data-1 *-later/data-1 required/data-1 p-required/data-1 d/labels pd/labels';
  const want = `cm-gone:\n\npcm-gone:\n\nps-gone:\n\ns-gone:\n${'value-2'.repeat(2)}${'secret-2'.repeat(2)}${'born'.repeat(4)}${'value-2'.repeat(2)}${'a="1"\nc="3"'.repeat(2)}`;
  await until(
    'all files are new',
    // A file that is not there yet is no failure of the command's.
    () => sh('up', `{ ${listed}; } 2>/dev/null; true`),
    (text) => text === want,
    15_000,
  );
  await conform(t, stage, 'up', reflected);
  // A required object that goes takes no file with it: what was there stays.
  await cluster.ok('delete', 'configmap', 'up');
  await t.test('ConfigMap should be immutable if `immutable` field is set', () => immutable(stage, 'configmap'));
  await t.test('Secrets should be immutable if `immutable` field is set', () => immutable(stage, 'secret'));
  assert.equal(await sh('up', 'cat /required/data-1 /fixed/data-1'), 'value-2value-1');
  await cluster.ok('delete', 'pod', 'up', '--now');
}

async function immutable({ cluster }: Stage, kind: 'configmap' | 'secret'): Promise<void> {
  const data = kind === 'secret' ? '{"stringData":{"data-1":"x"}}' : '{"data":{"data-1":"x"}}';
  for (const patch of [data, '{"immutable":false}', '{"immutable":null}']) {
    const changed = await cluster.kubectl('patch', kind, 'fixed', '--type=merge', '-p', patch);
    assert.match(changed.stderr, /field is immutable when `immutable` is set/, patch);
  }
  await cluster.ok('label', kind, 'fixed', 'still=labelled');
  await cluster.ok('delete', kind, 'fixed');
}

/**
 * Watched on the host, where the files lie: what `kubectl exec` takes is not the kubelet's. The median of five: on a machine
 * that is busy with other tests a single one says more of the machine.
 */
export async function within({ cluster, pods, create }: Stage, t: TestContext): Promise<void> {
  await create(
    configMap('quick', { key: '0' }),
    secret('quick', { key: '0' }),
    podWith('quick', { cm: { configMap: { name: 'quick' } }, s: { secret: { secretName: 'quick' } } }),
  );
  const { metadata } = await pods.running('quick');
  const folder = join(podPath(nodePaths(cluster.paths, `${cluster.name}-node1`), metadata.uid), 'volumes');
  const files = [join(folder, 'kubernetes.io~configmap/cm/key'), join(folder, 'kubernetes.io~secret/s/key')];
  const took: number[] = [];
  for (const value of ['1', '2', '3', '4', '5']) {
    const ref = { namespace: 'default', name: 'quick' };
    const signal = AbortSignal.timeout(20_000);
    await pods.client.patch(configMapResource, ref, { kind: 'merge', body: { data: { key: value } } }, signal);
    await pods.client.patch(secretResource, ref, { kind: 'merge', body: { stringData: { key: value } } }, signal);
    const began = performance.now();
    while (!files.every((file) => readFileSync(file, 'utf8') === value)) {
      signal.throwIfAborted();
      await sleep(5);
    }
    took.push(performance.now() - began);
  }
  const told = took.map((ms) => ms.toFixed(0)).join(', ');
  t.diagnostic(`ms until a change was in the files: ${told}`);
  assert.ok(took.toSorted((a, b) => a - b)[2]! < 2000, told);
  await cluster.ok('delete', 'pod', 'quick', '--now');
}
