/** Whatever moment peapod is killed at, what it should keep is kept, what it should remove goes, and nothing runs twice. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '#api/generated/core-v1.ts';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { realClock } from '#lib/clock.ts';
import { CNI_CACHE } from '#network/ipam.ts';
import { tearDownHost } from '#network/tear-down-host.ts';
import { nodeOf, straysOf, takeCensus } from '#test/e2e/support/census.ts';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { childPid, kill } from '#test/e2e/support/machine.ts';
import { randomFrom, testSeed } from '#test/e2e/support/random.ts';
import { containerOf, heedful, idle, isReady, podManifest, PodWatch, shell } from '#test/e2e/support/pod-watch.ts';

const seed = testSeed();
const ROUNDS = 6;

test('crash: kill -9 while pods are made, pulled and ended', { timeout: 240_000 }, async (t) => {
  const random = randomFrom(seed);
  t.diagnostic(`seed ${seed}`);
  await using cluster = await E2eCluster.start('e2e-crash');
  await using pods = await PodWatch.on(cluster);
  const steady = ['keep-1', 'keep-2'];
  for (const name of steady) await cluster.apply(podManifest(name, { containers: [idle('a'), idle('b')] }));
  await cluster.apply(
    podManifest('restarted', {
      containers: [shell('c', 'test -e /v/n && sleep 9999; touch /v/n', mount)],
      volumes: [{ name: 'v', emptyDir: {} }],
    }),
  );
  const before = new Map<string, string>();
  for (const name of steady) before.set(name, idsOf(await pods.running(name)));
  await pods.reaches('restarted', 'restarted once', (pod) => isReady(pod) && containerOf(pod)?.restartCount === 1);
  before.set('restarted', idsOf(pods.get('restarted')!));
  const there = new Set<string>();
  const going = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const pid = await cluster.pid();
    const asked = [
      ...['x', 'y'].map((letter) => add(`new-${round}-${letter}`, idle())),
      add(`pull-${round}`, {
        ...idle(),
        image: round % 2 === 0 ? 'nginx' : 'peapod/testserver',
        imagePullPolicy: 'Always',
      }),
      ...[...there].map((name) => remove(name)),
    ];
    await sleep(random() * 1500);
    kill(pid);
    await Promise.all(asked);
    await cluster.up();
  }
  for (const name of going) await pods.gone(name);
  for (const name of there) {
    const pod = await pods.running(name, 60_000);
    assert.equal(containerOf(pod)?.restartCount, 0, `${name} was restarted`);
  }
  for (const [name, ids] of before) assert.equal(idsOf(pods.get(name)!), ids, `${name} is as it was`);
  await onlyThese(cluster, pods);
  await cluster.ok('delete', 'pod', '--all', '--now');
  await onlyThese(cluster, pods);

  async function add(name: string, container: object): Promise<void> {
    const spec = { terminationGracePeriodSeconds: 1, containers: [container] };
    const ran = await cluster.kubectlWith({ input: podManifest(name, spec) }, 'create', '-f', '-');
    // One that was not acknowledged may be there or not.
    if (ran.code === 0) there.add(name);
  }
  async function remove(name: string): Promise<void> {
    const ran = await cluster.kubectl('delete', 'pod', name, '--wait=false');
    there.delete(name);
    if (ran.code === 0) going.add(name);
  }
});

const mount = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };

/** Which containers a pod has and how often each was restarted. */
const idsOf = ({ status }: { readonly status?: { readonly containerStatuses?: readonly object[] } }): string =>
  JSON.stringify(
    (status?.containerStatuses ?? []).map((one) => {
      const { name, containerID, restartCount } = one as { name: string; containerID?: string; restartCount: number };
      return [name, containerID, restartCount];
    }),
  );

