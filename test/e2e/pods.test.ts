/** A pod's life on its node, on real containers, as kubectl and a client that watches see it. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { nodePaths } from '#host/data-dir.ts';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import {
  conditionOf,
  containerOf,
  idle,
  isReady,
  podManifest,
  PodWatch,
  shell,
  testserver,
} from '#test/e2e/support/pod-watch.ts';

interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  create(name: string, spec: object, metadata?: object): Promise<void>;
  remove(...names: readonly string[]): Promise<void>;
}

const secondsOf = (time: string | undefined): number => Date.parse(time ?? '') / 1000;

/** Six at a time: most of them mostly wait. */
test('pods', { concurrency: 6, timeout: 240_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-pods');
  await using pods = await PodWatch.on(cluster);
  const stage: Stage = {
    cluster,
    pods,
    async create(name, spec, metadata) {
      const ran = await cluster.kubectlWith({ input: podManifest(name, spec, metadata) }, 'create', '-f', '-');
      assert.equal(ran.code, 0, ran.stderr);
    },
    async remove(...names) {
      await cluster.ok('delete', 'pod', '--now', '--wait=false', ...names);
    },
  };
  await Promise.all(stories.map(([name, story]) => t.test(`pods: ${name}`, (inner) => story(stage, inner))));
});

const stories: readonly (readonly [string, (stage: Stage, t: TestContext) => Promise<void>])[] = [
  ['a container that ends is restarted at once, then ever later', crashLoop],
  ['restartPolicy and exit codes decide how a pod ends', endings],
  ['OnFailure runs again until it succeeds', failsOnce],
  ['a container that takes more memory than it may is OOMKilled', outOfMemory],
  ['a command that does not exist is a StartError', noSuchCommand],
  ['SIGTERM first, and time to end', graceful],
  ['SIGKILL when the grace period is over', killedAfterGrace],
  ['a second delete shortens the grace period', shortened],
  ['a forced delete, and a namesake while the old one is still ending', namesake],
  ['environment, command and arguments', environment],
  ['a missing ConfigMap is waited for', missingConfigMap],
  ['init containers run one after the other, before the others', initContainers],
  ['a failing init container fails a Never pod', initFails],
  ['a changed image restarts that container only', imageChange],
  ['activeDeadlineSeconds ends a pod', deadline],
  ['the events of a life, in order', lifeEvents],
  ['an ended pod keeps its logs and gives the rest back', endedPod],
  ['the containers of a pod share an address, and reach other pods', network],
  ['a pod in the network of its host', hostNetwork],
  ['a hostPort is reached on the loopback', hostPort],
];

