/** The kernel's own cgroups, mounts, namespaces, links and tables; Debian's registry. As root, on the machine itself. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { type TestOptions } from 'node:test';
import { realClock, type Clock } from '#lib/clock.ts';
import { Children } from '#host/children.ts';
import { findCgroupRoots, type CgroupRoots } from '#host/cgroup-roots.ts';
import { CgroupDirectories, cgroupsIn, machineCgroups, pidsInCgroup } from '#host/cgroups.ts';
import { findTool, hostFacts, usualPlaces } from '#host/containerd/tools.ts';
import { clusterPathsHere } from '#host/data-dir.ts';
import { deleteLink, listLinks } from '#host/links.ts';
import { machineFacts } from '#host/machine.ts';
import { readMountinfo } from '#host/mountinfo.ts';
import { realMounts } from '#host/mounts.ts';
import { createNetworkNamespace, pinnedNamespaces, removeNetworkNamespace } from '#host/namespaces.ts';
import { applyRuleset, deleteTable, listTables, replacingTable } from '#host/nft.ts';
import { run } from '#host/process.ts';
import { Registry } from '#host/registry.ts';

const never = new AbortController().signal;
const options: TestOptions = { skip: process.getuid?.() === 0 ? false : 'needs root', timeout: 60_000 };

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'host-machine-'));
  try {
    await body(directory);
  } finally {
    await realMounts.unmountAll(directory, never);
    rmSync(directory, { recursive: true });
  }
}

/** Five seconds of waiting in a tenth of one. */
const hasty: Clock = {
  now: () => realClock.now() * 50,
  sleep: (ms, signal) => realClock.sleep(ms / 50, signal),
  alarm: (ms, ring) => realClock.alarm(ms / 50, ring),
};

