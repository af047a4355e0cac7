/**
 * The machine under a node, as the layers above see it.
 *
 * Everything that needs root or Linux is here, and each piece is small enough to do without: a simulated or rootless run
 * takes `simulatedHost()` instead of `realHost()` and meets the same three ports. What belongs to a cluster is always
 * found again from its paths alone (`data-dir.ts`): its children by pid and start time, its shims by the socket they
 * report to, its mounts by prefix, its cgroups, bridge, nft table and namespaces by name. Nothing is remembered in
 * memory only, so a process that has never seen the cluster can take it down (`#network/tear-down-host.ts`).
 * Every operation may be repeated: creating what exists and removing what is gone both succeed.
 * Cancelling leaves what was done so far; the next call goes on from there.
 */
import type { HostNames } from '#host/host-names.ts';
import type { DiskUsage, MachineFacts } from '#host/machine.ts';

export interface Host {
  readonly machine: MachineFacts;
  readonly cgroups: PodCgroups;
  readonly mounts: Mounts;
  readonly names: HostNames;
  /** Bytes and inodes of the filesystem that holds `path`. */
  disk(path: string): Promise<DiskUsage>;
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

export interface PodCgroup {
  /** The pod's UID as the API has it. */
  readonly uid: string;
  readonly qosClass: QosClass;
}

/** Absent means no limit. All are checked by the kernel, none here. */
export interface CgroupLimits {
  /** The v1 scale, 2..262144, 1024 a core; translated to a weight on v2. */
  readonly cpuShares?: number;
  /** Microseconds of CPU per 100 ms. */
  readonly cpuQuotaUs?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
}

/**
 * The pod cgroups of one node: NODE/kubepods[/burstable|/besteffort]/podUID under the node's own root. The runtime puts
 * containers below a pod's cgroup and removes those; the pod's own is made and removed here, in every hierarchy.
 */
export interface PodCgroups {
  /** `none`: limits are not enforced (simulated). */
  readonly version: 1 | 2 | 'none';
  /** Makes the node's root and the QoS levels, with `limits` on kubepods. Throws when a needed controller is missing. */
  prepare(limits: CgroupLimits, signal: AbortSignal): Promise<void>;
  /** The weight of all burstable pods together (the sum of their requests). */
  shareBurstable(cpuShares: number): Promise<void>;
  /** Makes the pod's cgroup or changes its limits. Returns what CRI wants as `cgroup_parent` (cgroupfs driver). */
  apply(pod: PodCgroup, limits: CgroupLimits): Promise<string>;
  /**
   * Removes the pod's cgroup once it is empty. With `kill`, processes still in it are killed; without, waits for them up
   * to five seconds and then throws, naming them.
   */
  remove(pod: PodCgroup, options: { readonly kill: boolean }, signal: AbortSignal): Promise<void>;
  /** Every pod cgroup found, in whatever hierarchy: the caller tells orphans by their UID. */
  list(): Promise<readonly PodCgroup[]>;
  /** Kills whatever is left and removes the node's root. */
  removeAll(signal: AbortSignal): Promise<void>;
}

export interface Mounts {
  /** Mounts a tmpfs; a second call on a mounted target changes nothing. `sizeBytes` absent: half of the memory. */
  tmpfs(
    target: string,
    options: { readonly sizeBytes?: number; readonly mode?: number },
    signal: AbortSignal,
  ): Promise<void>;
  bind(source: string, target: string, options: { readonly readOnly?: boolean }, signal: AbortSignal): Promise<void>;
  /** Mount points at or below `prefix`, in the order they were mounted; one that was mounted over appears twice. */
  under(prefix: string): Promise<readonly string[]>;
  /** Unmounts everything at or below `prefix`, deepest first; busy mounts are detached. */
  unmountAll(prefix: string, signal: AbortSignal): Promise<void>;
}
