/** Whatever moment peapod is killed at, what it should keep is kept, what it should remove goes, and nothing runs twice. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { type NodePaths, nodePaths } from '#host/data-dir.ts';
import { realClock } from '#lib/clock.ts';
import { tearDownHost } from '#network/tear-down-host.ts';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { kill } from '#test/e2e/support/machine.ts';
import { randomFrom, testSeed } from '#test/e2e/support/random.ts';
import { containerOf, idle, isReady, podManifest, PodWatch, shell } from '#test/e2e/support/pod-watch.ts';

const seed = testSeed();
const ROUNDS = 6;
const nodeOf = (cluster: E2eCluster): NodePaths => nodePaths(cluster.paths, `${cluster.name}-node1`);

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

test('crash: a reboot, after which pods come back', { timeout: 120_000 }, (t) => reboot(t));

async function reboot(t: TestContext): Promise<void> {
  await using cluster = await E2eCluster.start('e2e-reboot');
  await using pods = await PodWatch.on(cluster);
  const volumes = [{ name: 'v', emptyDir: {} }];
  await cluster.apply(podManifest('back', { volumes, containers: [idle('a', mount), idle('b')] }));
  await cluster.apply(podManifest('over', { restartPolicy: 'Never', containers: [shell('c', 'echo words; exit 0')] }));
  await cluster.apply(podManifest('never', { restartPolicy: 'Never', containers: [idle()] }));
  const [back, over] = [await pods.running('back'), await pods.ended('over')];
  await pods.running('never');
  await cluster.ok('exec', 'back', '-c', 'a', '--', 'sh', '-c', 'echo kept > /v/file');
  await powerOff(cluster);
  t.diagnostic('everything of the cluster is gone but its data');
  await cluster.up();
  const again = await pods.reaches('back', 'back', (pod) => isReady(pod) && containerOf(pod, 'a')?.restartCount === 1);
  assert.equal(again.metadata.uid, back.metadata.uid);
  assert.equal(containerOf(again, 'b')?.restartCount, 1);
  assert.notEqual(again.status?.podIP, back.status?.podIP);
  assert.equal(containerOf(again, 'a')?.lastState?.terminated !== undefined, true);
  assert.equal(await cluster.ok('exec', 'back', '-c', 'a', '--', 'cat', '/v/file'), 'kept\n');
  const never = await pods.ended('never');
  assert.deepEqual([never.status?.phase, containerOf(never)?.restartCount], ['Failed', 0]);
  assert.deepEqual(containerOf(pods.get('over')), containerOf(over), 'what had ended stays as it was');
  assert.equal(await cluster.ok('logs', 'over'), 'words\n');
}

/** Ends all processes of the cluster and takes back what the kernel forgets; what is on the disk stays, addresses too. */
async function powerOff(cluster: E2eCluster): Promise<void> {
  kill(await cluster.pid());
  const { ipam } = nodeOf(cluster);
  const saved = join(cluster.dataDir, 'saved-ipam');
  cpSync(ipam, saved, { recursive: true });
  await tearDownHost(cluster.paths, realClock, AbortSignal.timeout(30_000));
  cpSync(saved, ipam, { recursive: true });
}