async function crashLoop({ pods, create, remove }: Stage): Promise<void> {
  await create('crash', { containers: [shell('c', 'echo out; exit 7')] });
  const once = await pods.went('crash', 'restarted', (pod) => containerOf(pod)?.restartCount === 1);
  const second = await pods.reaches(
    'crash',
    'in CrashLoopBackOff',
    (pod) => containerOf(pod)?.state?.waiting?.reason === 'CrashLoopBackOff',
  );
  const { uid } = second.metadata;
  const { state, lastState, restartCount, ready } = containerOf(second)!;
  assert.equal(restartCount, 1, 'the first restart comes without a wait');
  assert.equal(ready, false);
  assert.equal(state?.waiting?.message, `back-off 10s restarting failed container=c pod=crash_default(${uid})`);
  assert.deepEqual([lastState?.terminated?.exitCode, lastState?.terminated?.reason], [7, 'Error']);
  assert.match(lastState?.terminated?.containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/);
  assert.equal(second.status?.phase, 'Running');
  for (const type of ['Ready', 'ContainersReady']) {
    const { status, reason, message } = conditionOf(second.status, type)!;
    assert.deepEqual(
      { status, reason, message },
      { status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [c]' },
    );
  }
  const ended = secondsOf(lastState?.terminated?.finishedAt);
  const third = await pods.reaches('crash', 'restarted again', (pod) => containerOf(pod)?.restartCount === 2, 30_000);
  const run = containerOf(third)?.state;
  const again = run?.running ?? run?.terminated ?? containerOf(third)?.lastState?.terminated;
  const waited = secondsOf(again?.startedAt) - ended;
  assert.ok(waited >= 9 && waited <= 14, `the second restart came after ${waited} s`);
  assert.ok(once.status?.phase === 'Running' || once.status?.phase === 'Pending');
  const slower = await pods.reaches(
    'crash',
    'in a longer back-off',
    (pod) => containerOf(pod)?.state?.waiting?.message?.startsWith('back-off 20s') === true,
  );
  assert.equal(containerOf(slower)?.restartCount, 2);
  assert.equal(
    await pods.told('crash', /BackOff/),
    `Warning BackOff Back-off restarting failed container c in pod crash_default(${uid})`,
  );
  await remove('crash');
}

async function endings({ cluster, pods, create, remove }: Stage): Promise<void> {
  const table = [
    { name: 'never-0', policy: 'Never', codes: [0], phase: 'Succeeded', shown: 'Completed' },
    { name: 'never-3', policy: 'Never', codes: [3], phase: 'Failed', shown: 'Error' },
    { name: 'never-0-1', policy: 'Never', codes: [0, 1], phase: 'Failed', shown: 'Completed' },
    { name: 'onfailure-0', policy: 'OnFailure', codes: [0], phase: 'Succeeded', shown: 'Completed' },
  ];
  for (const { name, policy, codes } of table) {
    const containers = codes.map((code, n) => shell(`c${n}`, `exit ${code}`));
    await create(name, { restartPolicy: policy, containers });
  }
  for (const { name, codes, phase } of table) {
    const { status } = await pods.ended(name);
    assert.equal(status?.phase, phase, name);
    for (const [n, code] of codes.entries()) {
      const found = status?.containerStatuses?.[n];
      const { exitCode, reason, startedAt, finishedAt } = found?.state?.terminated ?? {};
      assert.deepEqual([exitCode, reason], [code, code === 0 ? 'Completed' : 'Error'], `${name} c${n}`);
      assert.ok(secondsOf(startedAt) <= secondsOf(finishedAt));
      assert.deepEqual([found?.restartCount, found?.ready, found?.started], [0, false, false]);
    }
    const reason = phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
    for (const type of ['Ready', 'ContainersReady']) {
      const condition = conditionOf(status, type);
      assert.deepEqual([condition?.status, condition?.reason], ['False', reason], `${name} ${type}`);
    }
    assert.equal(conditionOf(status, 'Initialized')?.status, 'True');
  }
  const rows = (await cluster.ok('get', 'pods', '--no-headers', ...table.map(({ name }) => name))).trim().split('\n');
  for (const [n, { name, codes, shown }] of table.entries())
    assert.deepEqual(rows[n]?.split(/\s+/).slice(0, 4), [name, `0/${codes.length}`, shown, '0']);
  await remove(...table.map(({ name }) => name));
}

async function failsOnce({ pods, create, remove }: Stage): Promise<void> {
  await create('fails-once', {
    restartPolicy: 'OnFailure',
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [
      shell('c', 'test -e /v/again && exit 0; touch /v/again; exit 5', {
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      }),
    ],
  });
  const { status } = await pods.ended('fails-once');
  assert.equal(status?.phase, 'Succeeded');
  const [container] = status?.containerStatuses ?? [];
  assert.equal(container?.restartCount, 1);
  assert.equal(container?.state?.terminated?.exitCode, 0);
  assert.deepEqual(
    [container?.lastState?.terminated?.exitCode, container?.lastState?.terminated?.reason],
    [5, 'Error'],
  );
  await remove('fails-once');
}

async function outOfMemory({ pods, create, remove }: Stage): Promise<void> {
  const resources = { limits: { memory: '64Mi' } };
  await create('oom', { restartPolicy: 'Never', containers: [testserver('c', ['allocate', '400'], { resources })] });
  const { status } = await pods.ended('oom');
  const { exitCode, reason } = containerOf({ status } as Pod)?.state?.terminated ?? {};
  assert.deepEqual([status?.phase, exitCode, reason], ['Failed', 137, 'OOMKilled']);
  await remove('oom');
}

async function noSuchCommand({ pods, create, remove }: Stage): Promise<void> {
  const container = shell('c', '', { command: ['/no/such/command'] });
  await create('nosuch-never', { restartPolicy: 'Never', containers: [container] });
  await create('nosuch-always', { containers: [container] });
  const ended = containerOf(await pods.ended('nosuch-never'))?.state?.terminated;
  assert.deepEqual([ended?.exitCode, ended?.reason], [128, 'StartError']);
  assert.match(ended?.message ?? '', /\/no\/such\/command.*no such file or directory/);
  assert.match(await pods.told('nosuch-never', /Failed/), /^Warning Failed Error: .*no such file or directory/);
  const waiting = await pods.reaches(
    'nosuch-always',
    'in CrashLoopBackOff',
    (pod) => containerOf(pod)?.state?.waiting?.reason === 'CrashLoopBackOff',
  );
  assert.equal(containerOf(waiting)?.lastState?.terminated?.reason, 'StartError');
  await remove('nosuch-never', 'nosuch-always');
}

/** Serves nothing, but says when it does: from then on it hears signals. */
const deaf = ['serve', '--http', '0', '--https', '0', '--tcp', '0', '--grpc', '0'];

/** A container that writes the signals it gets where the test finds them after the pod is gone. */
function signalled(
  t: TestContext,
  args: readonly string[],
): { readonly spec: object; readonly signals: () => readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-e2e-signals-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const volumeMounts = [{ name: 'log', mountPath: '/log' }];
  const container = testserver('c', [...deaf, '--signal-log', '/log/signals', ...args], { volumeMounts });
  const log = join(folder, 'signals');
  return {
    spec: { volumes: [{ name: 'log', hostPath: { path: folder } }], containers: [container] },
    signals: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []).map((l) => l.split(' ')[0]!),
  };
}