/** The runtime, the network and the kernel hold what the API's pods have, and no more. */
async function onlyThese(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  const node = nodeOf(cluster);
  await using runtime = criRuntime(node.containerdSocket, realClock);
  const signal = AbortSignal.timeout(30_000);
  const found = async (): Promise<object> => {
    const sandboxes = await runtime.sandboxes.list({}, signal);
    const running = await runtime.containers.list({ state: 'running' }, signal);
    const sandboxOf = new Map(sandboxes.map(({ id, labels }) => [id, labels['io.kubernetes.pod.name'] ?? '?']));
    const addresses = readdirSync(join(node.ipam, readdirSync(node.ipam)[0]!));
    return {
      sandboxes: [...sandboxOf.values()].toSorted(),
      containers: running
        .map(({ sandbox, labels }) => `${sandboxOf.get(sandbox)}/${labels['io.kubernetes.container.name']}`)
        .toSorted(),
      addresses: addresses.filter((file) => /^(\d|fd00)/.test(file)).length,
      folders: readdirSync(node.pods).length,
    };
  };
  const wanted = (): object => ({
    sandboxes: pods
      .list()
      .map(({ metadata }) => metadata.name)
      .toSorted(),
    containers: pods
      .list()
      .flatMap(({ metadata, spec }) => spec.containers.map(({ name }) => `${metadata.name}/${name}`))
      .toSorted(),
    addresses: pods.list().reduce((sum, { status }) => sum + (status?.podIPs ?? []).length, 0),
    folders: pods.list().length,
  });
  await until(
    'only what belongs to pods is left',
    found,
    (one) => JSON.stringify(one) === JSON.stringify(wanted()),
  ).catch(async () => assert.deepEqual(await found(), wanted()));
}

test(
  'crash: a network record that was being written is no reason for a pod to stay',
  { timeout: 120_000 },
  async () => {
    await using cluster = await E2eCluster.start('e2e-torn');
    await using pods = await PodWatch.on(cluster);
    for (const name of ['goes', 'stays']) {
      await cluster.apply(podManifest(name, { containers: [idle()] }));
      await pods.running(name);
    }
    const { network } = nodeOf(cluster);
    const torn = readdirSync(CNI_CACHE).filter((file) => file.startsWith(`${network}-`));
    assert.equal(torn.length, 2);
    // As a containerd leaves them that is killed between opening and writing.
    for (const file of torn) truncateSync(join(CNI_CACHE, file));
    await cluster.ok('delete', 'pod', 'goes', '--wait=false');
    assert.match(await pods.told('goes', /FailedKillPod/), /failed to "KillPodSandbox" for .* cached result/);
    kill(childPid(cluster.paths, /^containerd-/));
    await pods.gone('goes');
    const stays = await pods.running('stays');
    assert.equal(containerOf(stays)?.restartCount, 0, 'who was well was left alone');
    await cluster.ok('delete', 'pod', 'stays');
  },
);

test('crash: any signal at any moment of the start-up', { timeout: 240_000 }, async (t) => {
  const random = randomFrom(seed + 1);
  t.diagnostic(`seed ${seed}`);
  await using cluster = E2eCluster.reserve('e2e-start');
  const clean = { children: [], shims: [], mounts: [], links: [], tables: [], cgroups: [] };
  const signals = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const;
  for (let round = 0; round < 9; round++) {
    const signal = signals[round % signals.length]!;
    const afterMs = Math.round(random() * 1200);
    const where = `${signal} after ${afterMs} ms`;
    {
      await using up = cluster.upInForeground();
      await sleep(afterMs);
      kill(up.pid, signal);
      const ended = await Promise.race([up.ended, sleep(20_000, undefined, { ref: false })]);
      assert.ok(ended !== undefined, `${where}: it does not end: ${up.output}`);
      if (signal === 'SIGINT') {
        // Before it listens for signals there is nothing yet to stop.
        assert.ok(ended.code === 130 || (ended.signal === 'SIGINT' && up.output === ''), `${where}: ${up.output}`);
        assert.deepEqual(await cluster.remains(), clean, `${where}: Ctrl-C is "down"`);
      }
    }
    await cluster.down();
    assert.deepEqual(await cluster.remains(), clean, where);
  }
  await cluster.up();
  await using pods = await PodWatch.on(cluster);
  await cluster.apply(podManifest('works', { containers: [idle()] }));
  await pods.running('works');
});

