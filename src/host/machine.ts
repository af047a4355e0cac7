import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, cpus, hostname } from 'node:os';

/** What a Node reports of its machine: capacity and `status.nodeInfo`. */
export interface MachineFacts {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Lower case, as upstream's kubelet registers it. */
  readonly hostname: string;
  /** Empty when the machine has none. */
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly operatingSystem: 'linux';
  /** In Go's words: amd64, arm64. */
  readonly architecture: string;
}

export interface DiskUsage {
  readonly capacityBytes: number;
  /** What an unprivileged process may still write. */
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** Reads /proc, /sys and /etc once; a few file reads, no commands. */
export function machineFacts(): MachineFacts {
  const machineId = firstLine('/etc/machine-id') || firstLine('/var/lib/dbus/machine-id');
  return {
    cpus: cpus().length,
    memoryBytes: totalMemory(readFileSync('/proc/meminfo', 'utf8')),
    hostname: hostname().trim().toLowerCase(),
    machineId,
    systemUuid: firstLine('/sys/class/dmi/id/product_uuid') || machineId,
    bootId: bootId(),
    kernelVersion: firstLine('/proc/sys/kernel/osrelease'),
    osImage: prettyName(readIfThere('/etc/os-release') || readIfThere('/usr/lib/os-release')),
    operatingSystem: 'linux',
    architecture: goArchitecture(arch()),
  };
}

/** Whether the kernel has AppArmor, and has it switched on. */
export const hasAppArmor = (): boolean =>
  existsSync('/sys/kernel/security/apparmor') && firstLine('/sys/module/apparmor/parameters/enabled').startsWith('Y');

export const bootId = (): string => firstLine('/proc/sys/kernel/random/boot_id');

export async function diskUsage(path: string): Promise<DiskUsage> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(path);
  return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree };
}

/** A capability of this process, by its number in linux/capability.h. */
export const hasCapability = (number: number): boolean =>
  effectiveCapability(readFileSync('/proc/self/status', 'utf8'), number);
export const CAP_SYS_RESOURCE = 24;

export function effectiveCapability(status: string, number: number): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) === 1n;
}

/** MemTotal of /proc/meminfo, in bytes. */
export function totalMemory(meminfo: string): number {
  const kibibytes = /^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  if (kibibytes === undefined) throw new Error('/proc/meminfo has no MemTotal');
  return Number(kibibytes) * 1024;
}

/** PRETTY_NAME of os-release, unquoted; upstream reports "Unknown" without one, and so do we. */
export function prettyName(osRelease: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(osRelease)?.[1]?.trim();
  return value?.replace(/^(["'])(.*)\1$/, '$2').replaceAll(/\\(["$`\\])/g, '$1') || 'Unknown';
}

export function goArchitecture(nodeArchitecture: string): string {
  const known: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', loong64: 'loong64' };
  return known[nodeArchitecture] ?? nodeArchitecture;
}

const firstLine = (path: string): string => readIfThere(path).split('\n')[0]!.trim();

/** Some of these files are missing in containers and on small systems, or readable by root only. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
