/** What stands under the pods fails: the registry, the disk, the runtime, a sandbox. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { nodePaths } from '#host/data-dir.ts';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { childPid, commandOf, findChild, kill, pidsInCgroup, smallDisk } from '#test/e2e/support/machine.ts';
import { containerOf, idle, isReady, podManifest, PodWatch, shell } from '#test/e2e/support/pod-watch.ts';

test('failures', { timeout: 240_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-failures');
  await using pods = await PodWatch.on(cluster);
  await t.test('failures: an image that does not exist', () => noSuchImage(cluster, pods));
  await t.test('failures: the registry is down, and comes back', () => registryDown(cluster, pods));
  await t.test('failures: containerd is killed, and its pods go on', () => containerdKilled(cluster, pods));
  await t.test('failures: a sandbox is killed, and its pod made anew', () => sandboxKilled(cluster, pods));
});

async function noSuchImage(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  await cluster.apply(podManifest('no-image', { containers: [{ name: 'c', image: 'no/such:1' }] }));
  const failed = await pods.went(
    'no-image',
    'ErrImagePull',
    (pod) => containerOf(pod)?.state?.waiting?.reason === 'ErrImagePull',
  );
  assert.match(containerOf(failed)?.state?.waiting?.message ?? '', /docker\.io\/no\/such:1.*not found/);
  assert.equal(failed.status?.phase, 'Pending');
  const waiting = await pods.reaches(
    'no-image',
    'ImagePullBackOff',
    (pod) => containerOf(pod)?.state?.waiting?.reason === 'ImagePullBackOff',
  );
  assert.match(
    containerOf(waiting)?.state?.waiting?.message ?? '',
    /^Back-off pulling image "no\/such:1": ErrImagePull: /,
  );
  await pods.told('no-image', /^Normal Pulling Pulling image "no\/such:1"$/);
  await pods.told('no-image', /^Warning Failed Failed to pull image "no\/such:1": .*not found/);
  await pods.told('no-image', /^Warning Failed Error: ErrImagePull$/);
  await pods.told('no-image', /^Normal BackOff Back-off pulling image "no\/such:1"$/);
  await cluster.apply(podManifest('bad-name', { containers: [{ name: 'c', image: 'UPPER/Case' }] }));
  const bad = await pods.reaches(
    'bad-name',
    'InvalidImageName',
    (pod) => containerOf(pod)?.state?.waiting?.reason === 'InvalidImageName',
  );
  assert.match(containerOf(bad)?.state?.waiting?.message ?? '', /invalid reference format|couldn't parse image/);
  await cluster.ok('delete', 'pod', 'no-image', 'bad-name', '--now');
}

/** The kit's registry is started again when it dies. Somebody else on its port keeps it away. */
async function registryDown(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  const port = Number(new URL((await cluster.status()).images.registry ?? '').port);
  kill(childPid(cluster.paths, /registry/));
  const squatter = createServer((socket) => socket.destroy());
  await until(
    'its port is taken',
    () => listens(squatter, port),
    (taken) => taken,
  );
  try {
    await cluster.apply(podManifest('after', { containers: [{ name: 'c', image: 'nginx' }] }));
    const failed = await pods.went(
      'after',
      'ErrImagePull',
      (pod) => containerOf(pod)?.state?.waiting?.reason === 'ErrImagePull',
    );
    assert.match(containerOf(failed)?.state?.waiting?.message ?? '', /nginx.*(EOF|reset|refused)/);
    await pods.reaches(
      'after',
      'ImagePullBackOff',
      (pod) => containerOf(pod)?.state?.waiting?.reason === 'ImagePullBackOff',
    );
  } finally {
    squatter.close();
  }
  await pods.running('after', 60_000);
  await cluster.ok('delete', 'pod', 'after', '--now');
}

const listens = (server: Server, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });

async function containerdKilled(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  await cluster.apply(podManifest('steady', { containers: [idle()] }));
  // Ends, by the host's clock, while nobody is there to see it.
  const until3s = 'n=0; while [ $n -lt 30 ]; do sleep 0.1; n=$((n+1)); done; exit 9';
  await pods.running('steady');
  await cluster.apply(podManifest('ends', { restartPolicy: 'Never', containers: [shell('c', until3s)] }));
  const before = await pods.running('ends');
  const steady = pods.get('steady')!;
  // Stopped first, so that it is away for as long as the container takes, and killed then.
  const pid = childPid(cluster.paths, /containerd/);
  kill(pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 3500));
  kill(pid);
  await until(
    'containerd is started again',
    async () => findChild(cluster.paths, /containerd/),
    (now) => now !== undefined && now !== pid,
  );
  const ended = await pods.ended('ends');
  assert.equal(containerOf(ended)?.state?.terminated?.exitCode, 9);
  assert.equal(containerOf(ended)?.containerID, containerOf(before)?.containerID);
  assert.equal(await cluster.ok('exec', 'steady', '--', 'echo', 'alive'), 'alive\n');
  const still = pods.get('steady')!;
  assert.deepEqual(containerOf(still), containerOf(steady), 'nothing about it has changed');
  await cluster.apply(podManifest('new', { containers: [idle()] }));
  await pods.running('new');
  await cluster.ok('delete', 'pod', 'steady', 'ends', 'new', '--now');
}

async function sandboxKilled(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  await cluster.apply(podManifest('rebuilt', { containers: [idle()] }));
  const before = await pods.running('rebuilt');
  const { cgroup } = nodePaths(cluster.paths, `${cluster.name}-node1`);
  const own = pidsInCgroup(`${cgroup}/kubepods/besteffort/pod${before.metadata.uid}`);
  const pause = own.find((pid) => /catatonit|pause/.test(commandOf(pid)));
  assert.ok(pause !== undefined, own.map(commandOf).join('\n'));
  kill(pause);
  const after = await pods.reaches(
    'rebuilt',
    'running again',
    (pod) => isReady(pod) && containerOf(pod)?.restartCount === 1,
  );
  assert.equal(after.metadata.uid, before.metadata.uid);
  assert.notEqual(after.status?.podIP, before.status?.podIP);
  assert.notEqual(containerOf(after)?.containerID, containerOf(before)?.containerID);
  await pods.told('rebuilt', /^Normal SandboxChanged Pod sandbox changed, it will be killed and re-created\.$/);
  await cluster.ok('delete', 'pod', 'rebuilt', '--now');
}

test('failures: a full disk refuses writes clearly, and goes on when there is space', { timeout: 120_000 }, fullDisk);

async function fullDisk(t: TestContext): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-e2e-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // Disposed of last to first: the cluster lets go of the disk before that is unmounted.
  using _disk = smallDisk(folder, '96m');
  await using cluster = E2eCluster.reserve('e2e-full-disk', folder);
  await cluster.up('--runtime', 'simulated');
  const create = (name: string, size: number): ReturnType<E2eCluster['kubectl']> =>
    cluster.kubectl('create', 'configmap', name, `--from-literal=a=${'x'.repeat(size)}`);
  const acknowledged: string[] = [];
  for (let n = 0; n < 5; n++) {
    assert.equal((await create(`before-${n}`, 1000)).code, 0);
    acknowledged.push(`configmap/before-${n}`);
  }
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - 64 * 1024, 1));
  let refused = { code: 0, stderr: '', stdout: '' };
  for (let n = 0; n < 100 && refused.code === 0; n++) {
    refused = await create(`during-${n}`, 60_000);
    if (refused.code === 0) acknowledged.push(`configmap/during-${n}`);
  }
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /nothing was written, the disk is full: .*no space left on the disk/);
  assert.equal(await cluster.ok('get', '--raw', '/livez'), 'ok');
  const missing = async (): Promise<readonly string[]> => {
    const kept = (await cluster.ok('get', 'configmaps', '-o', 'name')).trim().split('\n');
    return acknowledged.filter((name) => !kept.includes(name));
  };
  assert.deepEqual(await missing(), []);
  rmSync(ballast);
  const again = (): ReturnType<E2eCluster['kubectl']> => create('after', 1000);
  await until('it goes on', again, ({ code }) => code === 0, 15_000);
  assert.deepEqual(await missing(), []);
}