test('down: containers end in their own time, with their hooks, sidecars last', { timeout: 120_000 }, async () => {
  await using cluster = await E2eCluster.start('e2e-down');
  await using pods = await PodWatch.on(cluster);
  const told = join(cluster.dataDir, 'told');
  mkdirSync(told);
  const volumeMounts = [{ name: 'told', mountPath: '/told' }];
  const says = (name: string, more: object = {}): object =>
    heedful(name, `trap "sleep 1; echo ${name} >> /told/file; exit 0" TERM`, { volumeMounts, ...more });
  const preStop = { exec: { command: ['sh', '-c', 'echo hook >> /told/file'] } };
  await cluster.apply(
    podManifest('polite', {
      terminationGracePeriodSeconds: 60,
      volumes: [{ name: 'told', hostPath: { path: told } }],
      initContainers: [says('one', { restartPolicy: 'Always' }), says('two', { restartPolicy: 'Always' })],
      containers: [says('main', { lifecycle: { preStop } })],
    }),
  );
  const deaf = shell('c', 'trap "" TERM; while :; do sleep 1; done');
  await cluster.apply(podManifest('deaf', { terminationGracePeriodSeconds: 1, containers: [deaf] }));
  for (const name of ['polite', 'deaf']) await pods.running(name);
  await cluster.down('--grace-period', '30');
  assert.equal(readFileSync(join(told, 'file'), 'utf8'), 'hook\nmain\ntwo\none\n');
});

test('crash: a reboot, after which pods come back', { timeout: 180_000 }, (t) => reboot(t));

async function reboot(t: TestContext): Promise<void> {
  await using cluster = await E2eCluster.start('e2e-reboot');
  await using pods = await PodWatch.on(cluster);
  for (const pod of rebooted) await cluster.apply(pod);
  for (const name of ['back', 'sided', 'never', 'going']) await pods.running(name);
  for (const name of ['over', 'done']) await pods.ended(name);
  await pods.reaches('half', 'half done', (pod) => containerOf(pod, 'ends')?.state?.terminated !== undefined);
  await pods.reaches('looping', 'restarted once', (pod) => (containerOf(pod)?.restartCount ?? 0) >= 1);
  for (const volume of ['v', 'm']) {
    await cluster.ok('exec', 'back', '-c', 'a', '--', 'sh', '-c', `echo kept > /${volume}/file`);
  }
  await cluster.ok('delete', 'pod', 'going', '--wait=false');
  const before = new Map(pods.list().map((pod) => [pod.metadata.name, pod]));
  await powerOff(cluster);
  t.diagnostic('everything of the cluster is gone but its data');
  await cluster.up();
  await theyComeBack(cluster, pods, before);
  await theyStayEnded(cluster, pods, before);
  await pods.gone('going');
  await using runtime = criRuntime(nodeOf(cluster).containerdSocket, realClock);
  await until(
    'nothing is left of the time before',
    async () => straysOf(await takeCensus(cluster, runtime, AbortSignal.timeout(30_000)), pods.list()),
    (strays) => strays.length === 0,
  );
}

const rebooted: readonly string[] = [
  podManifest('back', {
    terminationGracePeriodSeconds: 1,
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'm', emptyDir: { medium: 'Memory' } },
    ],
    containers: [idle('a', { volumeMounts: ['v', 'm'].map((name) => ({ name, mountPath: `/${name}` })) }), idle('b')],
  }),
  podManifest('sided', {
    terminationGracePeriodSeconds: 1,
    initContainers: [shell('init', 'exit 0'), idle('side', { restartPolicy: 'Always' })],
    containers: [idle('main')],
  }),
  podManifest('looping', { containers: [shell('c', 'exit 4')] }),
  podManifest('over', { restartPolicy: 'Never', containers: [shell('c', 'echo words; exit 0')] }),
  podManifest('done', { restartPolicy: 'OnFailure', containers: [shell('c', 'exit 0')] }),
  podManifest('never', { restartPolicy: 'Never', containers: [idle()] }),
  podManifest('half', { restartPolicy: 'Never', containers: [shell('ends', 'exit 0'), idle('runs')] }),
  podManifest('going', { terminationGracePeriodSeconds: 600, containers: [shell('c', 'trap "" TERM; sleep 600')] }),
];

