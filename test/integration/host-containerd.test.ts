/** Real containerd, real pods of one process each: adopted, restarted, taken down, and nothing left of them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestOptions } from 'node:test';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { runtimeIds } from '#cri/runtime-ids.ts';
import { realClock } from '#lib/clock.ts';
import { cgroupsIn, machineCgroups, pidsInCgroup } from '#host/cgroups.ts';
import { Children, type Child } from '#host/children.ts';
import { Containerd } from '#host/containerd/containerd.ts';
import { findShims } from '#host/containerd/leftovers.ts';
import { endStrayShim, strayShims } from '#host/containerd/stray-shims.ts';
import { realMounts } from '#host/mounts.ts';
import { allPids, commandLineOf, isAlive, signalProcess } from '#host/proc.ts';
import { pinnedNamespaces } from '#host/namespaces.ts';
import { run } from '#host/process.ts';
import { attachments, reservations } from '#network/ipam.ts';
import { removeLeaks } from '#network/leaks.ts';
import { nodeSweep } from '#network/node-sweep.ts';
import { remainsOf, tearDownHost } from '#network/tear-down-host.ts';
import {
  never,
  podCgroup,
  runPod,
  startCluster,
  testPaths,
  withDataDir,
  type TestCluster,
} from '#test/integration/host-cluster.ts';
import { PAUSE_IMAGE, TestCri } from '#test/integration/host-pods.ts';

const options: TestOptions = { skip: process.getuid?.() === 0 ? false : 'needs root', timeout: 120_000 };
const nothing = { children: [], shims: [], mounts: [], links: [], tables: [], cgroups: [] };

/** Everything by which a cluster could be noticed afterwards. */
async function assertNothingLeft(cluster: TestCluster, sockets: readonly string[]): Promise<void> {
  assert.deepEqual(await remainsOf(cluster.paths, realClock, never), nothing);
  assert.ok(!existsSync(cluster.paths.run), `${cluster.paths.run} is still there`);
  assert.deepEqual(reservations(cluster.node.ipam, cluster.places.network), []);
  assert.deepEqual(attachments(cluster.places.network, cluster.node.containerdState), []);
  assert.deepEqual(
    sockets.filter((socket) => existsSync(socket)),
    [],
  );
  const commandLines = allPids().map((pid) => commandLineOf(pid).join(' '));
  assert.deepEqual(
    commandLines.filter((line) => line.includes(cluster.paths.run)),
    [],
  );
}

const shimSockets = ({ node }: TestCluster): readonly string[] => {
  const sockets = findShims(node.containerdSocket).map(({ socket }) => socket);
  assert.ok(sockets.length > 0 && sockets.every((socket) => existsSync(socket)), `no such sockets: ${sockets.join()}`);
  return sockets;
};

test('a pod: the first address is .3 in both families, every pod gets a new one, down leaves nothing', options, () =>
  withDataDir(async (dataDir) => {
    const cluster = await startCluster(dataDir);
    const { paths, prefix, containerd, host } = cluster;
    using cri = new TestCri(containerd.socket);
    const first = await runPod(cluster, 'first');
    const { ready, addresses } = await cri.status(first);
    assert.ok(ready);
    assert.equal(addresses[0], `${prefix}.3`);
    if (addresses.length > 1) assert.match(addresses[1]!, /^fd00:10:2\d\d:1::3$/);
    await run('ping', ['-c1', '-W2', addresses[0]!], {}, never).catch((error: Error) => {
      if (!/not installed/.test(error.message)) throw error;
    });
    assert.deepEqual(await host.cgroups.list(), [podCgroup('first')]);

    await cri.remove(first);
    await host.cgroups.remove(podCgroup('first'), { kill: false }, never);
    assert.deepEqual(await host.cgroups.list(), []);
    assert.deepEqual(reservations(cluster.node.ipam, cluster.places.network), []);
    const second = await runPod(cluster, 'second');
    assert.equal((await cri.status(second)).addresses[0], `${prefix}.4`);

    const sockets = shimSockets(cluster);
    assert.notDeepEqual(await remainsOf(paths, realClock, never), nothing);
    await tearDownHost(paths, realClock, never);
    await assertNothingLeft(cluster, sockets);
    await tearDownHost(paths, realClock, never);

    // Down and up: the address goes on from where it was, nobody gets a dead pod's.
    const again = await startCluster(dataDir);
    using criAgain = new TestCri(again.containerd.socket);
    assert.equal((await criAgain.status(await runPod(again, 'third'))).addresses[0], `${again.prefix}.5`);
  }),
);

