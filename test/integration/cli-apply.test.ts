import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigMap, Pod } from '#api/generated/core-v1.ts';
import { applyFiles, type Applied } from '#cli/apply-files.ts';
import { LAST_APPLIED } from '#cli/last-applied.ts';
import { ApiError } from '#api/errors.ts';
import type { Client } from '#client/client.ts';
import { configMapResource, podResource } from '#client/resources.ts';
import { type MemoryApi, startHttpsApi, startMemoryApi } from '#test/integration/support/memory-api.ts';

const MULTI = join(import.meta.dirname, '../../examples/multi-container-pod.yaml');

interface Told extends Applied {
  readonly lines: readonly string[];
}

/** Applies texts as files of a directory that goes away again; messages name them without the directory. */
async function apply(api: Pick<MemoryApi, 'client' | 'never'>, files: Readonly<Record<string, string>>): Promise<Told> {
  const directory = mkdtempSync(join(tmpdir(), 'peapod-apply-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return await applyPaths(api, [directory], `${directory}/`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function applyPaths(
  { client, never }: Pick<MemoryApi, 'client' | 'never'>,
  paths: readonly string[],
  prefix = '',
): Promise<Told> {
  const lines: string[] = [];
  const applied = await applyFiles(client, paths, { line: (text) => void lines.push(text) }, never);
  return { ...applied, lines: prefix === '' ? lines : lines.map((line) => line.replaceAll(prefix, '')) };
}

for (const [name, start] of [
  ['in process', startMemoryApi],
  ['over HTTPS', startHttpsApi],
] as const)
  test(`apply: ${name}: the example is created with its namespace, and is unchanged the second time`, async () => {
    await using api: MemoryApi = await start();
    const first = await applyPaths(api, [MULTI]);
    assert.deepEqual(first.lines, ['namespace/multi-container created', 'pod/multi-container-pod created']);
    assert.equal(first.failures, 0);
    assert.deepEqual(first.pods, [{ name: 'multi-container-pod', namespace: 'multi-container' }]);
    const second = await applyPaths(api, [MULTI]);
    assert.deepEqual(second.lines, ['pod/multi-container-pod unchanged']);
    assert.deepEqual(second.pods, first.pods);
  });

test('apply: the annotation holds what kubectl would have written', async () => {
  await using api = await startMemoryApi();
  await apply(api, {
    'a.yaml': 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, labels: {z: "1", b: "2"}}\ndata: {x: "<&>"}\n',
  });
  const stored = await api.client.get<ConfigMap>(configMapResource, { namespace: 'default', name: 'a' }, api.never);
  assert.equal(
    stored?.metadata.annotations?.[LAST_APPLIED],
    '{"apiVersion":"v1","data":{"x":"\\u003c\\u0026\\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"labels":{"b":"2","z":"1"},"name":"a","namespace":"default"}}\n',
  );
});

test('apply: what was there before and is no longer asked for goes; what others have added stays', async () => {
  await using api = await startMemoryApi();
  const ref = { namespace: 'default', name: 'a' };
  const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n';
  await apply(api, { 'a.yaml': `${head}data: {one: "1", two: "2"}\n` });
  await api.client.patch(configMapResource, ref, { kind: 'merge', body: { data: { theirs: 'x' } } }, api.never);
  const again = await apply(api, { 'a.yaml': `${head}data: {one: "11"}\n` });
  assert.deepEqual(again.lines, ['configmap/a configured']);
  const stored = await api.client.get<ConfigMap>(configMapResource, ref, api.never);
  assert.deepEqual(stored?.data, { one: '11', theirs: 'x' });
});

test('apply: a pod is changed where it may be: by container name, others and defaults untouched', async () => {
  await using api = await startMemoryApi();
  const pod = (image: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, image: ${image}, resources: {requests: {cpu: "0.5"}}}\n  - {name: b, image: other}\n  volumes: [{name: v, emptyDir: {}}]\n`;
  await apply(api, { 'a.yaml': pod('x') });
  assert.deepEqual((await apply(api, { 'a.yaml': pod('x') })).lines, ['pod/web unchanged']);
  assert.deepEqual((await apply(api, { 'a.yaml': pod('x:2') })).lines, ['pod/web configured']);
  const stored = await api.client.get<Pod>(podResource, { namespace: 'default', name: 'web' }, api.never);
  assert.deepEqual(
    stored?.spec.containers.map(({ name, image }) => [name, image]),
    [
      ['a', 'x:2'],
      ['b', 'other'],
    ],
  );
  assert.equal(stored?.spec.containers[0]?.imagePullPolicy, 'Always');
});

test('apply: each failure is one line that says where; the others go on', async () => {
  await using api = await startMemoryApi();
  const { lines, failures, pods } = await apply(api, {
    'a.yaml': [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: typo}\nspec:\n  containers: [{name: a, imagee: x}]\n',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: UPPER}\nspec:\n  containers: [{name: a, image: x}]\n',
      'apiVersion: v1\nkind: Pood\nmetadata: {name: x}\n',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec:\n  containers: [{name: a, image: x}]\n',
      'apiVersion: v1\nkind: Pod\nmetadata: {generateName: gen-}\nspec:\n  containers: [{name: a, image: x}]\n',
    ].join('---\n'),
    'b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: yes}\n',
    'c.yaml': 'a: b: c\n',
  });
  assert.equal(failures, 5);
  assert.match(lines[0]!, /^c\.yaml:1:4: Nested mappings/);
  const rest = lines.filter((line) => !/^c\.yaml|^ +\d* \|/.test(line));
  assert.match(
    rest[0]!,
    /^a\.yaml:1: Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec\.containers\[0\]\.imagee"$/,
  );
  assert.match(rest[1]!, /^a\.yaml:7: Pod "UPPER" is invalid: metadata\.name: Invalid value: "UPPER": .*RFC 1123/);
  assert.match(rest[2]!, /^a\.yaml:13: no matches for kind "Pood" in version "v1": known are .*Pod,/);
  assert.equal(rest[3], 'pod/good created');
  assert.match(rest[4]!, /^pod\/gen-\w{5} created$/);
  assert.match(
    rest[5]!,
    /^b\.yaml:1: ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal bool/,
  );
  assert.equal(rest.length, 6);
  assert.equal(pods.length, 2);
});

test('apply: namespaces come first whatever the order', async () => {
  await using api = await startMemoryApi();
  const { lines } = await apply(api, {
    'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n',
    'b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: team, labels: {a: b}}\n',
  });
  assert.deepEqual(lines, ['namespace/team created', 'configmap/c created']);
});

test('apply: a kind that this server does not have', async () => {
  await using api = await startMemoryApi();
  const { client, never } = api;
  const lines: string[] = [];
  const unserving: Client = {
    ...client,
    get: async (resource, ref, signal) => {
      if (resource.kind === 'StatefulSet') {
        throw new ApiError('NotFound', 'the server could not find the requested resource');
      }
      return client.get(resource, ref, signal);
    },
  };
  const directory = mkdtempSync(join(tmpdir(), 'peapod-apply-'));
  try {
    const file = join(directory, 's.yaml');
    writeFileSync(file, 'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n');
    const { failures } = await applyFiles(unserving, [file], { line: (text) => void lines.push(text) }, never);
    assert.equal(failures, 1);
    assert.deepEqual(lines, [`${file}:1: this server does not serve StatefulSet of apps/v1`]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('apply: an object that goes is patched with a warning, and one made by others in between is patched too', async () => {
  await using api = await startMemoryApi();
  const { client, never } = api;
  const text = (data: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, finalizers: [a/b]}\ndata: {a: ${data}}\n`;
  await apply(api, { 'a.yaml': text('one') });
  const ref = { namespace: 'default', name: 'c' };
  await client.delete(configMapResource, ref, {}, never);
  const { lines } = await apply(api, { 'a.yaml': text('two') });
  assert.deepEqual(lines, [
    'Warning: Detected changes to resource c which is currently being deleted.',
    'configmap/c configured',
  ]);
  let first = true;
  const late: Client = {
    ...client,
    get: async (resource, wanted, signal) => {
      if (wanted.name === 'c' && first) return void (first = false) as undefined;
      return client.get(resource, wanted, signal);
    },
  };
  assert.deepEqual(
    (await apply({ ...api, client: late }, { 'a.yaml': text('three') })).lines.at(-1),
    'configmap/c configured',
  );
});
