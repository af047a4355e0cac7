import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { concat, LineCutter, type LogLine, parseLogLine } from '#kubelet/server/log-lines.ts';
import type { Clock } from '#lib/clock.ts';
import { Signal } from '#lib/signal.ts';

/** What of a log is wanted: PodLogOptions, checked and turned into numbers. */
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Lines from the end; undefined: all. */
  readonly tailLines: number | undefined;
  /** Epoch ms; older lines are left out. */
  readonly since: number | undefined;
  readonly limitBytes: number | undefined;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

const NEWLINE = 0x0a;
const BLOCK = 65_536;
/** inotify tells of every write; this is for file systems where it does not, and to notice that the container ended. */
const LOOK_MS = 1000;

/**
 * The text of a container's log, in chunks. With `follow` it goes on until `alive` says that the container has ended and
 * everything it wrote has been read, or `signal` aborts, upon which it just ends; when the log is put aside it goes on in
 * the new one. A log that does not exist is empty.
 */
export async function* containerLogs(
  path: string,
  options: LogOptions,
  { clock, alive }: { readonly clock: Clock; readonly alive: (signal: AbortSignal) => Promise<boolean> },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const first = await OpenLog.at(path, options.follow);
  if (first === undefined) return;
  let log: OpenLog = first;
  const writer = new LogWriter(options);
  try {
    if (options.tailLines !== undefined) log.position = await startOfTail(log.file, options.tailLines);
    for (;;) {
      // Both asked before reading: what was written before the end, or before the new log was begun, is then certainly read.
      const more = options.follow && (await alive(signal));
      const putAside = options.follow && (await log.isPutAside());
      for (let chunk = await log.read(); chunk.length > 0; chunk = await log.read()) {
        const text = writer.write(chunk);
        if (text.length > 0) yield text;
        if (writer.full || signal.aborted) return;
      }
      const next = putAside ? await OpenLog.at(path, true) : undefined;
      if (next !== undefined) {
        await log[Symbol.asyncDispose]();
        log = next;
        continue;
      }
      if (!more) return;
      await log.changed.wait(clock, clock.now() + LOOK_MS, signal).catch(() => {});
      if (signal.aborted) return;
    }
  } finally {
    await log[Symbol.asyncDispose]();
  }
}

/** One file of a log, as far as it was read. */
class OpenLog implements AsyncDisposable {
  readonly file: FileHandle;
  readonly changed = new Signal();
  position = 0;
  readonly #path: string;
  readonly #watcher: FSWatcher | undefined;

  private constructor(path: string, file: FileHandle, watching: boolean) {
    this.#path = path;
    this.file = file;
    // Of the file, whatever its name is now.
    this.#watcher = watching ? watch(path, { persistent: false }, () => this.changed.raise()) : undefined;
    this.#watcher?.on('error', () => {});
  }

  /** undefined when there is none. */
  static async at(path: string, watching: boolean): Promise<OpenLog | undefined> {
    const file = await open(path, 'r').catch(absent);
    if (file === undefined) return undefined;
    try {
      return new OpenLog(path, file, watching);
    } catch (error) {
      await file.close();
      // Put aside in this very moment: there is nothing to watch yet.
      return absent(error as NodeJS.ErrnoException);
    }
  }

  async read(): Promise<Uint8Array> {
    const { bytesRead, buffer } = await this.file.read(Buffer.allocUnsafe(BLOCK), 0, BLOCK, this.position);
    this.position += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** Another has taken its place. */
  async isPutAside(): Promise<boolean> {
    const [own, there] = await Promise.all([this.file.stat(), stat(this.#path).catch(absent)]);
    return there !== undefined && there.ino !== own.ino;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher?.close();
    await this.file.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Turns log lines into what the reader wants to see of them. */
class LogWriter {
  readonly #options: LogOptions;
  readonly #cutter = new LineCutter();
  #left: number;
  /** The last piece did not end its line: what follows belongs to it, and has no time of its own. */
  #within = false;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Infinity;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  write(chunk: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (const bytes of this.#cutter.push(chunk)) {
      const line = parseLogLine(bytes);
      if (line === undefined || !this.#wanted(line)) continue;
      const timed = this.#options.timestamps && !this.#within;
      const text = timed ? concat(Buffer.from(`${line.time} `), line.text) : line.text;
      this.#within = line.text.at(-1) !== NEWLINE;
      const cut = text.length > this.#left ? text.subarray(0, this.#left) : text;
      this.#left -= cut.length;
      parts.push(cut);
      if (this.full) break;
    }
    return Buffer.concat(parts);
  }

  #wanted({ stream, time }: LogLine): boolean {
    const { since, stream: wanted } = this.#options;
    if (wanted !== 'All' && wanted.toLowerCase() !== stream) return false;
    return since === undefined || Date.parse(time) >= since;
  }
}

/** Where the last `count` lines begin: read backwards, so that a long log costs what its tail costs. */
async function startOfTail(file: FileHandle, count: number): Promise<number> {
  let end = (await file.stat()).size;
  if (count === 0) return end;
  // The newline that ends the last line does not begin another.
  let missing = count + 1;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] === 0x0a && --missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
