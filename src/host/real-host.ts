import type { Clock } from '#lib/clock.ts';
import { CgroupDirectories, machineCgroups } from '#host/cgroups.ts';
import type { NodePaths } from '#host/data-dir.ts';
import { hostNames } from '#host/host-names.ts';
import type { Host } from '#host/host.ts';
import { diskUsage, machineFacts } from '#host/machine.ts';
import { realMounts } from '#host/mounts.ts';

/** This machine, as root. Throws when it has no cgroups. */
export function realHost(node: NodePaths, clock: Clock): Host {
  return {
    machine: machineFacts(),
    cgroups: new CgroupDirectories(machineCgroups(), node.cgroup, clock),
    mounts: realMounts,
    names: hostNames,
    disk: diskUsage,
  };
}
