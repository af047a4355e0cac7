import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap, Container, Secret } from '#api/generated/core-v1.ts';
import { EnvironmentError, environmentOf, type EnvironmentSources, referredBy } from '#kubelet/environment.ts';
import { aContainer, aPod } from '#kubelet/fixtures.ts';

const metadata = aPod().metadata;
const configMap: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: { colour: 'red', 'log.level': 'debug' },
};
const secret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  data: { password: Buffer.from('s3cr€t').toString('base64') },
};

function variables(container: Partial<Container>, over: Partial<EnvironmentSources> = {}): Record<string, string> {
  const made = aContainer('main', container);
  const pod = aPod({ containers: [made], nodeName: 'node1', serviceAccountName: 'default' });
  const sources: EnvironmentSources = {
    pod: { ...pod, metadata: { ...pod.metadata, labels: { app: 'web' }, annotations: { note: 'x' } } },
    container: made,
    services: new Map(),
    configMaps: new Map([['settings', configMap]]),
    secrets: new Map([['keys', secret]]),
    hostAddresses: ['192.168.0.7', 'fd00::7'],
    podAddresses: ['10.244.1.3', 'fd00:10:244:1::3'],
    allocatable: { cpu: '2', memory: '1Gi' },
    ...over,
  };
  return Object.fromEntries(environmentOf(sources));
}
const field = (fieldPath: string): Partial<Container> => ({
  env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }],
});
const resource = (name: string, divisor?: string): Partial<Container> => ({
  resources: { requests: { cpu: '250m', memory: '32Mi' } },
  env: [
    { name: 'X', valueFrom: { resourceFieldRef: { resource: name, ...(divisor === undefined ? {} : { divisor }) } } },
  ],
});

const cases: readonly {
  readonly name: string;
  readonly container: Partial<Container>;
  readonly want: Record<string, string>;
}[] = [
  {
    name: 'plain values, later ones see earlier ones',
    container: {
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '$(A)2$$(A)$(C)' },
      ],
    },
    want: { A: '1', B: '12$(A)$(C)' },
  },
  {
    name: 'a key of a ConfigMap',
    container: { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } }] },
    want: { X: 'red' },
  },
  {
    name: 'a key of a Secret, decoded',
    container: { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } }] },
    want: { X: 's3cr€t' },
  },
  {
    name: 'an optional key that is not there is left out',
    container: {
      env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'settings', key: 'nope', optional: true } } }],
    },
    want: {},
  },
  {
    name: 'all of a ConfigMap, prefixed; env wins',
    container: {
      envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }],
      env: [{ name: 'S_colour', value: 'blue' }],
    },
    want: { S_colour: 'blue', 'S_log.level': 'debug' },
  },
  {
    name: 'an optional source that is not there',
    container: { envFrom: [{ secretRef: { name: 'none', optional: true } }] },
    want: {},
  },
  { name: 'its name', container: field('metadata.name'), want: { X: 'web' } },
  { name: 'a label', container: field("metadata.labels['app']"), want: { X: 'web' } },
  { name: 'both addresses', container: field('status.podIPs'), want: { X: '10.244.1.3,fd00:10:244:1::3' } },
  { name: 'the host', container: field('status.hostIP'), want: { X: '192.168.0.7' } },
  { name: 'requested cpu, rounded up to whole ones', container: resource('requests.cpu'), want: { X: '1' } },
  { name: 'requested cpu in thousandths', container: resource('requests.cpu', '1m'), want: { X: '250' } },
  { name: 'requested memory in Mi', container: resource('requests.memory', '1Mi'), want: { X: '32' } },
  { name: 'a limit that is not set is the node’s', container: resource('limits.memory', '1Mi'), want: { X: '1024' } },
];
for (const c of cases) {
  test(`environmentOf: ${c.name}`, () => assert.deepEqual(variables(c.container), c.want));
}

for (const [name, container, message] of [
  [
    'a ConfigMap that is not there',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] },
    'configmap "none" not found',
  ],
  [
    'a key that is not there',
    { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'keys', key: 'nope' } } }] },
    "couldn't find key nope in Secret default/keys",
  ],
  ['a source that is not there', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
  ['a field there is not', field('spec.colour'), 'unsupported fieldPath: spec.colour'],
] as const) {
  test(`environmentOf: ${name} is named`, () => {
    assert.throws(
      () => variables(container as Partial<Container>),
      (error) => error instanceof EnvironmentError && error.message === message,
    );
  });
}

test('referredBy: everything that must be read, once', () => {
  const ref = (name: string): object => ({ valueFrom: { configMapKeyRef: { name, key: 'k' } } });
  const container = {
    env: [
      { name: 'A', ...ref('a') },
      { name: 'B', ...ref('a') },
    ],
    envFrom: [{ secretRef: { name: 's' } }],
  };
  assert.deepEqual(referredBy(aContainer('main', container as Partial<Container>)), {
    configMaps: ['a'],
    secrets: ['s'],
  });
});
