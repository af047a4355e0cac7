/** Requests and limits: what the scheduler makes of them, and what of them reaches the kernel. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { nodePaths } from '#host/data-dir.ts';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { conditionOf, idle, podManifest, PodWatch } from '#test/e2e/support/pod-watch.ts';

const MI = 2 ** 20;
/** The kernel's "no limit" for memory, rounded down to pages. */
const UNLIMITED = 2 ** 62;

/** Where this machine keeps a controller's files, and what they are called. */
const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
const files = v2
  ? { memory: ['', 'memory.max'] as const, cpu: ['', 'cpu.max'] as const }
  : { memory: ['memory', 'memory.limit_in_bytes'] as const, cpu: ['cpu', 'cpu.cfs_quota_us'] as const };

const numberIn = (file: string): number => {
  const first = readFileSync(file, 'utf8').trim().split(' ')[0] ?? '';
  return first === 'max' ? Infinity : Number(first);
};

test('resources', { timeout: 180_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-resources');
  await using pods = await PodWatch.on(cluster);
  await t.test('resources: requests and limits reach the kernel', () => inTheKernel(cluster, pods));
  await t.test('resources: more than any node has is said, and waits', () => tooMuch(cluster, pods));
  await t.test('resources: what did not fit starts as soon as another pod has gone', () => fitsLater(cluster, pods));
});

interface Want {
  readonly name: string;
  readonly resources: readonly object[];
  readonly qos: string;
  readonly folder: string;
  /** Of the pod; undefined: none. */
  readonly memory: number | undefined;
  readonly quota: number | undefined;
  /** Of the first container. */
  readonly container: {
    readonly shares: number;
    readonly memory: number | undefined;
    readonly quota: number | undefined;
  };
  readonly oom: (capacity: number) => number;
}

const table: readonly Want[] = [
  {
    name: 'best-effort',
    resources: [{}],
    qos: 'BestEffort',
    folder: 'kubepods/besteffort',
    memory: undefined,
    quota: undefined,
    container: { shares: 2, memory: undefined, quota: undefined },
    oom: () => 1000,
  },
  {
    name: 'burstable',
    resources: [{ requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '500m', memory: '128Mi' } }, {}],
    qos: 'Burstable',
    folder: 'kubepods/burstable',
    memory: undefined,
    quota: undefined,
    container: { shares: 102, memory: 128 * MI, quota: 50_000 },
    oom: (capacity) => Math.min(999, Math.max(2, 1000 - Math.floor((1000 * 64 * MI) / capacity))),
  },
  {
    name: 'guaranteed',
    resources: [{ limits: { cpu: '250m', memory: '96Mi' } }, { limits: { cpu: '150m', memory: '32Mi' } }],
    qos: 'Guaranteed',
    folder: 'kubepods',
    memory: 128 * MI,
    quota: 40_000,
    container: { shares: 256, memory: 96 * MI, quota: 25_000 },
    oom: () => -997,
  },
];

async function inTheKernel(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  const manifests = table.map(({ name, resources }) =>
    podManifest(name, { containers: resources.map((one, n) => idle(`c${n}`, { resources: one })) }),
  );
  for (const manifest of manifests) await cluster.apply(manifest);
  const { cgroup } = nodePaths(cluster.paths, `${cluster.name}-node1`);
  const node = await cluster.get<Node>('node', `${cluster.name}-node1`);
  const capacity = Number(/^(\d+)Ki$/.exec(node.status?.capacity?.['memory'] ?? '')?.[1]) * 1024;
  assert.ok(capacity > 0);
  const uids = new Map<string, string>();
  for (const want of table) {
    const pod = await pods.running(want.name);
    uids.set(want.name, pod.metadata.uid);
    assert.equal(pod.status?.qosClass, want.qos);
    const path = `${cgroup}/${want.folder}/pod${pod.metadata.uid}`;
    const read = (kind: 'memory' | 'cpu', below = ''): number =>
      numberIn(join('/sys/fs/cgroup', files[kind][0], path, below, files[kind][1]));
    const checkLimit = (found: number, limit: number | undefined, what: string): void => {
      if (limit === undefined) assert.ok(found < 0 || found > UNLIMITED, `${want.name}: ${what} is ${found}`);
      else assert.equal(found, limit, `${want.name}: ${what}`);
    };
    checkLimit(read('memory'), want.memory, 'memory of the pod');
    checkLimit(read('cpu'), want.quota, 'cpu quota of the pod');
    const id = containerId(pod);
    checkLimit(read('memory', id), want.container.memory, 'memory of the container');
    checkLimit(read('cpu', id), want.container.quota, 'cpu quota of the container');
    if (!v2) {
      const shares = numberIn(join('/sys/fs/cgroup/cpu', path, id, 'cpu.shares'));
      assert.equal(shares, want.container.shares, `${want.name}: cpu.shares`);
    }
    const score = await cluster.ok('exec', want.name, '-c', 'c0', '--', 'cat', '/proc/1/oom_score_adj');
    // Without CAP_SYS_RESOURCE a score cannot go below that of the process that sets it.
    const own = numberIn('/proc/self/oom_score_adj');
    assert.equal(Number(score), canLowerScores() ? want.oom(capacity) : Math.max(own, want.oom(capacity)), want.name);
  }
  await cluster.ok('delete', 'pod', '--now', ...table.map(({ name }) => name));
  const memory = join('/sys/fs/cgroup', files.memory[0], cgroup);
  for (const { name, folder } of table) {
    // The watch may hear of it later than the kubectl that waited.
    await pods.gone(name);
    const uid = uids.get(name) ?? '';
    const has = (): Promise<boolean> => Promise.resolve(existsSync(join(memory, folder, `pod${uid}`)));
    await until(`the cgroup of ${name} goes`, has, (there) => !there, 10_000);
  }
}

