import { type MessagePort, Worker } from 'node:worker_threads';
import { realClock, type Clock } from '#lib/clock.ts';
import { Feed, type Replayed } from '#store/feed.ts';
import { checkLimit, checkWrites } from '#store/keys.ts';
import { DEFAULT_RETENTION, type RetentionPolicy } from '#store/retention.ts';
import {
  CompactedError,
  FIRST_REVISION,
  StoreClosedError,
  StoreFailedError,
  type Change,
  type Committed,
  type Durability,
  type Found,
  type ListOptions,
  type Page,
  type Revision,
  type Store,
  type StoreKey,
  type Write,
} from '#store/store.ts';
import type { ThreadData } from '#store/journal/journal-thread.ts';
import { errorOf } from '#store/sqlite/failures.ts';
import { unpackChanges, unpackEntries } from '#store/sqlite/packed-entries.ts';
import { OPENED, type Reply, type Request, type WorkerData } from '#store/sqlite/protocol.ts';

export interface SqliteStoreOptions {
  readonly clock?: Clock;
  readonly retention?: RetentionPolicy;
}

interface Pending {
  readonly writes: readonly Write[];
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** A request without the number it is sent under. */
type Unnumbered<R> = R extends unknown ? Omit<R, 'id'> : never;

/**
 * Opens the store in the file `path`, or makes it; its directory must be there. The file is ours alone until the store
 * is closed or the process ends, however it ends. Throws StoreInUseError, CorruptStoreError, StoreFullError, StoreFailedError.
 */
export async function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<SqliteStore> {
  const { clock = realClock, retention = DEFAULT_RETENTION } = options;
  const data: WorkerData = { path, retention };
  // The thread holds little: rows pass through it. Without a bound V8 lets its young generation grow to 16 MB and more.
  const worker = new Worker(new URL(import.meta.resolve('#store/sqlite/worker.ts')), {
    workerData: data,
    name: 'store',
    execArgv: [], // what this process was started with (--test, --input-type) is not meant for the thread
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const store = new SqliteStore(worker, clock);
  await store.opened();
  return store;
}

/**
 * The durable store: SQLite in a thread of its own (worker.ts), so that no fsync stalls the caller. This side numbers
 * requests, and fans out changes: it has the values of every commit itself and needs only the revision from the thread.
 */
export class SqliteStore implements Store {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #feed = new Feed();
  readonly #pending = new Map<number, Pending>();
  readonly #opened: Promise<unknown>;
  readonly #exited: Promise<void>;
  #outbox: Request[] = [];
  /** What came in this turn of the event loop after the first; undefined when nothing has come yet. */
  #heard: Reply[] | undefined;
  #lastId = OPENED;
  #revision = FIRST_REVISION;
  #end: Error | undefined;
  #closing: Promise<void> | undefined;

  /** Use openSqliteStore. */
  constructor(worker: Worker, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
    const opened = Promise.withResolvers<Reply>();
    this.#opened = opened.promise;
    this.#pending.set(OPENED, { writes: [], resolve: opened.resolve, reject: opened.reject });
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    worker.on('message', (replies: readonly Reply[]) => this.#hear(replies));
    worker.on('messageerror', (error) => this.#fail(error));
    worker.on('error', (error: unknown) => this.#fail(error));
    worker.on('exit', (code) => {
      this.#fail(new Error(`exit code ${code}`));
      exited.resolve();
    });
  }

  /** Once, by openSqliteStore. */
  async opened(): Promise<void> {
    try {
      await this.#opened;
    } catch (error) {
      await this.#worker.terminate();
      throw error;
    }
  }

  async revision(): Promise<Revision> {
    this.#checkUsable();
    return this.#revision;
  }

  async get(key: StoreKey, at?: Revision): Promise<Found> {
    const reply = await this.#ask({ kind: 'get', key, at });
    if (reply.kind !== 'found') throw unexpected(reply);
    return { revision: reply.revision, entry: reply.entry };
  }

  async list(prefix: string, { at, limit, after }: ListOptions): Promise<Page> {
    checkLimit(limit);
    const reply = await this.#ask({ kind: 'list', prefix, at, limit, after });
    if (reply.kind !== 'page') throw unexpected(reply);
    const { revision, remaining } = reply;
    const entries = unpackEntries(reply.entries);
    return { entries, revision, remaining, next: remaining > 0 ? entries.at(-1)?.key : undefined };
  }

  async commit(writes: readonly Write[], durability: Durability): Promise<Committed> {
    checkWrites(writes);
    const reply = await this.#ask({ kind: 'commit', writes, durability, now: this.#clock.now() });
    switch (reply.kind) {
      case 'written':
        return { kind: 'written', revision: reply.revision };
      case 'conflict':
        return { kind: 'conflict', key: reply.key, actual: reply.actual };
      default:
        throw unexpected(reply);
    }
  }

  watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    const history = {
      revision: () => this.#revision,
      changesAfter: (under: string, position: Revision) => this.#changesAfter(under, position),
    };
    return this.#feed.watch(history, { prefix, from, signal });
  }

  async compact(upTo: Revision): Promise<void> {
    await this.#ask({ kind: 'compact', upTo });
  }

  /**
   * For restoring an older copy of the file: the newest revision becomes `to` (or stays, if it is above), and
   * everything before it is compacted, so that no revision a client has seen ever means something else. Watches end with CompactedError.
   */
  async raiseRevision(to: Revision): Promise<void> {
    await this.#ask({ kind: 'raise', to });
    this.#feed.interrupt(new CompactedError(to, this.#revision));
  }

  /** Lets a journal be served by the store's thread, through `port`, until the store is closed. Closes the port when it cannot be. */
  lend(journal: ThreadData, port: MessagePort): void {
    this.#ask({ kind: 'lend', journal, port }).catch(() => port.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#end) {
      const closed = this.#ask({ kind: 'close' });
      this.#end = new StoreClosedError(); // refuses what comes now; what was asked before is still answered
      await closed.catch(() => {}); // a thread that dies while closing leaves what a crash leaves: the next one recovers
    }
    this.#feed.end(this.#end);
    await this.#exited;
  }

  async #changesAfter(prefix: string, position: Revision): Promise<Replayed> {
    const reply = await this.#ask({ kind: 'changes', prefix, position });
    if (reply.kind !== 'changes') throw unexpected(reply);
    return { changes: unpackChanges(reply.changes), upTo: reply.upTo };
  }

  async #ask(request: Unnumbered<Request>): Promise<Reply> {
    this.#checkUsable();
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#pending.set(id, { writes: request.kind === 'commit' ? request.writes : [], resolve, reject });
    if (this.#outbox.push({ ...request, id }) === 1) queueMicrotask(() => this.#send());
    return promise;
  }

  #send(): void {
    const requests = this.#outbox;
    this.#outbox = [];
    const ports = requests.flatMap((request) => (request.kind === 'lend' ? [request.port] : []));
    if (this.#pending.size > 0) this.#worker.postMessage(requests, ports);
  }

  /**
   * The first answer in a turn of the event loop is taken at once, what follows waits for the end of the turn. A port hands over
   * what has come until nothing more comes, a thousand messages in a row; where each lets somebody in this process write again,
   * something always comes, and whoever asks over a socket would wait for seconds.
   */
  #hear(replies: readonly Reply[]): void {
    if (this.#heard !== undefined) return void this.#heard.push(...replies);
    this.#heard = [];
    setImmediate(() => {
      const heard = this.#heard ?? [];
      this.#heard = undefined;
      if (heard.length > 0) this.#receive(heard);
    });
    this.#receive(replies);
  }

  #receive(replies: readonly Reply[]): void {
    // First everyone who watches, then who wrote: whoever hears of a commit finds it in the watch cache's inbox.
    const changes = replies.flatMap((reply) => this.#changesOf(reply));
    if (changes.length > 0) this.#feed.publish(changes);
    for (const reply of replies) {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.kind === 'failed') pending?.reject(errorOf(reply.failure));
      else pending?.resolve(reply);
    }
  }

  /** What a reply makes visible. */
  #changesOf(reply: Reply): readonly Change[] {
    if (reply.kind !== 'written') {
      if (reply.kind === 'done') this.#revision = reply.revision;
      return [];
    }
    const { revision, created } = reply;
    this.#revision = revision;
    const writes = this.#pending.get(reply.id)?.writes ?? [];
    return writes.map(({ key, value }, i) =>
      value
        ? { kind: 'put', key, revision, entry: { key, value, created: created[i] ?? revision, modified: revision } }
        : { kind: 'delete', key, revision, entry: undefined },
    );
  }

  #checkUsable(): void {
    if (this.#end) throw this.#end;
  }

  #fail(cause: unknown): void {
    this.#end ??= new StoreFailedError('the thread of the store has ended', { cause });
    this.#feed.end(this.#end);
    for (const pending of this.#pending.values()) pending.reject(this.#end);
    this.#pending.clear();
  }
}

function unexpected(reply: Reply): Error {
  return new StoreFailedError(`the thread of the store answered "${reply.kind}" to another question`);
}