/** A program that is PID 1 and hears no signals yet ignores them. */
const listening = (cluster: E2eCluster, name: string): Promise<string> =>
  until(
    `${name} serves`,
    () => cluster.ok('logs', name),
    (log) => log.includes('serving'),
  );

async function graceful({ cluster, pods, create }: Stage, t: TestContext): Promise<void> {
  const { spec, signals } = signalled(t, ['--end-after', '1s', '--exit-code', '5']);
  await create('graceful', { ...spec, terminationGracePeriodSeconds: 20 });
  await pods.running('graceful');
  await listening(cluster, 'graceful');
  const begun = performance.now();
  await cluster.ok('delete', 'pod', 'graceful');
  const took = performance.now() - begun;
  assert.ok(took >= 950 && took < 8_000, `it took ${took} ms`);
  assert.deepEqual(signals(), ['SIGTERM']);
  const last = await pods.went('graceful', 'seen how it ended', (pod) => /Failed/.test(pod.status?.phase ?? ''));
  assert.equal(containerOf(last)?.state?.terminated?.exitCode, 5);
  assert.equal(last.metadata.deletionGracePeriodSeconds, 20);
  assert.equal(await pods.told('graceful', /Killing/), 'Normal Killing Stopping container c');
}

async function killedAfterGrace({ cluster, pods, create }: Stage, t: TestContext): Promise<void> {
  const { spec, signals } = signalled(t, ['--ignore', 'SIGTERM']);
  await create('deaf', { ...spec, terminationGracePeriodSeconds: 2 });
  await pods.running('deaf');
  await listening(cluster, 'deaf');
  const begun = performance.now();
  await cluster.ok('delete', 'pod', 'deaf');
  const took = performance.now() - begun;
  assert.ok(took >= 2000 && took < 8000, `it took ${took} ms`);
  assert.deepEqual(signals(), ['SIGTERM']);
  const last = await pods.went('deaf', 'seen how it ended', (pod) => /Failed/.test(pod.status?.phase ?? ''));
  assert.equal(containerOf(last)?.state?.terminated?.exitCode, 137);
}

