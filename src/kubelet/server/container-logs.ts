import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
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

const BLOCK = 65_536;
/** inotify tells of every write; this is for file systems where it does not, and to notice that the container ended. */
const LOOK_MS = 1000;

/**
 * The text of a container's log, in chunks. With `follow` it goes on until `alive` says that the container has ended and
 * everything it wrote has been read, or `signal` aborts, upon which it just ends. A log that does not exist is empty.
 */
export async function* containerLogs(
  path: string,
  options: LogOptions,
  { clock, alive }: { readonly clock: Clock; readonly alive: (signal: AbortSignal) => Promise<boolean> },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return;
  await using _closing = { [Symbol.asyncDispose]: () => file.close() };
  const changed = new Signal();
  const watcher = options.follow ? watch(path, { persistent: false }, () => changed.raise()) : undefined;
  using _watching = { [Symbol.dispose]: () => watcher?.close() };
  const writer = new LogWriter(options);
  let position = options.tailLines === undefined ? 0 : await startOfTail(file, options.tailLines);
  for (;;) {
    // Asked before reading: what was written before the end is then certainly read.
    const more = options.follow && (await alive(signal));
    for (let chunk = await readAt(file, position); chunk.length > 0; chunk = await readAt(file, position)) {
      position += chunk.length;
      const text = writer.write(chunk);
      if (text.length > 0) yield text;
      if (writer.full || signal.aborted) return;
    }
    if (!more) return;
    await changed.wait(clock, clock.now() + LOOK_MS, signal).catch(() => {});
    if (signal.aborted) return;
  }
}

/** Turns log lines into what the reader wants to see of them. */
class LogWriter {
  readonly #options: LogOptions;
  readonly #cutter = new LineCutter();
  #left: number;

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
      const text = this.#options.timestamps ? concat(Buffer.from(`${line.time} `), line.text) : line.text;
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

async function readAt(file: FileHandle, position: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(BLOCK), 0, BLOCK, position);
  return buffer.subarray(0, bytesRead);
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
