/**
 * Long-lived children: containerd, the registry. They outlive their parent on purpose: a crash of peapod must not stop
 * containers, and Ctrl-C reaches a whole process group, so each child leads a session of its own and writes to a file.
 * RUN/children/NAME.json says which process is which child; the next parent finds it there and adopts it. A parent
 * that dies between starting a child and writing that down leaves the word `starting`: only then all of /proc is
 * searched for the mark that every child carries in its environment.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { basename } from 'node:path';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import {
  findMarked,
  MARK,
  markOf,
  readChildRecord,
  recordedChildren,
  removeChildRecord,
  writeChildRecord,
} from '#host/child-records.ts';
import { privateDirectory } from '#host/data-dir.ts';
import { boundLogFile } from '#host/log-file.ts';
import { bootId } from '#host/machine.ts';
import { identityOf, isAlive, signalProcess, type ProcessIdentity } from '#host/proc.ts';

export interface ChildSpec {
  /** Unique within the cluster; the record's file name. */
  readonly name: string;
  /** An absolute path. It may `exec` another program, but must not fork and leave. */
  readonly command: string;
  readonly args: readonly string[];
  /** The name of the program it ends up running, where `command` is a wrapper that `exec`s. */
  readonly program?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface Child extends ProcessIdentity {
  readonly name: string;
  /** Found running, not started by this process. */
  readonly adopted: boolean;
}

export type ChildExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  /** An adopted child is not ours to wait for: how it ended is not known. */
  | { readonly kind: 'gone' };

export interface ChildWatcher {
  /** Resolves when it may be started, or adopted, (again). Absent: at any time. */
  mayStart?(signal: AbortSignal): Promise<void>;
  started?(child: Child): void;
  /** It will be started again after `delayMs`. */
  ended?(child: Child, exit: ChildExit, delayMs: number): void;
  /** It could not be started; it will be tried again after `delayMs`. */
  failed?(error: unknown, delayMs: number): void;
}

// The first restart is at once: pods wait for it. A child that keeps dying is not worth a core.
const restarts: BackoffPolicy = { baseMs: 100, factor: 2, maxMs: 10_000 };
const STABLE_MS = 10_000;
// Adopted children are looked at this often: one read of a small /proc file, 0.05% of a core.
const POLL_MS = 50;
const STOP_POLL_MS = 5;
const LOG_CHECK_MS = 10_000;
const MAX_LOG_BYTES = 10 << 20;
const KILL_WAIT_MS = 5_000;

export class Children {
  readonly #directory: string;
  readonly #clock: Clock;
  /** The latest process of each name that this process started: how it ended is known even after the fact. */
  readonly #own = new Map<string, ProcessIdentity & { readonly exited: Promise<ChildExit> }>();
  readonly #starting = new Map<string, Promise<Child>>();
  readonly #supervised = new Map<string, { readonly stopped: AbortController; readonly done: Promise<void> }>();