async function shortened({ cluster, pods, create }: Stage, t: TestContext): Promise<void> {
  const { spec, signals } = signalled(t, ['--ignore', 'SIGTERM']);
  await create('shortened', { ...spec, terminationGracePeriodSeconds: 300 });
  await pods.running('shortened');
  await listening(cluster, 'shortened');
  await cluster.ok('delete', 'pod', 'shortened', '--wait=false');
  const ending = await pods.reaches('shortened', 'ending', ({ metadata }) => metadata.deletionTimestamp !== undefined);
  assert.equal(ending.metadata.deletionGracePeriodSeconds, 300);
  assert.match(await cluster.ok('get', 'pod', 'shortened', '--no-headers'), /Terminating/);
  await cluster.ok('delete', 'pod', 'shortened', '--grace-period=1', '--timeout=15s');
  await pods.gone('shortened', 1000);
  assert.equal(signals()[0], 'SIGTERM');
}

async function namesake({ cluster, pods, create, remove }: Stage, t: TestContext): Promise<void> {
  const { spec } = signalled(t, ['--ignore', 'SIGTERM']);
  await create('twin', spec);
  const first = await pods.running('twin');
  await listening(cluster, 'twin');
  const forced = await cluster.kubectl('delete', 'pod', 'twin', '--force', '--wait=false');
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /Immediate deletion does not wait/);
  await create('twin', { containers: [idle()] });
  const second = await pods.reaches(
    'twin',
    'running',
    (pod) => pod.metadata.uid !== first.metadata.uid && isReady(pod),
  );
  assert.notEqual(second.status?.podIP, first.status?.podIP);
  assert.equal(containerOf(second)?.restartCount, 0);
  const node = nodePaths(cluster.paths, `${cluster.name}-node1`);
  await until(
    'the old pod is cleared away',
    async () => existsSync(join(node.pods, first.metadata.uid)),
    (there) => !there,
    15_000,
  );
  assert.ok(isReady(pods.get('twin')!), 'the new one is left alone');
  await remove('twin');
}

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
  const says = (name: string): object => shell(name, `sleep 1; echo ${name} >> /v/order`, { volumeMounts });
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
  assert.equal(conditionOf(running.status, 'Initialized')?.status, 'True');
  for (const name of ['first', 'second']) {
    const init = containerOf(running, name);
    assert.deepEqual([init?.ready, init?.state?.terminated?.reason], [true, 'Completed']);
  }
  assert.equal(await cluster.ok('exec', 'inits', '--', 'cat', '/v/order'), 'first\nsecond\n');
  await remove('inits');
}

async function initFails({ cluster, pods, create, remove }: Stage): Promise<void> {
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
  await remove('init-fails');
}

async function imageChange({ cluster, pods, create, remove }: Stage): Promise<void> {
  await create('changes', { restartPolicy: 'Never', containers: [idle('a'), idle('b')] });
  const before = await pods.running('changes');
  await cluster.ok('set', 'image', 'pod/changes', 'a=docker.io/library/busybox:latest');
  const after = await pods.reaches(
    'changes',
    'restarted',
    (p) => isReady(p) && containerOf(p, 'a')?.restartCount === 1,
  );
  assert.equal(after.status?.podIP, before.status?.podIP);
  assert.deepEqual(containerOf(after, 'b'), containerOf(before, 'b'), 'the other one runs on');
  assert.notEqual(containerOf(after, 'a')?.containerID, containerOf(before, 'a')?.containerID);
  assert.equal(
    await pods.told('changes', /Killing/),
    'Normal Killing Container a definition changed, will be restarted',
  );
  await remove('changes');
}