test('kill -9 of the parent: containerd and pods go on, the next parent adopts the very process', options, () =>
  withDataDir(async (dataDir) => {
    const killed = await killedParent(dataDir);
    const cluster = await startCluster(dataDir);
    const child = cluster.children.find(cluster.containerd.name);
    assert.equal(child?.pid, killed.containerd);
    assert.equal(child?.adopted, true);
    using cri = new TestCri(cluster.containerd.socket);
    assert.deepEqual(await cri.list(), [killed.sandbox]);
    assert.ok((await cri.status(killed.sandbox)).ready);
  }),
);

test('kill -9 of the parent and of containerd: a fresh process takes everything down', options, () =>
  withDataDir(async (dataDir) => {
    await killedParent(dataDir);
    const paths = testPaths(dataDir);
    const children = new Children(paths.children, realClock);
    const [name] = children.names();
    const daemon = children.find(name!)!;
    signalProcess(daemon, 'SIGKILL');
    await children.waitForExit(daemon, never);
    const remains = await remainsOf(paths, realClock, never);
    assert.ok(
      remains.shims.length === 1 && remains.links.length === 2 && remains.mounts.length > 0,
      JSON.stringify(remains),
    );
    await tearDownHost(paths, realClock, never);
    assert.deepEqual(await remainsOf(paths, realClock, never), nothing);
    assert.ok(!existsSync(paths.run));
  }),
);

for (const adopted of [false, true]) {
  test(
    `containerd dies${adopted ? ' after it was adopted' : ''}: it is started again, its pods never notice`,
    options,
    () =>
      withDataDir(async (dataDir) => {
        const cluster = await startCluster(dataDir);
        const sandbox = await runPod(cluster, 'goes-on');
        const { node, tools, paths } = cluster;
        const children = adopted ? new Children(paths.children, realClock) : cluster.children;
        const containerd = new Containerd(
          { node, tools, sandboxImage: PAUSE_IMAGE, certs: paths.certs },
          children,
          realClock,
        );
        const seen: Child[] = [];
        const over = new AbortController();
        const done = containerd.keepRunning({ started: (child) => seen.push(child) }, over.signal);
        try {
          await until('it is looked after', () => seen.length === 1);
          assert.equal(seen[0]!.adopted, adopted);
          signalProcess(seen[0]!, 'SIGKILL');
          await until('it is started again', () => seen.length === 2);
          await containerd.start(never);
          using cri = new TestCri(containerd.socket);
          const status = await cri.status(sandbox);
          assert.ok(status.ready);
          assert.equal(status.addresses[0], `${cluster.prefix}.3`);
          await containerd.stop(3_000, never);
          await done;
          assert.ok(!isAlive(seen[1]!));
          assert.equal(findShims(node.containerdSocket).length, 1, 'stopping the daemon stops no pod');
        } finally {
          // Otherwise, when something above fails, it would be started again behind the clean-up's back.
          over.abort();
          await done.catch(() => {});
        }
      }),
  );
}

test('leaks: what belongs to no known sandbox is given back, what does stays', options, () =>
  withDataDir(async (dataDir) => {
    const cluster = await startCluster(dataDir);
    const { node, places, prefix, containerd } = cluster;
    const [kept, lost] = [await runPod(cluster, 'kept'), await runPod(cluster, 'lost')];
    const before = pinnedNamespaces(node.containerdState);
    assert.equal(before.length, 2);
    // As after a crash that the runtime's database did not survive: it knows one of the two.
    const steps = await removeLeaks(places, new Set([kept]), never);
    assert.deepEqual(
      [...new Set(steps.map(({ kind }) => kind))],
      ['forget-attachment', 'release-address', 'remove-namespace'],
    );
    assert.deepEqual(
      [...new Set(reservations(node.ipam, places.network).map(({ containerId }) => containerId))],
      [kept],
    );
    assert.deepEqual(
      [...new Set(attachments(places.network, node.containerdState).map(({ containerId }) => containerId))],
      [kept],
    );
    assert.equal(pinnedNamespaces(node.containerdState).length, 1);
    using cri = new TestCri(containerd.socket);
    assert.equal((await cri.status(kept)).addresses[0], `${prefix}.3`);
    // The runtime copes with what was taken from under it.
    await cri.remove(lost);
    assert.deepEqual(await removeLeaks(places, new Set([kept]), never), []);
  }),
);

test('stray shims: one that no sandbox knows is ended, with all it started', options, () =>
  withDataDir(async (dataDir) => {
    const cluster = await startCluster(dataDir);
    const { node, containerd, tools } = cluster;
    const [kept, lost] = [await runPod(cluster, 'kept'), await runPod(cluster, 'lost')];
    const [shim, ...others] = strayShims(node.containerdSocket, new Set([kept]));
    assert.deepEqual([shim?.id, others], [lost, []]);
    const runc = { binary: tools.runtime, root: node.runcState };
    for (const _twice of [1, 2]) await endStrayShim(shim!, runc, realClock, never);
    assert.equal(isAlive(shim!), false);
    assert.equal(existsSync(shim!.socket), false);
    const lostCgroup = `${node.cgroup}/kubepods/besteffort/podlost`;
    assert.deepEqual(await pidsInCgroup(lostCgroup, machineCgroups()), []);
    assert.deepEqual(await cgroupsIn(lostCgroup, machineCgroups()), []);
    using cri = new TestCri(containerd.socket);
    assert.ok((await cri.status(kept)).ready);
    await cri.remove(lost);
  }),
);