type Pods = ReadonlyMap<string, Pod>;

/** In a new sandbox, and so every container of theirs has been restarted once more. */
async function theyComeBack(cluster: E2eCluster, pods: PodWatch, before: Pods): Promise<void> {
  for (const [name, containers] of [
    ['back', ['a', 'b']],
    ['sided', ['init', 'side', 'main']],
  ] as const) {
    const again = await pods.reaches(
      name,
      'back',
      (pod) => isReady(pod) && containers.every((container) => containerOf(pod, container)?.restartCount === 1),
    );
    assert.equal(again.metadata.uid, before.get(name)?.metadata.uid);
    assert.ok(
      containerOf(again, containers[0])?.state?.terminated ?? containerOf(again, containers[0])?.lastState?.terminated,
    );
  }
  assert.equal(await cluster.ok('exec', 'back', '-c', 'a', '--', 'cat', '/v/file'), 'kept\n');
  assert.equal(await cluster.ok('exec', 'back', '-c', 'a', '--', 'ls', '/m'), '', 'memory forgets');
  const count = containerOf(before.get('looping'))!.restartCount;
  await pods.reaches('looping', 'restarted further', (pod) => (containerOf(pod)?.restartCount ?? 0) > count, 60_000);
  const ips = (pod: Pod | undefined): readonly string[] => (pod?.status?.podIPs ?? []).map(({ ip }) => ip);
  const old = [...before.values()].flatMap(ips);
  const now = ['back', 'sided', 'looping'].flatMap((name) => ips(pods.get(name)));
  assert.ok(now.length >= 3);
  assert.deepEqual(
    now.filter((ip, at) => old.includes(ip) || now.indexOf(ip) !== at),
    [],
    "addresses are new, and each is one pod's",
  );
}

/** What had ended is as it was; what may not be restarted has failed with the machine. */
async function theyStayEnded(cluster: E2eCluster, pods: PodWatch, before: Pods): Promise<void> {
  for (const name of ['over', 'done']) {
    assert.deepEqual(pods.get(name)?.status?.phase, 'Succeeded');
    assert.deepEqual(containerOf(pods.get(name)), containerOf(before.get(name)), 'what had ended stays as it was');
  }
  assert.equal(await cluster.ok('logs', 'over'), 'words\n');
  for (const [name, container] of [
    ['never', 'c'],
    ['half', 'runs'],
  ] as const) {
    const ended = await pods.ended(name);
    const status = containerOf(ended, container);
    assert.deepEqual([ended.status?.phase, status?.restartCount], ['Failed', 0], name);
    assert.notEqual(status?.state?.terminated?.exitCode ?? 0, 0);
  }
  assert.equal(containerOf(pods.get('half'), 'ends')?.state?.terminated?.exitCode, 0);
}

/** Ends all processes of the cluster and takes back what the kernel forgets; what is on the disk stays, the books of CNI too. */
async function powerOff(cluster: E2eCluster): Promise<void> {
  kill(await cluster.pid());
  const { ipam, network } = nodeOf(cluster);
  const saved = join(cluster.dataDir, 'saved');
  const books = readdirSync(CNI_CACHE).filter((file) => file.startsWith(network));
  cpSync(ipam, join(saved, 'ipam'), { recursive: true });
  for (const file of books) cpSync(join(CNI_CACHE, file), join(saved, file));
  await tearDownHost(cluster.paths, realClock, AbortSignal.timeout(30_000));
  cpSync(join(saved, 'ipam'), ipam, { recursive: true });
  for (const file of books) cpSync(join(saved, file), join(CNI_CACHE, file));
  rmSync(saved, { recursive: true });
}