async function deadline({ pods, create, remove }: Stage): Promise<void> {
  await create('late', { activeDeadlineSeconds: 6, terminationGracePeriodSeconds: 1, containers: [idle()] });
  await pods.went('late', 'running', isReady);
  const { status } = await pods.ended('late');
  assert.deepEqual(
    [status?.phase, status?.reason, status?.message],
    ['Failed', 'DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
  );
  await remove('late');
}

async function lifeEvents({ cluster, pods, create }: Stage): Promise<void> {
  await create('told', { containers: [{ ...idle(), imagePullPolicy: 'Always' }] });
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

async function endedPod({ cluster, pods, create, remove }: Stage): Promise<void> {
  await create('over', { restartPolicy: 'Never', containers: [shell('c', 'echo last words; exit 1')] });
  const ended = await pods.ended('over');
  const node = nodePaths(cluster.paths, `${cluster.name}-node1`);
  const address = ended.status?.podIP ?? '';
  assert.notEqual(address, '');
  const reservation = join(node.ipam, `peapod-${cluster.paths.hash}`, address);
  const kept = (): boolean => existsSync(reservation) || existsSync(join(node.pods, ended.metadata.uid));
  await until(
    'address and folder are given back',
    async () => kept(),
    (still) => !still,
    15_000,
  );
  assert.equal(await cluster.ok('logs', 'over'), 'last words\n');
  assert.equal(pods.get('over')?.status?.podIP, address, 'it keeps telling what address it had');
  await remove('over');
}

async function network({ cluster, pods, create, remove }: Stage): Promise<void> {
  const show = 'ip -o addr show eth0 | sed "s/.*inet6* //; s/ .*//"';
  await create('net-a', { containers: [idle('one'), idle('two'), testserver('web', ['serve'])] });
  await create('net-b', { containers: [idle()] });
  const [a, b] = await Promise.all([pods.running('net-a'), pods.running('net-b')]);
  const [v4, v6] = (a.status?.podIPs ?? []).map(({ ip }) => ip);
  assert.match(v4 ?? '', /^10\.2(4[4-9]|5[0-5])\.1\.\d+$/);
  assert.match(v6 ?? '', /^fd00:10:2(4[4-9]|5[0-5]):1::[0-9a-f]+$/);
  assert.notEqual(v4, b.status?.podIP);
  for (const container of ['one', 'two']) {
    const seen = (await cluster.ok('exec', 'net-a', '-c', container, '--', 'sh', '-c', show)).trim().split('\n');
    assert.deepEqual(seen.slice(0, 2), [`${v4}/24`, `${v6}/64`]);
  }
  const page = (pod: string, container: string, url: string): Promise<string> =>
    cluster.ok('exec', pod, '-c', container, '--', 'timeout', '10', 'wget', '-qO-', url);
  assert.equal(await page('net-a', 'one', 'http://127.0.0.1:8080/'), 'testserver on net-a\n');
  assert.equal(await page('net-b', 'c', `http://${v4}:8080/`), 'testserver on net-a\n');
  assert.equal(await page('net-b', 'c', `http://[${v6}]:8080/`), 'testserver on net-a\n');
  await remove('net-a', 'net-b');
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });

/** The page, or undefined when nobody answers there. */
const page = (port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/', timeout: 2000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(undefined));
  });

async function hostNetwork({ pods, create, remove }: Stage): Promise<void> {
  const port = await freePort();
  const args = ['serve', '--http', String(port), '--https', '0', '--tcp', '0', '--grpc', '0'];
  await create('on-host', { hostNetwork: true, containers: [testserver('c', args)] });
  const { status } = await pods.running('on-host');
  assert.equal(status?.podIP, status?.hostIP);
  await until(
    'the page on the loopback',
    () => page(port),
    (text) => text?.startsWith('testserver on') === true,
  );
  await remove('on-host');
}

async function hostPort({ cluster, pods, create }: Stage): Promise<void> {
  const port = await freePort();
  const ports = [{ containerPort: 8080, hostPort: port }];
  await create('mapped', { containers: [testserver('c', ['serve'], { ports })] });
  await pods.running('mapped');
  await until(
    'the page on the loopback',
    () => page(port),
    (text) => text === 'testserver on mapped\n',
  );
  await cluster.ok('delete', 'pod', 'mapped', '--now');
  await until(
    'the port is free again',
    () => page(port),
    (text) => text === undefined,
    10_000,
  );
}
