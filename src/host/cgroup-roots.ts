/** Which cgroup hierarchies this machine has, and how limits are written on them. Pure. */
import type { CgroupLimits } from '#host/host.ts';
import type { MountLine } from '#host/mountinfo.ts';

export interface CgroupRoot {
  readonly path: string;
  readonly version: 1 | 2;
  /** v1 only: which controllers this hierarchy has; v2 says so itself in cgroup.controllers. */
  readonly controllers: readonly string[];
}

export interface CgroupRoots {
  /** 1 also on hybrid hosts: there the v2 hierarchy has no controllers, but the runtime makes directories in it. */
  readonly version: 1 | 2;
  readonly roots: readonly CgroupRoot[];
}

export interface LimitFile {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** undefined when no hierarchy is mounted. */
export function findCgroupRoots(mounts: readonly MountLine[]): CgroupRoots | undefined {
  const roots = new Map<string, CgroupRoot>();
  for (const { device, fsType, mountPoint, superOptions } of mounts) {
    const version = fsType === 'cgroup' ? 1 : fsType === 'cgroup2' ? 2 : undefined;
    // The same hierarchy may be mounted in several places; one is enough.
    if (version === undefined || roots.has(device)) continue;
    const controllers = version === 1 ? superOptions.filter((option) => knownControllers.has(option)) : [];
    roots.set(device, { path: mountPoint, version, controllers });
  }
  if (roots.size === 0) return undefined;
  const all = [...roots.values()];
  return { version: all.some((root) => root.controllers.length > 0) ? 1 : 2, roots: all };
}

/** Every value is written, also "no limit": an update must be able to take one back. */
export function limitFiles(version: 1 | 2, limits: CgroupLimits): readonly LimitFile[] {
  return version === 1 ? limitFilesV1(limits) : limitFilesV2(limits);
}

const CPU_PERIOD_US = 100_000;
// The kernel's bounds of cpu.shares; Kubernetes gives 2 to a pod without requests.
const MIN_SHARES = 2;
const MAX_SHARES = 262_144;

function limitFilesV1({ cpuShares, cpuQuotaUs, memoryBytes, pids }: CgroupLimits): readonly LimitFile[] {
  return [
    { controller: 'cpu', file: 'cpu.shares', value: `${clampShares(cpuShares)}` },
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: `${CPU_PERIOD_US}` },
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: `${cpuQuotaUs ?? -1}` },
    { controller: 'memory', file: 'memory.limit_in_bytes', value: `${memoryBytes ?? -1}` },
    { controller: 'pids', file: 'pids.max', value: `${pids ?? 'max'}` },
  ];
}

function limitFilesV2({ cpuShares, cpuQuotaUs, memoryBytes, pids }: CgroupLimits): readonly LimitFile[] {
  return [
    { controller: 'cpu', file: 'cpu.weight', value: `${cpuWeight(clampShares(cpuShares))}` },
    { controller: 'cpu', file: 'cpu.max', value: `${cpuQuotaUs ?? 'max'} ${CPU_PERIOD_US}` },
    { controller: 'memory', file: 'memory.max', value: `${memoryBytes ?? 'max'}` },
    { controller: 'pids', file: 'pids.max', value: `${pids ?? 'max'}` },
  ];
}

const clampShares = (shares: number = MIN_SHARES): number => Math.min(MAX_SHARES, Math.max(MIN_SHARES, shares));

/** [2..262144] onto [1..10000], linearly, as KEP-2254 has it and runc 1.1 does for containers: both must agree. */
export const cpuWeight = (shares: number): number => 1 + Math.floor(((shares - 2) * 9999) / 262_142);

const knownControllers: ReadonlySet<string> = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
]);