async function withCgroups(
  found: CgroupRoots,
  body: (cgroups: CgroupDirectories, node: string) => Promise<void>,
): Promise<void> {
  const scope = `host-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const node = `/peapod/${scope}/node1`;
  try {
    await body(new CgroupDirectories(found, node, hasty), node);
  } finally {
    await new CgroupDirectories(found, node, realClock).removeAll(never);
    assert.deepEqual(await cgroupsIn(`/peapod/${scope}`, found), []);
    assert.ok(found.roots.every(({ path }) => !existsSync(join(path, 'peapod', scope))));
  }
}

async function withSleeper(body: (sleeper: ChildProcess) => Promise<void>): Promise<void> {
  const sleeper = spawn('sleep', ['60']);
  const exited = once(sleeper, 'exit');
  try {
    await once(sleeper, 'spawn');
    await body(sleeper);
  } finally {
    sleeper.kill('SIGKILL');
    await exited;
  }
}

const pod = { uid: 'u1', qosClass: 'Burstable' } as const;
const enter = (found: CgroupRoots, path: string, pid: number): void => {
  for (const root of found.roots) writeFileSync(join(root.path, path, 'cgroup.procs'), String(pid));
};

test('cgroups: limits arrive in the kernel, and can be taken back', options, () =>
  withCgroups(machineCgroups(), async (cgroups) => {
    const found = machineCgroups();
    await cgroups.prepare({}, never);
    const parent = await cgroups.apply(pod, { cpuShares: 512, cpuQuotaUs: 20_000, memoryBytes: 32 << 20, pids: 12 });
    const read = (file: string): string => {
      const root = found.roots.find(({ path }) => existsSync(join(path, parent, file)));
      assert.ok(root, `no hierarchy has ${parent}/${file}`);
      return readFileSync(join(root.path, parent, file), 'utf8').trim();
    };
    const files =
      found.version === 1
        ? ['cpu.shares', 'cpu.cfs_quota_us', 'memory.limit_in_bytes', 'pids.max']
        : ['cpu.weight', 'cpu.max', 'memory.max', 'pids.max'];
    const limited =
      found.version === 1 ? ['512', '20000', `${32 << 20}`, '12'] : ['20', '20000 100000', `${32 << 20}`, '12'];
    assert.deepEqual(files.map(read), limited);
    await cgroups.apply(pod, {});
    assert.deepEqual([read(files[1]!), read('pids.max')], found.version === 1 ? ['-1', 'max'] : ['max 100000', 'max']);
  }),
);

test('cgroups: one with a process in it is not removed but by force, which ends the process', options, () =>
  withCgroups(machineCgroups(), async (cgroups, node) =>
    withSleeper(async (sleeper) => {
      const found = machineCgroups();
      await cgroups.prepare({}, never);
      const parent = await cgroups.apply(pod, {});
      enter(found, parent, sleeper.pid!);
      assert.deepEqual(await pidsInCgroup(node, found), [sleeper.pid]);
      await assert.rejects(
        cgroups.remove(pod, { kill: false }, never),
        new RegExp(`still in it are ${sleeper.pid} \\(sleep\\)`),
      );
      assert.deepEqual(await cgroups.list(), [pod]);
      const exited = once(sleeper, 'exit');
      await cgroups.remove(pod, { kill: true }, never);
      assert.deepEqual(await exited, [null, 'SIGKILL']);
      assert.deepEqual(await cgroups.list(), []);
      await cgroups.remove(pod, { kill: true }, never);
    }),
  ),
);

const unified = findCgroupRoots(readMountinfo().filter(({ fsType }) => fsType === 'cgroup2'));
test(
  'cgroups v2: made, listed, emptied and removed in the unified hierarchy',
  { ...options, skip: options.skip || !unified },
  () =>
    withCgroups(unified!, async (cgroups, node) =>
      withSleeper(async (sleeper) => {
        const [root] = unified!.roots;
        // `prepare` wants controllers, which the unified hierarchy of a hybrid machine does not have.
        mkdirSync(join(root!.path, node, 'kubepods/burstable'), { recursive: true });
        const parent = await cgroups.apply(pod, {});
        enter(unified!, parent, sleeper.pid!);
        assert.deepEqual(await cgroups.list(), [pod]);
        const exited = once(sleeper, 'exit');
        await cgroups.remove(pod, { kill: true }, never);
        assert.deepEqual(await exited, [null, 'SIGKILL']);
        assert.deepEqual(await cgroups.list(), []);
      }),
    ),
);

test('mounts: a tmpfs of a size, binds, names with spaces; unmounted deepest first, busy or not', options, () =>
  withDirectory(async (directory) => {
    const [memory, inner, bound] = [join(directory, 'a b'), join(directory, 'a b/inner'), join(directory, 'bound')];
    await realMounts.tmpfs(memory, { sizeBytes: 1 << 20, mode: 0o777 }, never);
    await realMounts.tmpfs(memory, { sizeBytes: 1 << 20 }, never);
    assert.throws(() => writeFileSync(join(memory, 'big'), Buffer.alloc(2 << 20)), /ENOSPC/);
    mkdirSync(inner);
    await realMounts.tmpfs(inner, {}, never);
    mkdirSync(bound);
    await realMounts.bind(memory, bound, { readOnly: true }, never);
    assert.throws(() => writeFileSync(join(bound, 'x'), ''), /EROFS/);
    // The read-only bind is not recursive: the mount inside is not part of it.
    assert.deepEqual(await realMounts.under(directory), [memory, inner, bound]);
    assert.deepEqual(await realMounts.under(join(directory, 'a')), []);
    const busy = spawn('sleep', ['60'], { cwd: inner });
    try {
      await once(busy, 'spawn');
      await realMounts.unmountAll(directory, never);
      assert.deepEqual(await realMounts.under(directory), []);
    } finally {
      busy.kill('SIGKILL');
      await once(busy, 'exit');
    }
    await realMounts.unmountAll(directory, never);
  }),
);

test('mounts: one over another in the same place', options, () =>
  withDirectory(async (directory) => {
    for (const _ of [1, 2]) await run('mount', ['-t', 'tmpfs', 'tmpfs', directory], {}, never);
    assert.deepEqual(await realMounts.under(directory), [directory, directory]);
    await realMounts.unmountAll(directory, never);
    assert.deepEqual(await realMounts.under(directory), []);
  }),
);

test('network namespaces: pinned, found, links in them listed and deleted, removed twice', options, () =>
  withDirectory(async (directory) => {
    const file = join(directory, 'netns/one');
    await createNetworkNamespace(file, never);
    await createNetworkNamespace(file, never);
    assert.deepEqual(pinnedNamespaces(directory), [file]);
    const lo = await run('nsenter', [`--net=${file}`, 'ip', '-j', 'link', 'show', 'lo'], {}, never);
    assert.match(lo, /"UP"/);
    // Links of our own namespace: this one exists for a moment, under a name nobody else has.
    const name = `pt${process.pid}`;
    await run('ip', ['link', 'add', name, 'type', 'bridge'], {}, never);
    try {
      assert.equal((await listLinks(never)).find((link) => link.name === name)?.kind, 'bridge');
    } finally {
      await deleteLink(name, never);
    }
    await deleteLink(name, never);
    assert.equal(
      (await listLinks(never)).find((link) => link.name === name),
      undefined,
    );
    await removeNetworkNamespace(file, never);
    await removeNetworkNamespace(file, never);
    assert.deepEqual(pinnedNamespaces(directory), []);
    assert.ok(!existsSync(file));
  }),
);

test('nft: a table is replaced as a whole or not at all, and deleted twice', options, async () => {
  const table = { family: 'inet', name: `peapod-test-${process.pid}` };
  const there = async (): Promise<boolean> => (await listTables(never)).some(({ name }) => name === table.name);
  const text = (): Promise<string> => run('nft', ['list', 'table', table.family, table.name], {}, never);
  try {
    await applyRuleset(replacingTable(table, 'chain one { }'), never);
    await applyRuleset(replacingTable(table, 'chain two { }'), never);
    assert.match(await text(), /chain two/);
    assert.doesNotMatch(await text(), /chain one/);
    await assert.rejects(applyRuleset(replacingTable(table, 'chain three { nonsense }'), never), /syntax error/);
    assert.match(await text(), /chain two/);
  } finally {
    await deleteTable(table, never);
  }
  assert.equal(await there(), false);
  await deleteTable(table, never);
});

test('machine: facts of this one', options, () => {
  const facts = machineFacts();
  assert.ok(facts.cpus >= 1 && facts.memoryBytes > 2 ** 27);
  assert.match(facts.bootId, /^[0-9a-f-]{36}$/);
  assert.match(facts.kernelVersion, /^\d+\.\d+/);
  assert.equal(typeof hostFacts().mayLowerOomScore, 'boolean');
});

test('registry: adopted, the same port at every start, another when it is taken, and pulls work', options, () =>
  withDirectory(async (directory) => {
    const paths = clusterPathsHere('registry-test', directory);
    const registry = (): { registry: Registry; children: Children } => {
      const children = new Children(paths.children, realClock);
      const binary = findTool('docker-registry', usualPlaces());
      return { registry: new Registry({ paths, binary, kit: undefined }, children, realClock), children };
    };
    const first = registry();
    try {
      const started = await first.registry.start(never);
      const adopted = await registry().registry.start(never);
      assert.deepEqual(adopted, { url: started.url, child: { ...started.child, adopted: true } });

      const pushed = await fetch(`${started.url}/v2/mine/app/blobs/uploads/`, { method: 'POST' });
      assert.equal(pushed.status, 202);
      await registry().registry.stop(2_000, never);
      assert.equal((await registry().registry.start(never)).url, started.url);

      await registry().registry.stop(2_000, never);
      const squatter = createServer().listen(Number(new URL(started.url).port), '127.0.0.1');
      await once(squatter, 'listening');
      try {
        assert.notEqual((await registry().registry.start(never)).url, started.url);
      } finally {
        squatter.close();
      }
    } finally {
      await registry().registry.stop(2_000, never);
      rmSync(paths.run, { recursive: true, force: true });
    }
    assert.equal(first.children.find('registry'), undefined);
    assert.ok(!existsSync(join('/run/peapod', basename(paths.run))));
  }),
);
