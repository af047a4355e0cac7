/** Processes as /proc shows them. A pid alone names nobody for long: pid and start time together do. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the process's start: field 22 of /proc/PID/stat. */
  readonly startTicks: number;
}

export interface ProcessStat extends ProcessIdentity {
  readonly parent: number;
  /** Ended to the last thread, its files closed, and only waiting for its parent to notice. */
  readonly zombie: boolean;
}

/** Reads a line of /proc/PID/stat. The name in parentheses may hold spaces and parentheses of its own. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [pid, parent, startTicks] = [Number.parseInt(text, 10), Number(fields[1]), Number(fields[19])];
  if (!Number.isInteger(pid) || !Number.isInteger(parent) || !Number.isInteger(startTicks)) return undefined;
  // The first thread may be over while others still hold the process's sockets and locks.
  const over = fields[0] === 'Z' || fields[0] === 'X';
  return { pid, parent, startTicks, zombie: over && Number(fields[17]) <= 1 };
}

/** undefined when there is no such process, or it is a zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const text = readProc(pid, 'stat');
  const stat = text === undefined ? undefined : parseStat(text);
  return stat && !stat.zombie ? { pid: stat.pid, startTicks: stat.startTicks } : undefined;
}

export function isAlive(process: ProcessIdentity): boolean {
  return identityOf(process.pid)?.startTicks === process.startTicks;
}

/**
 * Signals exactly this process: a recycled pid is left alone. Says whether it was there.
 * (Between the look and the kill lie microseconds; the kernel hands out a pid again only after a whole round.)
 */
export function signalProcess(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, name);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/** Every pid on the machine, as seen from this pid namespace. */
export function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The arguments a process was started with; empty for kernel threads and for processes that are gone. */
export function commandLineOf(pid: number): readonly string[] {
  return (readProc(pid, 'cmdline') ?? '').split('\0').slice(0, -1);
}

/** The environment a process was started with, as NAME=VALUE; empty when gone or not ours to read. */
export function environmentOf(pid: number): readonly string[] {
  return (readProc(pid, 'environ') ?? '').split('\0').filter((entry) => entry !== '');
}

/** The program a process runs; undefined when gone. */
export function executableOf(pid: number): string | undefined {
  try {
    // An executable that was replaced under a running process shows with this suffix.
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return undefined;
  }
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
