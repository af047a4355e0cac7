/** What containers are given, and in which order they begin. */
import assert from 'node:assert/strict';
import { brief, type Stage, type Story } from '#test/e2e/pods/stage.ts';
import { conditionOf, containerOf, idle, shell, testserver } from '#test/e2e/support/pod-watch.ts';

export const beginsStories: readonly Story[] = [
  ['environment, command and arguments', environment],
  ['a missing ConfigMap is waited for', missingConfigMap],
  // [sig-node] InitContainer should invoke init containers on a RestartAlways pod
  ['init containers run one after the other, before the others', initContainers],
  // [sig-node] InitContainer should invoke init containers on a RestartNever pod
  // [sig-node] InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod
  // [sig-node] InitContainer should not start app containers if init containers fail on a RestartAlways pod
  ['a failing init container fails a Never pod, and is tried again in another', initFails],
  ['the events of a life, in order', lifeEvents],
];

async function environment({ cluster, pods, create, remove }: Stage): Promise<void> {
  await cluster.ok('create', 'configmap', 'settings', '--from-literal=color=green', '--from-literal=size=9');
  await cluster.ok('create', 'secret', 'generic', 'keys', '--from-literal=token=s3cret');
  const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const env = [
    { name: 'GREETING', value: 'hello' },
    { name: 'TO', value: '$(GREETING) world, $$(GREETING), $(UNKNOWN)' },
    { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
    { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'nowhere', key: 'x', optional: true } } },
    field('NAME', 'metadata.name'),
    field('APP', "metadata.labels['app']"),
    field('IP', 'status.podIP'),
    field('NODE', 'spec.nodeName'),
    { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
  ];
  const envFrom = [{ configMapRef: { name: 'settings' }, prefix: 'SET_' }, { secretRef: { name: 'keys' } }];
  const resources = { limits: { cpu: '250m' } };
  const names = ['GREETING', 'TO', 'COLOR', 'TOKEN', 'MAYBE', 'NAME', 'APP', 'IP', 'NODE', 'CPU'];
  const wanted = [...names, 'SET_color', 'SET_size', 'token'];
  const containers = [
    testserver('env', ['env', ...wanted], { env, envFrom, resources }),
    testserver('args', ['args', '$(GREETING)', '$$(GREETING)', '$(NO)', 'a b'], { env }),
  ];
  await create('env', { restartPolicy: 'Never', containers }, { labels: { app: 'of-labels' } });
  const { status, spec } = await pods.ended('env');
  assert.equal(status?.phase, 'Succeeded');
  const lines = (await cluster.ok('logs', 'env', '-c', 'env')).trim().split('\n');
  assert.deepEqual(lines, [
    'GREETING=hello',
    'TO=hello world, $(GREETING), $(UNKNOWN)',
    'COLOR=green',
    'TOKEN=s3cret',
    'MAYBE=',
    'NAME=env',
    'APP=of-labels',
    `IP=${status?.podIP}`,
    `NODE=${spec.nodeName}`,
    'CPU=250',
    'SET_color=green',
    'SET_size=9',
    'token=s3cret',
  ]);
  assert.equal(await cluster.ok('logs', 'env', '-c', 'args'), 'hello\n$(GREETING)\n$(NO)\na b\n');
  await remove('env');
}

async function missingConfigMap({ cluster, pods, create, remove }: Stage): Promise<void> {
  await create('waits', { containers: [idle('c', { envFrom: [{ configMapRef: { name: 'later' } }] })] });
  const waiting = await pods.reaches(
    'waits',
    'CreateContainerConfigError',
    (pod) => containerOf(pod)?.state?.waiting?.reason === 'CreateContainerConfigError',
  );
  assert.equal(containerOf(waiting)?.state?.waiting?.message, 'configmap "later" not found');
  assert.equal(waiting.status?.phase, 'Pending');
  assert.equal(await pods.told('waits', /Failed/), 'Warning Failed Error: configmap "later" not found');
  await cluster.ok('create', 'configmap', 'later', '--from-literal=a=b');
  const running = await pods.running('waits');
  assert.equal(containerOf(running)?.restartCount, 0);
  await remove('waits');
}

