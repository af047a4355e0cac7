/**
 * What a pod is told of itself and of others: its variables, its hosts file, its names and DNS, in real containers. The comments
 * name the conformance tests whose behaviour a story shows.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node, Pod, Service } from '#api/generated/core-v1.ts';
import { configMap, secret, type Stage, stageOn } from '#test/e2e/support/api-volumes.ts';
import { E2eCluster } from '#test/e2e/support/cluster.ts';
import { dns, hostnames, hostsFiles, PATIENCE_MS, stopSignals } from '#test/e2e/support/pod-config-names.ts';
import { objects } from '#test/e2e/support/pod-config-objects.ts';
import { containerOf, podManifest, PodWatch, shell } from '#test/e2e/support/pod-watch.ts';

test('pod config', { concurrency: 4, timeout: 180_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-pod-config');
  await using pods = await PodWatch.on(cluster);
  const stage = stageOn(cluster, pods);
  await Promise.all(stories.map(([name, story]) => t.test(`pod config: ${name}`, () => story(stage))));
});

const stories: readonly (readonly [string, (stage: Stage) => Promise<void>])[] = [
  ['ConfigMaps and Secrets are made, changed, found and removed', ({ pods }) => objects(pods.client)],
  ['a container has the variables it asks for', variables],
  ['a container waits for a key that is missing, and goes on when it is there', missingKeys],
  ['the kubelet writes /etc/hosts', hostsFiles],
  ['a pod resolves names as it asks to', dns],
  ['a pod is called what it asks to be called', hostnames],
  ['a container is stopped with the signal it asks for', stopSignals],
];

const fieldRef = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, of: string, divisor = '0'): object => ({
  name,
  valueFrom: { resourceFieldRef: { resource: of, divisor } },
});
const fromFile = (name: string, key: string, more: object = {}): object => ({
  name,
  valueFrom: { fileKeyRef: { volumeName: 'made', path: 'made.env', key, ...more } },
});
const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } };
const amounts = ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
const amountVariables = amounts.map((of) => resource(of, of, of.endsWith('cpu') ? '1m' : '0'));
/** No shell: it would leave out what it cannot name. */
const printed = { command: ['env'] };
const prefixes = ['$_-', '1-', ' p~'];

/**
 * ConfigMap should be consumable as environment variable names with various prefixes
 * ConfigMap should be consumable via environment variable
 * ConfigMap should be consumable via the environment
 * Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars
 * Downward API should provide default limits.cpu/memory from node allocatable
 * Downward API should provide host IP as an env var
 * Downward API should provide hostIPs as an env var
 * Downward API should provide pod UID as env vars
 * Downward API should provide pod name, namespace and IP address as env vars
 * Secrets should be consumable as environment variable names variable names with various prefixes
 * Secrets should be consumable from pods in env vars
 * Secrets should be consumable via the environment
 * Variable Expansion should allow composing env vars into new env vars
 * Variable Expansion should allow substituting values in a container's args
 * Variable Expansion should allow substituting values in a container's command
 * Pods should contain environment variables for services
 */
async function variables({ cluster, pods, create }: Stage): Promise<void> {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'fooservice', namespace: 'default' } };
  await create(
    JSON.stringify({ ...service, spec: { ports: [{ port: 8765, targetPort: 8080 }], selector: { name: 'foo' } } }),
    configMap('told', { 'data-1': 'value-1', data_2: 'value-2' }),
    secret('hidden', { 'key-1': 'secret-1', key_2: 's€cret 2\nof two lines' }),
  );
  await create(
    podManifest('variables', variablesSpec(), { labels: { app: 'shown' }, annotations: { 'a/b': 'noted' } }),
  );
  const pod = await pods.ended('variables', PATIENCE_MS);
  assert.equal(pod.status?.phase, 'Succeeded', JSON.stringify(pod.status));
  const said = (container: string): Promise<string> => cluster.ok('logs', 'variables', '-c', container);
  const shown = variablesOf(await said('shown'));
  const foo = await cluster.get<Service>('service', 'fooservice');
  assert.deepEqual(pick(shown, wanted(pod, foo.spec?.clusterIP ?? '')), wanted(pod, foo.spec?.clusterIP ?? ''));
  assert.equal('NEVER' in shown, false, 'an optional key that is not there');

  assert.deepEqual(pick(variablesOf(await said('open')), amounts), await allocatableOf(pod, cluster));
  assert.equal(await said('args'), 'one;;test-value\n');
  assert.equal(await said('command'), 'one;;$(NONE) $(ONE) test-value\n');
  await cluster.ok('delete', 'pod', 'variables', '--wait=false');
}