const containerId = ({ status }: Pod): string =>
  (status?.containerStatuses?.find(({ name }) => name === 'c0')?.containerID ?? '').replace('containerd://', '');

/** Bit 24 of the effective capabilities: SYS_RESOURCE. */
function canLowerScores(): boolean {
  const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> 24n) & 1n) === 1n;
}

async function tooMuch(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  const cases = [
    { name: 'cpu', requests: { cpu: '1000' }, want: '1 Insufficient cpu' },
    { name: 'memory', requests: { memory: '900Ti' }, want: '1 Insufficient memory' },
    { name: 'both', requests: { cpu: '1000', memory: '900Ti' }, want: '1 Insufficient cpu, 1 Insufficient memory' },
  ];
  for (const { name, requests, want } of cases) {
    await cluster.apply(podManifest(`much-${name}`, { containers: [idle('c', { resources: { requests } })] }));
    const event = await pods.told(`much-${name}`, /FailedScheduling/);
    assert.ok(event.startsWith(`Warning FailedScheduling 0/1 nodes are available: ${want}.`), event);
    const pod = await pods.reaches(
      `much-${name}`,
      'told so',
      (p) => conditionOf(p.status, 'PodScheduled') !== undefined,
    );
    const { status, reason, message } = conditionOf(pod.status, 'PodScheduled')!;
    assert.deepEqual([status, reason], ['False', 'Unschedulable']);
    assert.ok(message?.startsWith(`0/1 nodes are available: ${want}.`), `${name}: ${message}`);
    assert.equal(pod.status?.phase, 'Pending');
    assert.equal(pod.spec.nodeName, undefined);
  }
  assert.match(await cluster.ok('get', 'pod', 'much-cpu', '--no-headers'), /^much-cpu +0\/1 +Pending +0 /);
  // Nobody has to end their containers: they go at once.
  const begun = performance.now();
  await cluster.ok('delete', 'pod', 'much-cpu', 'much-memory', 'much-both');
  assert.ok(performance.now() - begun < 5000);
}

async function fitsLater(cluster: E2eCluster, pods: PodWatch): Promise<void> {
  const node = await cluster.get<Node>('node', `${cluster.name}-node1`);
  const cpus = Number(node.status?.allocatable?.['cpu']);
  const half = { requests: { cpu: `${Math.floor(cpus * 600)}m` } };
  await cluster.apply(podManifest('first', { containers: [idle('c', { resources: half })] }));
  await pods.running('first');
  await cluster.apply(podManifest('second', { containers: [idle('c', { resources: half })] }));
  await pods.told('second', /FailedScheduling 0\/1 nodes are available: 1 Insufficient cpu\./);
  await cluster.ok('delete', 'pod', 'first', '--now', '--wait=false');
  await pods.gone('first');
  const gone = performance.now();
  await pods.reaches('second', 'scheduled', ({ spec }) => spec.nodeName !== undefined, 10_000);
  // What waits is tried again every few minutes at the latest; a pod that goes makes that at once.
  assert.ok(performance.now() - gone < 3000, `it took ${performance.now() - gone} ms`);
  const running = await pods.running('second');
  const { status, reason, message } = conditionOf(running.status, 'PodScheduled') ?? {};
  assert.deepEqual([status, reason, message], ['True', undefined, undefined], 'it says no more why it had to wait');
  await until(
    'events tell both',
    () => pods.events('second'),
    (events) => events.some((event) => event.startsWith('Normal Scheduled')),
  );
  await cluster.ok('delete', 'pod', 'second', '--now');
}