async function initContainers({ cluster, pods, create, remove }: Stage): Promise<void> {
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const says = (name: string): object => shell(name, `sleep 3; echo ${name} >> /v/order`, { volumeMounts });
  await create('inits', {
    volumes: [{ name: 'v', emptyDir: {} }],
    initContainers: [says('first'), says('second')],
    containers: [idle('main', { volumeMounts })],
  });
  const early = await pods.went('inits', 'in its first', (p) => containerOf(p, 'first')?.state?.running !== undefined);
  assert.deepEqual(containerOf(early, 'main')?.state, { waiting: { reason: 'PodInitializing' } });
  assert.deepEqual(containerOf(early, 'second')?.state, { waiting: { reason: 'PodInitializing' } });
  const { status, reason, message } = conditionOf(early.status, 'Initialized')!;
  assert.deepEqual(
    [status, reason, message],
    ['False', 'ContainersNotInitialized', 'containers with incomplete status: [first second]'],
  );
  const running = await pods.running('inits');
  // A condition that holds says no more why it did not.
  for (const type of ['Initialized', 'ContainersReady', 'Ready', 'PodScheduled'])
    assert.deepEqual(brief(running, type), ['True', undefined, undefined], type);
  for (const name of ['first', 'second']) {
    const init = containerOf(running, name);
    assert.deepEqual([init?.ready, init?.state?.terminated?.reason], [true, 'Completed']);
  }
  assert.equal(await cluster.ok('exec', 'inits', '--', 'cat', '/v/order'), 'first\nsecond\n');
  await remove('inits');
}

async function initFails({ cluster, pods, create, remove }: Stage): Promise<void> {
  const succeeds = ['one', 'two'].map((name) => shell(name, 'true'));
  await create('init-never', {
    restartPolicy: 'Never',
    initContainers: succeeds,
    containers: [shell('main', 'true')],
  });
  await create('init-again', { initContainers: [shell('init', 'exit 4'), ...succeeds], containers: [idle('main')] });
  await create('init-fails', {
    restartPolicy: 'Never',
    initContainers: [shell('init', 'exit 4')],
    containers: [idle('main')],
  });
  const failed = await pods.ended('init-fails');
  assert.equal(failed.status?.phase, 'Failed');
  assert.equal(containerOf(failed, 'init')?.state?.terminated?.exitCode, 4);
  assert.equal(containerOf(failed, 'main')?.state?.waiting?.reason, 'PodInitializing');
  assert.match(await cluster.ok('get', 'pod', 'init-fails', '--no-headers'), /Init:Error/);
  const { status } = await pods.ended('init-never');
  assert.equal(status?.phase, 'Succeeded');
  const all = [...status!.initContainerStatuses!, ...status!.containerStatuses!];
  assert.deepEqual(
    all.map(({ restartCount, state }) => [restartCount, state?.terminated?.exitCode]),
    [0, 1, 2].map(() => [0, 0]),
  );
  assert.equal(conditionOf(status, 'Initialized')?.status, 'True');
  const again = await pods.reaches('init-again', 'tried again', (pod) => containerOf(pod, 'init')?.restartCount === 2);
  assert.equal(again.status?.phase, 'Pending');
  assert.equal(conditionOf(again.status, 'Initialized')?.status, 'False');
  for (const name of ['one', 'two', 'main'])
    assert.deepEqual(containerOf(again, name)?.state, { waiting: { reason: 'PodInitializing' } });
  await remove('init-fails', 'init-never', 'init-again');
}

async function lifeEvents({ cluster, pods, create }: Stage): Promise<void> {
  // A pod that wants the cluster's DNS is told that there is none.
  await create('told', { dnsPolicy: 'Default', containers: [{ ...idle(), imagePullPolicy: 'Always' }] });
  await pods.running('told');
  await cluster.ok('delete', 'pod', 'told');
  await pods.told('told', /Killing/);
  const events = await pods.events('told');
  const want = [
    new RegExp(`^Normal Scheduled Successfully assigned default/told to ${cluster.name}-node1$`),
    /^Normal Pulling Pulling image "busybox"$/,
    /^Normal Pulled Successfully pulled image "busybox" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/,
    /^Normal Created Container created$/,
    /^Normal Started Container started$/,
    /^Normal Killing Stopping container c$/,
  ];
  assert.equal(events.length, want.length, events.join('\n'));
  for (const pattern of want)
    assert.ok(
      events.some((event) => pattern.test(event)),
      `${pattern}:\n${events.join('\n')}`,
    );
  await create('told-again', { restartPolicy: 'Never', containers: [shell('c', 'exit 0')] });
  await pods.ended('told-again');
  assert.equal(
    await pods.told('told-again', /Pulled/),
    'Normal Pulled Container image "busybox" already present on machine',
  );
  await cluster.ok('delete', 'pod', 'told-again');
}
