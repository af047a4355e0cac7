import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap, Container, EnvVar, Secret } from '#api/generated/core-v1.ts';
import { EnvironmentError } from '#kubelet/downward-fields.ts';
import { environmentOf, type EnvironmentSources, fileKey, referredBy } from '#kubelet/environment.ts';
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
    services: new Map([['WEB_SERVICE_HOST', '10.96.0.9']]),
    files: new Map([
      [fileKey({ volumeName: 'made', path: 'a.env' }), "COLOUR='green'\n"],
      [fileKey({ volumeName: 'made', path: 'bad.env' }), 'COLOUR=green'],
    ]),
    configMaps: new Map([
      ['settings', configMap],
      ['hosts', { ...configMap, data: { SERVICE_HOST: 'mine', other: 'o' } }],
    ]),
    secrets: new Map([['keys', secret]]),
    hostAddresses: ['192.168.0.7', 'fd00::7'],
    podAddresses: ['10.244.1.3', 'fd00:10:244:1::3'],
    allocatable: { cpu: '2', memory: '1Gi' },
    ...over,
  };
  // Those of the Services come with every container; what is of interest here is the rest.
  return Object.fromEntries([...environmentOf(sources)].filter(([name]) => name !== 'WEB_SERVICE_HOST'));
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

const file = (path: string, key: string, optional = false): Partial<EnvVar> => ({
  valueFrom: { fileKeyRef: { volumeName: 'made', path, key, optional } },
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
  {
    name: 'a variable of a Service is known to those that refer to it',
    container: { env: [{ name: 'X', value: '$(WEB_SERVICE_HOST)' }] },
    want: { X: '10.96.0.9' },
  },
  {
    name: 'envFrom is known to env, and is nearer than a Service',
    container: {
      envFrom: [{ prefix: 'WEB_', configMapRef: { name: 'hosts' } }],
      env: [{ name: 'X', value: '$(WEB_SERVICE_HOST) $(WEB_other)' }],
    },
    want: { X: 'mine o', WEB_other: 'o' },
  },
  {
    name: 'a prefix of whatever may be printed',
    container: { envFrom: [{ prefix: '#.1-', configMapRef: { name: 'settings' } }] },
    want: { '#.1-colour': 'red', '#.1-log.level': 'debug' },
  },
  { name: 'a key of a file', container: { env: [{ name: 'X', ...file('a.env', 'COLOUR') }] }, want: { X: 'green' } },
  { name: 'an optional key of a file', container: { env: [{ name: 'X', ...file('a.env', 'SIZE', true) }] }, want: {} },
  { name: 'an optional file', container: { env: [{ name: 'X', ...file('none.env', 'SIZE', true) }] }, want: {} },
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
  [
    'a key that is not in a file',
    { env: [{ name: 'X', ...file('a.env', 'SIZE') }] },
    'environment variable key "SIZE" not found in file "a.env" of volume "made"',
  ],
  [
    'a file that is not there',
    { env: [{ name: 'X', ...file('none.env', 'SIZE') }] },
    'environment variable key "SIZE" not found in file "none.env" of volume "made"',
  ],
  [
    'a file that makes no sense',
    { env: [{ name: 'X', ...file('bad.env', 'COLOUR') }] },
    "couldn't parse env file: line 1 is not of the form NAME='value'",
  ],
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
    files: [],
  });
});
