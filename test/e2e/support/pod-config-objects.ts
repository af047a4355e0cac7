import assert from 'node:assert/strict';
import type { ConfigMap, Secret } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { New, Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import { configMapResource, secretResource } from '#client/resources.ts';

const signal = AbortSignal.timeout(120_000);
const inDefault = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  namespace: 'default',
  name,
  labels,
});
const refused = <T extends KubeObject>(client: Client, resource: Resource<T>, object: New<T>): Promise<void> =>
  assert.rejects(client.create(resource, object, signal), /data\[\]: Invalid value: ""/);

/**
 * ConfigMap should fail to create ConfigMap with empty key
 * ConfigMap should run through a ConfigMap lifecycle
 * ConfigMap should update ConfigMap successfully
 * Secrets should fail to create secret due to empty secret key
 * Secrets should patch a secret
 */
export async function objects(client: Client): Promise<void> {
  await configMaps(client);
  await secrets(client);
}

async function configMaps(client: Client): Promise<void> {
  const made: New<ConfigMap> = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: inDefault('lived', { live: 'yes' }),
    data: { a: '1' },
  };
  await refused(client, configMapResource, { ...made, data: { '': 'x' } });
  const created = await client.create(configMapResource, made, signal);
  await client.update(configMapResource, { ...created, data: { a: '1', b: '2' } }, signal);
  const body = { metadata: { labels: { 'test-label': 'patched' } }, data: { a: 'patched' } };
  await client.patch(configMapResource, { namespace: 'default', name: 'lived' }, { kind: 'strategic', body }, signal);
  const found = await client.get(configMapResource, { namespace: 'default', name: 'lived' }, signal);
  assert.deepEqual(found?.data, { a: 'patched', b: '2' });
  const everywhere = await client.list<ConfigMap>(configMapResource, { labelSelector: 'live=yes' }, signal);
  assert.deepEqual(
    everywhere.items.map(({ metadata }) => metadata.labels),
    [{ live: 'yes', 'test-label': 'patched' }],
  );
  const selection = { namespace: 'default', labelSelector: 'live=yes' };
  await client.deleteCollection(configMapResource, selection, {}, signal);
  assert.deepEqual((await client.list(configMapResource, selection, signal)).items, []);
}

async function secrets(client: Client): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const made: New<Secret> = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: inDefault('kept', { keep: 'yes' }),
    data: { key: base64('value') },
  };
  await refused(client, secretResource, { ...made, data: { '': base64('x') } });
  await client.create(secretResource, made, signal);
  const body = { metadata: { labels: { keep: 'patched' } }, data: { key: base64('value1') } };
  await client.patch(secretResource, { namespace: 'default', name: 'kept' }, { kind: 'strategic', body }, signal);
  const selection = { labelSelector: 'keep=patched' };
  const { items } = await client.list<Secret>(secretResource, selection, signal);
  assert.deepEqual(
    items.map(({ data }) => data),
    [{ key: base64('value1') }],
  );
  await client.deleteCollection(secretResource, { ...selection, namespace: 'default' }, {}, signal);
  assert.deepEqual((await client.list(secretResource, selection, signal)).items, []);
}
