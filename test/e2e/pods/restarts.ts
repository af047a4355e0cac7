/** What becomes of containers that end. */
import assert from 'node:assert/strict';
import type { ContainerStateTerminated, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import { brief, secondsOf, type Stage, type Story } from '#test/e2e/pods/stage.ts';
import { conditionOf, containerOf, idle, isReady, shell, testserver } from '#test/e2e/support/pod-watch.ts';

export const restartsStories: readonly Story[] = [
  ['a container that ends is restarted at once, then ever later', crashLoop],
  ['restartPolicy and exit codes decide how a pod ends', endings],
  ['OnFailure runs again until it succeeds', failsOnce],
  ['a container that takes more memory than it may is OOMKilled', outOfMemory],
  ['a command that does not exist is a StartError', noSuchCommand],
  ['a changed image restarts that container only', imageChange],
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
  for (const type of ['Ready', 'ContainersReady'])
    assert.deepEqual(brief(second, type), ['False', 'ContainersNotReady', 'containers with unready status: [c]']);
  const ended = secondsOf(lastState?.terminated?.finishedAt);
  assert.ok(once.status?.phase === 'Running' || once.status?.phase === 'Pending');
  const slower = await pods.reaches(
    'crash',
    'in a longer back-off',
    (pod) => containerOf(pod)?.state?.waiting?.message?.startsWith('back-off 20s') === true,
  );
  assert.equal(containerOf(slower)?.restartCount, 2);
  const waited = secondsOf(containerOf(slower)?.lastState?.terminated?.startedAt) - ended;
  assert.ok(waited >= 9 && waited <= 16, `the second restart came after ${waited} s`);
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
      const found: ContainerStatus | undefined = status?.containerStatuses?.[n];
      const { exitCode, reason, startedAt, finishedAt }: Partial<ContainerStateTerminated> =
        found?.state?.terminated ?? {};
      assert.deepEqual([exitCode, reason], [code, code === 0 ? 'Completed' : 'Error'], `${name} c${n}`);
      // Whole seconds; and the runtime notes the start of a short life after it has noted its end.
      assert.ok(secondsOf(startedAt) <= secondsOf(finishedAt) + 1);
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