  /** `directory` is the cluster's RUN/children. */
  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** The running child of that name, whoever started it. */
  find(name: string): Child | undefined {
    const record = readChildRecord(this.#directory, name);
    if (record === undefined || record.bootId !== bootId()) return undefined;
    if (record.process === undefined) {
      const found = findMarked(markOf(this.#directory, name), record.program);
      return found && { name, ...found, adopted: true };
    }
    const adopted = !isSame(this.#own.get(name), record.process);
    return isAlive(record.process) ? { name, ...record.process, adopted } : undefined;
  }

  /** Names of all children ever recorded and not yet stopped, running or not. */
  names(): readonly string[] {
    return recordedChildren(this.#directory);
  }

  /** The running child if there is one, with whatever arguments it was started; else a new one. Throws if it cannot be run. */
  async startOrAdopt(spec: ChildSpec): Promise<Child> {
    const found = this.#starting.get(spec.name) ?? this.find(spec.name);
    if (found) return found;
    const starting = this.#start(spec).finally(() => this.#starting.delete(spec.name));
    this.#starting.set(spec.name, starting);
    return starting;
  }

  /** Resolves when the child has ended; rejects with the signal's reason when cancelled, leaving the child alone. */
  async waitForExit(child: Child, signal: AbortSignal): Promise<ChildExit> {
    const own = this.#own.get(child.name);
    if (own && isSame(own, child)) return orAborted(own.exited, signal);
    while (isAlive(child)) await this.#clock.sleep(POLL_MS, signal);
    return { kind: 'gone' };
  }

  /**
   * Starts or adopts the child and starts it again whenever it dies, until cancelled (then the child runs on, and this
   * rejects with the signal's reason) or stopped by `stop` (then this resolves). Keeps its log within bounds.
   */
  async keepRunning(spec: ChildSpec, watcher: ChildWatcher, signal: AbortSignal): Promise<void> {
    if (this.#supervised.has(spec.name)) throw new Error(`${spec.name} is kept running already`);
    const stopped = new AbortController();
    const both = AbortSignal.any([signal, stopped.signal]);
    const done = this.#supervise(spec, watcher, both).catch((error: unknown) => {
      if (!isCancellation(error, both)) throw error;
    });
    // Whoever stops the child waits for this without caring how it went; our caller hears of a failure.
    this.#supervised.set(spec.name, { stopped, done: done.catch(() => {}) });
    try {
      await done;
    } finally {
      this.#supervised.delete(spec.name);
    }
    signal.throwIfAborted();
  }

  /**
   * SIGTERM, then SIGKILL after `graceMs`; waits until it is gone and forgets it. Also ends `keepRunning` of that name.
   * A child that does not run is simply forgotten. When cancelled the child may be left running: call again.
   */
  async stop(name: string, graceMs: number, signal: AbortSignal): Promise<void> {
    const supervised = this.#supervised.get(name);
    supervised?.stopped.abort();
    await supervised?.done;
    await this.#starting.get(name)?.catch(() => {});
    const child = this.find(name);
    if (child) {
      signalProcess(child, 'SIGTERM');
      if (!(await this.#goneWithin(child, graceMs, signal))) signalProcess(child, 'SIGKILL');
      if (!(await this.#goneWithin(child, KILL_WAIT_MS, signal))) {
        throw new Error(`${name} (pid ${child.pid}) does not end, not even by SIGKILL`);
      }
    }
    removeChildRecord(this.#directory, name);
  }

  async #supervise(spec: ChildSpec, watcher: ChildWatcher, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ;) {
      await watcher.mayStart?.(signal);
      const startedAt = this.#clock.now();
      try {
        const child = await this.startOrAdopt(spec);
        watcher.started?.(child);
        const exit = await this.#waitBoundingLog(child, spec.logFile, signal);
        failures = this.#clock.now() - startedAt >= STABLE_MS ? 1 : failures + 1;
        watcher.ended?.(child, exit, restartDelay(failures));
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        failures++;
        watcher.failed?.(error, restartDelay(failures));
      }
      await this.#clock.sleep(restartDelay(failures), signal);
    }
  }

  async #start(spec: ChildSpec): Promise<Child> {
    privateDirectory(this.#directory);
    boundLogFile(spec.logFile, MAX_LOG_BYTES);
    const record = { bootId: bootId(), program: spec.program ?? basename(spec.command) };
    writeChildRecord(this.#directory, spec.name, record);
    const log = openSync(spec.logFile, 'a', 0o600);
    try {
      const child = spawn(spec.command, spec.args, {
        detached: true,
        cwd: '/',
        stdio: ['ignore', log, log],
        env: { ...process.env, ...spec.environment, [MARK]: markOf(this.#directory, spec.name) },
      });
      const exited = exitOf(child);
      await spawned(child, spec.command);
      child.unref();
      const pid = child.pid!;
      // It may already be over: then it has no identity, and the caller learns of it by waiting.
      const identity = identityOf(pid) ?? { pid, startTicks: 0 };
      this.#own.set(spec.name, { ...identity, exited });
      writeChildRecord(this.#directory, spec.name, { ...record, process: identity });
      return { name: spec.name, ...identity, adopted: false };
    } finally {
      closeSync(log);
    }
  }

  async #waitBoundingLog(child: Child, logFile: string, signal: AbortSignal): Promise<ChildExit> {
    const done = new AbortController();
    const bounding = this.#boundLog(logFile, AbortSignal.any([signal, done.signal]));
    try {
      return await this.waitForExit(child, signal);
    } finally {
      done.abort();
      await bounding;
    }
  }

  async #boundLog(logFile: string, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(LOG_CHECK_MS, signal);
        boundLogFile(logFile, MAX_LOG_BYTES);
      }
    } catch (error) {
      // A log that cannot be cut (a full disk) must not end the child's supervision.
      if (!signal.aborted && !(error instanceof Error && 'code' in error)) throw error;
    }
  }

  async #goneWithin(child: Child, ms: number, signal: AbortSignal): Promise<boolean> {
    for (let waited = 0; isAlive(child); waited += STOP_POLL_MS) {
      if (waited >= ms) return false;
      await this.#clock.sleep(STOP_POLL_MS, signal);
    }
    return true;
  }
}

const isSame = (a: ProcessIdentity | undefined, b: ProcessIdentity): boolean =>
  a?.pid === b.pid && a.startTicks === b.startTicks;

const restartDelay = (failures: number): number => backoffDelay(restarts, failures - 1);

function exitOf(child: ChildProcess): Promise<ChildExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, killedBy) =>
      resolve(killedBy === null ? { kind: 'exited', code: code ?? -1 } : { kind: 'killed', signal: killedBy }),
    );
  });
}

function spawned(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new Error(`cannot start ${command}`, { cause })));
  });
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