function variablesSpec(): object {
  const composed = [
    { name: 'ONE', value: 'one' },
    { name: 'TEST_VAR', value: 'test-value' },
    { name: 'COMPOSED', value: '$(ONE);;$(TEST_VAR)' },
    { name: 'OF_SERVICE', value: '$(FOOSERVICE_SERVICE_PORT)' },
  ];
  const env = [
    ...composed,
    { name: 'CONFIG_DATA', valueFrom: { configMapKeyRef: { name: 'told', key: 'data-1' } } },
    { name: 'NEVER', valueFrom: { configMapKeyRef: { name: 'told', key: 'none', optional: true } } },
    { name: 'SECRET_DATA', valueFrom: { secretKeyRef: { name: 'hidden', key: 'key-1' } } },
    fieldRef('POD_NAME', 'metadata.name'),
    fieldRef('POD_NAMESPACE', 'metadata.namespace'),
    fieldRef('POD_UID', 'metadata.uid'),
    fieldRef('POD_IP', 'status.podIP'),
    fieldRef('POD_IPS', 'status.podIPs'),
    fieldRef('HOST_IP', 'status.hostIP'),
    fieldRef('HOST_IPS', 'status.hostIPs'),
    fieldRef('NODE', 'spec.nodeName'),
    fieldRef('ACCOUNT', 'spec.serviceAccountName'),
    fieldRef('LABEL', "metadata.labels['app']"),
    fieldRef('NOTE', "metadata.annotations['a/b']"),
    fromFile('FROM_FILE', 'COLOUR'),
    fromFile('NEVER', 'NONE', { optional: true }),
    ...amountVariables,
  ];
  const envFrom = [
    ...[undefined, 'p_', ...prefixes].map((prefix) => ({ prefix, configMapRef: { name: 'told' } })),
    ...[undefined, 'p_', ...prefixes].map((prefix) => ({ prefix, secretRef: { name: 'hidden' } })),
    { configMapRef: { name: 'none', optional: true } },
  ];
  const made = { name: 'made', mountPath: '/made' };
  return {
    restartPolicy: 'Never',
    volumes: [{ name: 'made', emptyDir: {} }],
    initContainers: [
      shell('makes', `printf "# made\\nCOLOUR='deep blue'\\n" > /made/made.env`, { volumeMounts: [made] }),
    ],
    containers: [
      shell('shown', '', { ...printed, env, envFrom, resources }),
      shell('open', '', { ...printed, env: amountVariables }),
      shell('args', '', { env: composed, command: ['sh', '-c'], args: ["TEST_VAR=wrong; echo '$(COMPOSED)'"] }),
      shell('command', "TEST_VAR=wrong; echo '$(ONE);;$(NONE) $$(ONE) $(TEST_VAR)'", { env: composed }),
    ],
  };
}

