import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isErrno } from '#host/proc.ts';

/** A kernel setting by its path under /proc/sys; undefined where the kernel has none. */
export function readSysctl(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Writes only what differs: a read-only /proc/sys is no obstacle where the host is already set up. */
export function writeSysctl(path: string, value: string): void {
  const before = readSysctl(path);
  if (before === value) return;
  try {
    writeFileSync(`/proc/sys/${path}`, value);
  } catch (cause) {
    throw new Error(`cannot set the kernel's ${path.replaceAll('/', '.')} to ${value}`, { cause });
  }
}

export function sysctlsIn(path: string): readonly string[] {
  try {
    return readdirSync(`/proc/sys/${path}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