test('sweep: the shim of a sandbox that is not ready any more, and the mounts of nobody, go', options, () =>
  withDataDir(async (dataDir) => {
    const { node, containerd, tools, children, places } = await startCluster(dataDir).then(async (cluster) => {
      await runPod(cluster, 'deaf');
      return cluster;
    });
    const [shim] = findShims(node.containerdSocket);
    // To whom its shim does not answer as it starts, the sandbox is dead.
    signalProcess(shim!, 'SIGSTOP');
    signalProcess(children.find(containerd.name)!, 'SIGKILL');
    await until('containerd is gone', () => children.find(containerd.name) === undefined);
    await containerd.start(never);
    signalProcess(shim!, 'SIGCONT');
    using cri = new TestCri(containerd.socket);
    assert.equal((await cri.status(shim!.id)).ready, false);
    assert.ok(isAlive(shim!));
    await using runtime = criRuntime(containerd.socket, realClock);
    const removed: string[] = [];
    const sweep = nodeSweep(
      { ...places, containerdSocket: containerd.socket, runc: { binary: tools.runtime, root: node.runcState } },
      {
        clock: realClock,
        ids: (signal) => runtimeIds(runtime, signal),
        runsEnded: async () => {},
        log: (message) => removed.push(message),
      },
    );
    assert.equal(await sweep.sweep(1000, never), true);
    const [first, ...others] = removed.splice(0);
    assert.equal(first, `removed what a crash has left: shim ${shim!.pid} of ${shim!.id}`);
    for (const other of others)
      assert.match(other, new RegExp(`^removed what a crash has left: mount .*/${shim!.id}/`));
    assert.ok(!isAlive(shim!));
    await cri.remove(shim!.id);
    assert.equal(await sweep.sweep(1000, never), false);

    // What a start that is cut off leaves mounted, of a container that nobody knows.
    const nobody = join(node.containerdState, 'io.containerd.runtime.v2.task/k8s.io', '0'.repeat(64), 'rootfs');
    await realMounts.tmpfs(nobody, {}, never);
    assert.equal(await sweep.sweep(1000, never), true);
    assert.deepEqual(removed, [`removed what a crash has left: mount ${nobody}`]);
    assert.deepEqual(await realMounts.under(nobody), []);
  }),
);

test('two clusters of one name: different ranges, and taking one down does not touch the other', options, () =>
  withDataDir((dataDirA) =>
    withDataDir(async (dataDirB) => {
      const [a, b] = [await startCluster(dataDirA), await startCluster(dataDirB)];
      assert.notEqual(a.prefix, b.prefix);
      const [, podB] = [await runPod(a, 'same-uid'), await runPod(b, 'same-uid')];
      const before = await remainsOf(b.paths, realClock, never);
      const sockets = shimSockets(a);
      await tearDownHost(a.paths, realClock, never);
      await assertNothingLeft(a, sockets);
      assert.deepEqual(await remainsOf(b.paths, realClock, never), before);
      using cri = new TestCri(b.containerd.socket);
      assert.ok((await cri.status(podB)).ready);
    }),
  ),
);

test('containerd that cannot start: its own words are in the error', options, () =>
  withDataDir(async (dataDir) => {
    const { paths, node, tools, children, containerd } = await startCluster(dataDir);
    await containerd.stop(3_000, never);
    const broken = new Containerd(
      { node: { ...node, containerd: '/proc/no' }, tools, sandboxImage: PAUSE_IMAGE, certs: paths.certs },
      children,
      realClock,
    );
    await assert.rejects(
      broken.start(never),
      /^Error: containerd ended with exit code 1 while starting: .*\/proc\/no/s,
    );
  }),
);

/** A parent that started a cluster and a pod, and was killed then. */
async function killedParent(dataDir: string): Promise<{ readonly sandbox: string; readonly containerd: number }> {
  const parent = spawn(process.execPath, [join(import.meta.dirname, 'host-cluster.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: join(import.meta.dirname, '../..'),
  });
  const exited = once(parent, 'exit');
  try {
    const said = await Promise.race([once(parent.stdout, 'data'), exited.then(() => assert.fail('the parent ended'))]);
    return JSON.parse(String(said[0]));
  } finally {
    parent.kill('SIGKILL');
    await exited;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !holds();) {
    assert.ok(Date.now() < deadline, `not within 10 s: ${what}`);
    await realClock.sleep(2, never);
  }
}
