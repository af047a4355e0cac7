import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { realClock, type Clock } from '#lib/clock.ts';
import type { Change, Reply, Request, ThreadData } from '#store/journal/journal-thread.ts';
import {
  DEFAULT_BOUNDS,
  JournalFailedError,
  type Journal,
  type JournalBounds,
  type JournalEntry,
  type KnownSubject,
  type Subject,
  type Told,
} from '#store/journal/journal.ts';

export interface SqliteJournalOptions {
  readonly clock?: Clock;
  readonly bounds?: JournalBounds;
  /** Has the file served on the port, in some thread (`serveJournal`). A thread of its own when absent. */
  readonly host?: JournalHost;
  /** Told of what could not be kept. */
  readonly onTrouble?: (error: Error) => void;
}

export type JournalHost = (data: ThreadData, port: MessagePort) => void;

/** What is appended is written together with what comes within this time: so much is lost with the process. */
const FLUSH_MS = 500;
/** The file is opened when the first entry has waited this long: while a cluster starts, others need the processor more. */
const BEGIN_MS = 1500;
/** Changes that may wait for the thread; what comes on top is dropped. */
const MOST_WAITING = 20_000;

type Unnumbered<R> = R extends unknown ? Omit<R, 'id'> : never;

/** The journal in a SQLite file, which another thread owns, from its first use on; the folder of `path` must be there. */
export class SqliteJournal implements Journal {
  readonly #data: ThreadData;
  readonly #clock: Clock;
  readonly #host: JournalHost | undefined;
  readonly #onTrouble: (error: Error) => void;
  readonly #pending = new Map<number, PromiseWithResolvers<Reply>>();
  readonly #closing = new AbortController();
  #port: MessagePort | undefined;
  #toldTrouble = '';
  #waiting: Change[] = [];
  #flushPlanned = false;
  #dropped = 0;
  #lastId = 0;
  #failure: JournalFailedError | undefined;
  #closed: Promise<void> | undefined;

  constructor(path: string, options: SqliteJournalOptions = {}) {
    const { clock = realClock, bounds = DEFAULT_BOUNDS, host, onTrouble } = options;
    this.#host = host;
    this.#data = { path, bounds };
    this.#clock = clock;
    this.#onTrouble = onTrouble ?? (() => {});
  }

  append(subject: Subject, entries: readonly JournalEntry[]): void {
    if (entries.length > 0) this.#change({ kind: 'append', subject, entries });
  }

  end(uid: string, at: number): void {
    this.#change({ kind: 'end', uid, at });
  }

  async read(uid: string): Promise<Told | undefined> {
    const reply = await this.#askAfterFlush({ kind: 'read', uid });
    return reply.kind === 'told' ? reply.told : undefined;
  }

  async find(prefix: string): Promise<readonly KnownSubject[]> {
    const reply = await this.#askAfterFlush({ kind: 'find', prefix });
    return reply.kind === 'found' ? reply.found : [];
  }

  tidy(): void {
    if (this.#closed || this.#failure || this.#port === undefined) return;
    this.#send([]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closing.abort(new JournalFailedError('the journal is closed'));
    if (this.#waiting.length > 0) this.#flush();
    if (this.#port === undefined) return;
    await this.#ask({ kind: 'close' }).catch(() => {});
    this.#port.close();
  }

  #change(change: Change): void {
    if (this.#closed || this.#failure) return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(change);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    const wait = this.#port === undefined ? BEGIN_MS : FLUSH_MS;
    this.#clock.sleep(wait, this.#closing.signal).then(
      () => this.#flush(),
      () => {},
    );
  }

  #flush(): void {
    this.#flushPlanned = false;
    if (this.#waiting.length === 0) return;
    const changes = this.#waiting;
    this.#waiting = [];
    this.#send(changes);
    if (this.#dropped === 0) return;
    this.#onTrouble(new JournalFailedError(`the journal is too slow: ${this.#dropped} entries were dropped`));
    this.#dropped = 0;
  }

  #send(changes: readonly Change[]): void {
    this.#ask({ kind: 'changes', changes, now: this.#clock.now() }).then(
      () => (this.#toldTrouble = ''),
      (error: unknown) => {
        // A disk that is full is full a while: that is told once.
        if (!(error instanceof JournalFailedError) || error === this.#failure) return;
        if (error.message !== this.#toldTrouble) this.#onTrouble(error);
        this.#toldTrouble = error.message;
      },
    );
  }

  #askAfterFlush(request: Unnumbered<Request>): Promise<Reply> {
    if (this.#closed) return Promise.reject(new JournalFailedError('the journal is closed'));
    this.#flush();
    return this.#ask(request);
  }

  #ask(request: Unnumbered<Request>): Promise<Reply> {
    if (this.#failure) return Promise.reject(this.#failure);
    const port = (this.#port ??= this.#begin());
    const id = ++this.#lastId;
    const pending = Promise.withResolvers<Reply>();
    this.#pending.set(id, pending);
    port.ref();
    port.postMessage({ ...request, id });
    return pending.promise;
  }

  #begin(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (reply: Reply) => this.#receive(reply));
    port1.on('messageerror', (error) => this.#fail(error));
    port1.on('close', () => this.#fail(undefined));
    (this.#host ?? ownThread)(this.#data, port2);
    return port1;
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'put-aside') return this.#onTrouble(new JournalFailedError(reply.message));
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    // A process that has nothing else to do need not wait for its journal, but for its answers: closing asks.
    if (this.#pending.size === 0) this.#port?.unref();
    if (reply.kind === 'failed') pending?.reject(new JournalFailedError(`the journal failed: ${reply.message}`));
    else pending?.resolve(reply);
  }

  #fail(cause: unknown): void {
    if (this.#failure) return;
    this.#failure = new JournalFailedError('the thread of the journal has ended', { cause });
    if (!this.#closed) this.#onTrouble(this.#failure);
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}

function ownThread(data: ThreadData, port: MessagePort): void {
  const worker = new Worker(new URL(import.meta.resolve('#store/journal/journal-worker.ts')), {
    workerData: { data, port },
    transferList: [port],
    name: 'journal',
    execArgv: [], // what this process was started with is not meant for the thread
  });
  // The port of its journal keeps the process alive while it is waited for, and closes when the thread ends.
  worker.on('error', () => {});
  worker.unref();
}
