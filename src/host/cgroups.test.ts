import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { realClock } from '#lib/clock.ts';
import { CgroupDirectories } from '#host/cgroups.ts';

const never = new AbortController().signal;
const NODE = '/peapod/test/node1';
const levels = ['', '/peapod', '/peapod/test', NODE, `${NODE}/kubepods`];
const qosLevels = [`${NODE}/kubepods/burstable`, `${NODE}/kubepods/besteffort`];
const POD = `${NODE}/kubepods/burstable/podu1`;

/** A v2 hierarchy as files: what the kernel would make with each directory stands there already. */
async function withFakeV2(
  controllers: string,
  body: (root: string, cgroups: CgroupDirectories) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'cgroup2-'));
  try {
    for (const level of [...levels, ...qosLevels, POD]) {
      mkdirSync(join(root, level), { recursive: true });
      const files = {
        'cgroup.controllers': controllers,
        'cgroup.subtree_control': '',
        'cpu.weight': '',
        'cpu.max': '',
        'memory.max': '',
        'pids.max': '',
      };
      for (const [file, text] of Object.entries(files)) writeFileSync(join(root, level, file), text);
    }
    const found = { version: 2, roots: [{ path: root, version: 2, controllers: [] }] } as const;
    await body(root, new CgroupDirectories(found, NODE, realClock));
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('cgroups v2: prepare hands the controllers down to where pods are, and no further', () =>
  withFakeV2('cpu memory pids\n', async (root, cgroups) => {
    await cgroups.prepare({ cpuShares: 2048, memoryBytes: 1 << 30 }, never);
    for (const level of levels) {
      // The kernel takes one controller at a time; a file only keeps the last one that was written at its beginning.
      assert.match(readFileSync(join(root, level, 'cgroup.subtree_control'), 'utf8'), /^\+pids/, level);
    }
    assert.equal(readFileSync(join(root, NODE, 'kubepods/memory.max'), 'utf8'), `${1 << 30}`);
    assert.equal(readFileSync(join(root, NODE, 'kubepods/besteffort/cpu.weight'), 'utf8'), '1');
  }));

test('cgroups v2: a pod gets its limits, and CRI its parent', () =>
  withFakeV2('cpu memory pids\n', async (root, cgroups) => {
    const pod = { uid: 'u1', qosClass: 'Burstable' } as const;
    const limits = { cpuShares: 1024, cpuQuotaUs: 50_000, memoryBytes: 1 << 20, pids: 9 };
    assert.equal(await cgroups.apply(pod, limits), POD);
    const value = (file: string): string => readFileSync(join(root, POD, file), 'utf8');
    assert.deepEqual(['cpu.weight', 'cpu.max', 'memory.max', 'pids.max'].map(value), [
      '39',
      '50000 100000',
      '1048576',
      '9',
    ]);
    assert.deepEqual(await cgroups.list(), [pod]);
    await cgroups.shareBurstable(262_144);
    assert.equal(readFileSync(join(root, NODE, 'kubepods/burstable/cpu.weight'), 'utf8'), '10000');
  }));

test('cgroups: a missing controller is said at once, not at the first pod', () =>
  withFakeV2('cpu pids\n', async (_, cgroups) => {
    await assert.rejects(cgroups.prepare({}, never), /cgroup controllers memory are not available \(cgroup v2\)/);
  }));

test('cgroups: a path that is not a node’s is refused, for everything below it is killed in the end', () => {
  const found = { version: 2, roots: [] } as const;
  for (const node of ['', '/', '/peapod', '/peapod/x', '/system.slice/x/y', '/peapod/x/y/z', '/peapod/x/y/..']) {
    assert.throws(() => new CgroupDirectories(found, node, realClock), /is not a node's cgroup/, node);
  }
});
