import { readFileSync } from 'node:fs';
import { allPids, commandLineOf } from '#host/proc.ts';

/** Of /proc/PID/stat; Linux has had 100 a second on every machine for twenty years. */
const TICKS_PER_SECOND = 100;

/** What a process has used of its processors so far, seconds; `withChildren` adds those it has waited for. */
export function cpuSeconds(pid: number, withChildren = false): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const counted = withChildren ? fields.slice(11, 15) : fields.slice(11, 13);
  return counted.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

/** Every other process that was started with one of these paths: containerd, its shims, the registry. */
export function helpersOf(paths: readonly string[], pid: number): readonly number[] {
  return allPids().filter(
    (each) =>
      each !== pid &&
      each !== process.pid &&
      commandLineOf(each).some((word) => paths.some((path) => word.includes(path))),
  );
}

/** Of a file below /proc/PID: `kilobytes(pid, 'status', 'VmRSS')`. */
export function kilobytes(pid: number, file: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
  if (!found) throw new Error(`/proc/${pid}/${file} has no ${field}`);
  return Number(found[1]);
}
