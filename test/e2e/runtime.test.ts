/** Other runtimes than peapod's own containerd: one that somebody else runs, one that is not there, the simulated one. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { E2eCluster, examples, peapod } from '#test/e2e/support/cluster.ts';
import { containerOf, idle, podManifest, PodWatch } from '#test/e2e/support/pod-watch.ts';
import { PrivateContainerd, whyNot } from '#test/integration/cri-private-containerd.ts';

test('runtime: a containerd that somebody else runs, and uses', { timeout: 120_000, skip: whyNot }, async () => {
  await using containerd = await PrivateContainerd.start();
  await using runtime = containerd.connect();
  const foreign = await foreignSandbox(containerd, runtime);
  {
    await using cluster = await E2eCluster.start('e2e-socket', '--runtime', `unix://${containerd.socket}`);
    await using pods = await PodWatch.on(cluster);
    const node = await cluster.get<Node>('node', `${cluster.name}-node1`);
    assert.match(node.status?.nodeInfo?.containerRuntimeVersion ?? '', /^containerd:\/\//);
    const status = await peapod(['status', ...cluster.global, '-o', 'json']);
    assert.ok(status.stdout.includes(containerd.socket), status.stdout);
    await cluster.apply(podManifest('guest', { containers: [idle('a'), idle('b')] }));
    const pod = await pods.running('guest');
    assert.match(pod.status?.podIP ?? '', /^10\.231\./, 'its address comes from the runtime’s own network');
    assert.equal(await cluster.ok('exec', 'guest', '-c', 'a', '--', 'echo', 'hello'), 'hello\n');
    await cluster.ok('exec', 'guest', '-c', 'b', '--', 'sh', '-c', 'echo heard > /proc/1/fd/1');
    assert.equal(await cluster.ok('logs', 'guest', '-c', 'b'), 'heard\n');
    await cluster.apply(podManifest('goes', { containers: [idle()] }));
    await pods.running('goes');
    await cluster.ok('delete', 'pod', 'goes', '--now');
    assert.deepEqual(await sandboxNames(runtime), ['guest', 'somebody-elses']);
    // Adopted by the next one, as with a containerd of its own.
    process.kill(await cluster.pid(), 'SIGKILL');
    await cluster.up('--runtime', `unix://${containerd.socket}`);
    const again = await pods.running('guest');
    assert.deepEqual(containerOf(again, 'a'), containerOf(pod, 'a'));
  }
  assert.deepEqual(await sandboxNames(runtime), ['somebody-elses'], 'what is not ours is left alone');
  const left = await runtime.sandboxes.status(foreign, AbortSignal.timeout(5000));
  assert.equal(left?.state, 'ready');
});

/** As another kubelet would make it: with a pod's labels, but not our mark. */
const foreignSandbox = (
  { dir, cgroup }: PrivateContainerd,
  { sandboxes }: ContainerRuntime,
): ReturnType<ContainerRuntime['sandboxes']['run']> =>
  sandboxes.run(
    {
      metadata: { name: 'somebody-elses', uid: 'another-uid', namespace: 'default', attempt: 0 },
      hostname: 'somebody-elses',
      logDirectory: join(dir, 'logs-of-another'),
      labels: {
        'io.kubernetes.pod.name': 'somebody-elses',
        'io.kubernetes.pod.namespace': 'default',
        'io.kubernetes.pod.uid': 'another-uid',
      },
      annotations: {},
      linux: {
        cgroupParent: `${cgroup}/another`,
        securityContext: { namespaceOptions: { network: 'pod', pid: 'container', ipc: 'pod' } },
      },
    },
    AbortSignal.timeout(20_000),
  );

const sandboxNames = async ({ sandboxes }: ContainerRuntime): Promise<readonly string[]> =>
  (await sandboxes.list({}, AbortSignal.timeout(5000))).map(({ metadata }) => metadata.name).toSorted();

test('runtime: a socket that nobody listens on is said', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-e2e-deaf-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await using cluster = E2eCluster.reserve('e2e-deaf');
  const socket = join(folder, 'nobody.sock');
  for (const detach of [['--detach'], []]) {
    const { code, stderr, stdout } = await peapod([...cluster.upArguments, '--runtime', `unix://${socket}`, ...detach]);
    assert.equal(code, 1, stdout);
    const said = `peapod: no container runtime answers on ${socket}: start it, or choose another with --runtime`;
    assert.ok(stderr.startsWith(said), stderr);
    assert.equal(stderr.trim().split('\n').length, 1, 'one line');
  }
});

test('runtime: simulated containers need no more than Node', { timeout: 120_000 }, async () => {
  await using cluster = await E2eCluster.start('e2e-simulated', '--runtime', 'simulated');
  await using pods = await PodWatch.on(cluster);
  const [name, ready] = (await cluster.ok('get', 'nodes', '--no-headers')).split(/\s+/);
  assert.deepEqual([name, ready], [`${cluster.name}-node1`, 'Ready']);
  const node = await cluster.get<Node>('node', name!);
  assert.match(node.status?.nodeInfo?.containerRuntimeVersion ?? '', /simulated/, 'it does not pretend');
  for (const pod of ['one', 'two']) await cluster.apply(podManifest(pod, { containers: [idle('a'), idle('b')] }));
  const [one, two] = [await pods.running('one'), await pods.running('two')];
  assert.notEqual(one.status?.podIP, two.status?.podIP);
  assert.match(await cluster.ok('get', 'pod', 'one', '--no-headers'), /^one +2\/2 +Running +0 /);
  await rehearsal(cluster);
  const { children, shims, mounts, links, cgroups } = await cluster.remains();
  assert.deepEqual(
    { children, shims, mounts, links, cgroups },
    { children: [], shims: [], mounts: [], links: [], cgroups: [] },
  );
  assert.ok(!existsSync(`/sys/class/net/pea${cluster.paths.hash}`));
  await cluster.ok('delete', 'pod', 'one', '--now');
});

/** examples/simulated.yaml does what docs/simulated.md says. */
async function rehearsal(cluster: E2eCluster): Promise<void> {
  await cluster.ok('apply', '-f', join(examples, 'simulated.yaml'));
  await cluster.ok('wait', '-n', 'rehearsal', '--for=condition=Ready', 'pod', '--all', '--timeout=50s');
  const log = (...args: readonly string[]): Promise<string> => cluster.ok('logs', '-n', 'rehearsal', ...args);
  assert.match(await log('web', '-c', 'web'), /^reading the catalogue\nready for customers\n/);
  assert.match(await log('web', '-c', 'web', '--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z \w/);
  assert.equal(await log('web', '-c', 'logger'), 'no place to send logs to, keeping them\n');
  assert.equal(await log('worker', '--previous'), 'looking for the database\n');
  const { status } = await cluster.get<Pod>('pod', '-n', 'rehearsal', 'worker');
  const { restartCount, lastState } = status!.containerStatuses![0]!;
  assert.deepEqual([restartCount, lastState?.terminated?.message], [2, 'database: connection refused']);
  const refused = await cluster.kubectl('exec', '-n', 'rehearsal', 'worker', '--', 'ls');
  assert.match(refused.stderr, /the simulated runtime runs no processes: exec is not possible/);
}