function wanted({ metadata, status, spec }: Pod, address: string): Readonly<Record<string, string>> {
  const told = { 'data-1': 'value-1', data_2: 'value-2', 'key-1': 'secret-1' };
  const prefixed = ['', 'p_', ...prefixes].flatMap((prefix) =>
    Object.entries(told).map(([key, text]) => [`${prefix}${key}`, text] as const),
  );
  return {
    COMPOSED: 'one;;test-value',
    OF_SERVICE: '8765',
    CONFIG_DATA: 'value-1',
    SECRET_DATA: 'secret-1',
    POD_NAME: 'variables',
    POD_NAMESPACE: 'default',
    POD_UID: metadata.uid,
    POD_IP: status?.podIP ?? '',
    POD_IPS: (status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    HOST_IP: status?.hostIP ?? '',
    HOST_IPS: (status?.hostIPs ?? []).map(({ ip }) => ip).join(','),
    NODE: spec.nodeName ?? '',
    ACCOUNT: 'default',
    LABEL: 'shown',
    NOTE: 'noted',
    FROM_FILE: 'deep blue',
    'limits.cpu': '1250',
    'limits.memory': '67108864',
    'requests.cpu': '250',
    'requests.memory': '33554432',
    ...Object.fromEntries(prefixed),
    key_2: 's€cret 2',
    FOOSERVICE_SERVICE_HOST: address,
    FOOSERVICE_SERVICE_PORT: '8765',
    FOOSERVICE_PORT: `tcp://${address}:8765`,
    FOOSERVICE_PORT_8765_TCP: `tcp://${address}:8765`,
    FOOSERVICE_PORT_8765_TCP_PROTO: 'tcp',
    FOOSERVICE_PORT_8765_TCP_PORT: '8765',
    FOOSERVICE_PORT_8765_TCP_ADDR: address,
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
  };
}

async function allocatableOf({ spec }: Pod, cluster: E2eCluster): Promise<Readonly<Record<string, string>>> {
  const { status } = await cluster.get<Node>('node', spec.nodeName ?? '');
  const { cpu = '', memory = '' } = status?.allocatable ?? {};
  return {
    'limits.cpu': String(Number(cpu) * 1000),
    'limits.memory': String(Number(memory.replace('Ki', '')) * 1024),
    'requests.cpu': '0',
    'requests.memory': '0',
  };
}

/** `NAME=value`, a line each. */
const variablesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );

function pick(all: Readonly<Record<string, string>>, names: readonly string[] | object): Record<string, string> {
  const keys: readonly string[] = Array.isArray(names) ? names : Object.keys(names);
  return Object.fromEntries(keys.map((key) => [key, all[key] ?? '(none)']));
}

async function missingKeys({ cluster, pods, create }: Stage): Promise<void> {
  const key = (of: string): object => ({ name: 'X', valueFrom: { configMapKeyRef: { name: 'later', key: of } } });
  await create(
    podManifest('waits', { restartPolicy: 'Never', containers: [shell('c', 'echo $X', { env: [key('k')] })] }),
    podManifest('misled', {
      restartPolicy: 'Never',
      volumes: [{ name: 'made', emptyDir: {} }],
      // A link out of the volume leads nowhere.
      initContainers: [
        shell('makes', 'ln -s /proc/1/environ /v/made.env', { volumeMounts: [{ name: 'made', mountPath: '/v' }] }),
      ],
      containers: [shell('c', 'true', { env: [fromFile('X', 'PATH')] })],
    }),
  );
  const waiting = (name: string): Promise<Pod> =>
    pods.reaches(
      name,
      'waits',
      (pod) => containerOf(pod, 'c')?.state?.waiting?.reason === 'CreateContainerConfigError',
      PATIENCE_MS,
    );
  assert.equal(containerOf(await waiting('waits'), 'c')?.state?.waiting?.message, 'configmap "later" not found');
  await create(configMap('later', { other: 'x' }));
  await pods.reaches(
    'waits',
    'told which key',
    (pod) => /couldn't find key k in ConfigMap default\/later/.test(containerOf(pod)?.state?.waiting?.message ?? ''),
    PATIENCE_MS,
  );
  await cluster.ok('patch', 'configmap', 'later', '--type=merge', '-p', '{"data":{"k":"here"}}');
  await pods.ended('waits', PATIENCE_MS);
  assert.equal(await cluster.ok('logs', 'waits'), 'here\n');
  assert.match(
    containerOf(await waiting('misled'), 'c')?.state?.waiting?.message ?? '',
    /^couldn't read env file "made.env" of volume "made"$/,
  );
  await cluster.ok('delete', 'pod', 'waits', 'misled', '--wait=false');
}
