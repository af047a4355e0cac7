/** How pods are ended, and what is left of them. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { nodePaths } from '#host/data-dir.ts';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { type E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { containerOf, idle, isReady, shell, testserver } from '#test/e2e/support/pod-watch.ts';

export const endsStories: readonly Story[] = [
  ['SIGTERM first, and time to end', graceful],
  ['SIGKILL when the grace period is over', killedAfterGrace],
  ['a second delete shortens the grace period', shortened],
  ['a forced delete, and a namesake while the old one is still ending', namesake],
  ['activeDeadlineSeconds ends a pod', deadline],
  ['an ended pod keeps its logs and gives the rest back', endedPod],
];

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

async function deadline({ pods, create, remove }: Stage): Promise<void> {
  await create('late', { activeDeadlineSeconds: 3, terminationGracePeriodSeconds: 1, containers: [idle()] });
  const { status } = await pods.ended('late');
  assert.deepEqual(
    [status?.phase, status?.reason, status?.message],
    ['Failed', 'DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'],
  );
  await remove('late');
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
