/** What becomes of containers that end. */
import assert from 'node:assert/strict';
import type { ContainerStateTerminated, ContainerStatus } from '#api/generated/core-v1.ts';
import { nodePaths } from '#host/data-dir.ts';
import { brief, secondsOf, type Stage, type Story } from '#test/e2e/pods/stage.ts';
import { commandOf, kill, pidsInCgroup } from '#test/e2e/support/machine.ts';
import { conditionOf, containerOf, idle, isReady, shell, testserver } from '#test/e2e/support/pod-watch.ts';

export const restartsStories: readonly Story[] = [
  ['a container that ends is restarted at once, then ever later', crashLoop],
  // [sig-node] Container Runtime blackbox test when starting a container that exits should run with the expected status
  ['restartPolicy and exit codes decide how a pod ends', endings],
  ['OnFailure runs again until it succeeds', failsOnce],
  ['a container that takes more memory than it may is OOMKilled; one that is killed is not', outOfMemory],
  ['containers with restart policies and rules of their own', ownPolicies],
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

async function outOfMemory({ cluster, pods, create, remove }: Stage): Promise<void> {
  const resources = { limits: { memory: '64Mi' } };
  const child = 'testserver allocate 400; echo "child $?"; exit 3';
  const containers = [
    testserver('main', ['allocate', '400'], { resources }),
    testserver('child', [], { resources, command: ['sh', '-c', child] }),
    shell('killed', 'echo $$; sleep 600 & wait', { resources }),
    // Of a signal of its own: a shell tells its parent so by 128 and the signal's number.
    shell('crashes', 'sh -c "kill -SEGV \\$\\$"; exit $?'),
  ];
  await create('oom', { restartPolicy: 'Never', containers });
  const running = await pods.went('oom', 'running', (pod) => containerOf(pod, 'killed')?.state?.running !== undefined);
  const node = nodePaths(cluster.paths, `${cluster.name}-node1`);
  const own = pidsInCgroup(`${node.cgroup}/kubepods/burstable/pod${running.metadata.uid}`);
  const pid = own.find((one) => commandOf(one).includes('sleep 600 & wait'));
  assert.ok(pid !== undefined && kill(pid), 'there to be killed');
  const { status } = await pods.ended('oom');
  assert.equal(status?.phase, 'Failed');
  const told = status!.containerStatuses!.map(({ name, state }) => {
    const { exitCode, reason } = state?.terminated ?? {};
    return [name, exitCode, reason];
  });
  assert.deepEqual(told.slice(0, 1), [['main', 137, 'OOMKilled']]);
  // The kernel took the child; its parent went on and ended as it wished. Who reads the reason learns why.
  assert.deepEqual(told.slice(1, 2), [['child', 3, 'OOMKilled']]);
  assert.match(await cluster.ok('logs', 'oom', '-c', 'child'), /^child 137$/m);
  assert.deepEqual(told.slice(2), [
    ['killed', 137, 'Error'],
    ['crashes', 139, 'Error'],
  ]);
  await remove('oom');
}

/** KEP-5307: of one pod, one that never, one that until it succeeds, and one that only after some exit codes. */
async function ownPolicies({ pods, create, remove }: Stage): Promise<void> {
  const counting = (codes: string): string =>
    `n=$(cat /v/$0 2>/dev/null || echo 0); echo $((n+1)) > /v/$0; set -- ${codes}; shift $n; exit $1`;
  const container = (name: string, codes: string, more: object): object => ({
    ...shell(name, '', more),
    command: ['sh', '-c', counting(codes), name],
    volumeMounts: [{ name: 'v', mountPath: '/v' }],
  });
  const restartPolicyRules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
  await create('own-policies', {
    restartPolicy: 'Always',
    volumes: [{ name: 'v', emptyDir: {} }],
    initContainers: [container('init', '1 0', { restartPolicy: 'OnFailure' })],
    containers: [
      container('never', '5', { restartPolicy: 'Never' }),
      container('on-failure', '7 0', { restartPolicy: 'OnFailure' }),
      container('rules', '42 9', { restartPolicy: 'Never', restartPolicyRules }),
    ],
  });
  const { status } = await pods.ended('own-policies');
  assert.equal(status?.phase, 'Failed');
  const told = [...status!.initContainerStatuses!, ...status!.containerStatuses!].map(
    ({ name, restartCount, state }) => [name, restartCount, state?.terminated?.exitCode],
  );
  assert.deepEqual(told, [
    ['init', 1, 0],
    ['never', 0, 5],
    ['on-failure', 1, 0],
    ['rules', 1, 9],
  ]);
  await remove('own-policies');
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
