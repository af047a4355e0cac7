import { rm, mkdir, symlink } from 'node:fs/promises';
import type { CgroupLimits, Host, Mounts, PodCgroup, PodCgroups } from '#host/host.ts';
import type { HostNames } from '#host/host-names.ts';
import { isUnder } from '#host/mountinfo.ts';
import type { DiskUsage, MachineFacts } from '#host/machine.ts';

/** A machine that is only remembered: no root, no kernel. Limits are kept but not enforced; a tmpfs is a directory. */
export function simulatedHost(machine: Partial<MachineFacts> = {}, disk: Partial<DiskUsage> = {}): SimulatedHost {
  const cgroups = new RememberedCgroups();
  return {
    machine: { ...simulatedMachine, ...machine },
    cgroups,
    mounts: new RememberedMounts(),
    names: simulatedNames,
    disk: async () => ({ ...simulatedDisk, ...disk }),
  };
}

export interface SimulatedHost extends Host {
  readonly cgroups: RememberedCgroups;
}

export class RememberedCgroups implements PodCgroups {
  readonly version = 'none';
  readonly #pods = new Map<string, { readonly pod: PodCgroup; readonly limits: CgroupLimits }>();

  async prepare(): Promise<void> {}
  async shareBurstable(): Promise<void> {}

  async apply(pod: PodCgroup, limits: CgroupLimits): Promise<string> {
    this.#pods.set(keyOf(pod), { pod, limits });
    const level = { Guaranteed: '', Burstable: 'burstable/', BestEffort: 'besteffort/' }[pod.qosClass];
    return `/kubepods/${level}pod${pod.uid}`;
  }

  async remove(pod: PodCgroup): Promise<void> {
    this.#pods.delete(keyOf(pod));
  }

  async list(): Promise<readonly PodCgroup[]> {
    return [...this.#pods.values()].map(({ pod }) => pod);
  }

  async removeAll(): Promise<void> {
    this.#pods.clear();
  }

  /** What `apply` was last told, for tests. */
  limitsOf(pod: PodCgroup): CgroupLimits | undefined {
    return this.#pods.get(keyOf(pod))?.limits;
  }
}

class RememberedMounts implements Mounts {
  readonly #points: string[] = [];

  async tmpfs(target: string): Promise<void> {
    if (this.#points.includes(target)) return;
    await mkdir(target, { recursive: true });
    this.#points.push(target);
  }

  /** A symbolic link stands for the mount; `target`, which must be empty, comes back as a directory when unmounted. */
  async bind(source: string, target: string): Promise<void> {
    if (this.#points.includes(target)) return;
    await rm(target, { recursive: true, force: true });
    await symlink(source, target);
    this.#points.push(target);
  }

  async under(prefix: string): Promise<readonly string[]> {
    return this.#points.filter((point) => isUnder(point, prefix));
  }

  async unmountAll(prefix: string): Promise<void> {
    for (const point of (await this.under(prefix)).toReversed()) {
      this.#points.splice(this.#points.indexOf(point), 1);
      await rm(point, { recursive: true, force: true });
      await mkdir(point, { recursive: true });
    }
  }
}

const keyOf = (pod: PodCgroup): string => `${pod.qosClass}/${pod.uid}`;

const simulatedNames: HostNames = {
  resolvConf: async () => 'nameserver 192.0.2.53\nsearch simulated.example\n',
  hosts: async () => '127.0.0.1\tlocalhost\n',
};

const simulatedMachine: MachineFacts = {
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  hostname: 'simulated',
  machineId: '',
  systemUuid: '',
  bootId: '',
  kernelVersion: 'simulated',
  osImage: 'simulated',
  operatingSystem: 'linux',
  architecture: 'amd64',
};

const simulatedDisk: DiskUsage = {
  capacityBytes: 100 * 2 ** 30,
  availableBytes: 80 * 2 ** 30,
  inodes: 6_000_000,
  inodesFree: 5_000_000,
};
