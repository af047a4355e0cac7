import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { unreachable } from '#lib/unreachable.ts';
import type { ThreadData } from '#store/journal/journal-thread.ts';
import { failureOf } from '#store/sqlite/failures.ts';
import { openDatabase } from '#store/sqlite/open-database.ts';
import { pack, transferables, type PackedEntries } from '#store/sqlite/packed-entries.ts';
import {
  OPENED,
  type CommitRequest,
  type Failure,
  type OtherReply,
  type OtherRequest,
  type Reply,
  type Request,
  type WorkerData,
} from '#store/sqlite/protocol.ts';
import { SqliteLog } from '#store/sqlite/sqlite-log.ts';
import { Upkeep } from '#store/sqlite/upkeep.ts';

// A transaction takes at most this many commits, so that a flood does not make the first wait for the last.
const GROUP_COMMITS = 512;

/**
 * The thread that owns the file. Commits that arrived while the last transaction was on its way to the disk make up the
 * next one: the busier it is, the more of them share an fsync; a lone one waits for nobody.
 */
class StoreThread {
  readonly #port: MessagePort;
  readonly #log: SqliteLog;
  readonly #upkeep: Upkeep;
  #commits: CommitRequest[] = [];
  #others: OtherRequest[] = [];
  #broken: Failure | undefined;
  #upkeepPlanned = false;

  constructor(port: MessagePort, log: SqliteLog, upkeep: Upkeep) {
    this.#port = port;
    this.#log = log;
    this.#upkeep = upkeep;
  }

  run(): void {
    this.#port.on('message', (requests: readonly Request[]) => {
      this.#sort(requests);
      this.#work();
    });
    this.#reply([{ id: OPENED, kind: 'done', revision: this.#log.revision }]);
    this.#planUpkeep();
  }

  /** One group of commits, one other request, one slice of upkeep, and again: none of them can starve the others. */
  #work(): void {
    for (;;) {
      for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
        this.#sort(next.message);
      }
      if (this.#commits.length === 0 && this.#others.length === 0) break;
      const group = this.#commits.splice(0, GROUP_COMMITS);
      if (group.length > 0) this.#commitGroup(group);
      // What was asked before closing comes before it.
      const other = this.#others[0]?.kind === 'close' && this.#commits.length > 0 ? undefined : this.#others.shift();
      if (other) this.#answer(other);
      if (group.length > 0 && !this.#broken) this.#upkeep.slice();
    }
    this.#planUpkeep();
  }

  #sort(requests: readonly Request[]): void {
    for (const request of requests) {
      if (request.kind === 'commit') this.#commits.push(request);
      else this.#others.push(request);
    }
  }

  #commitGroup(group: readonly CommitRequest[]): void {
    if (this.#broken) return this.#refuse(group, this.#broken);
    try {
      const replies = this.#log.commit(group);
      this.#reply(replies);
      this.#log.retain(group, replies);
    } catch (error) {
      const failure = failureOf(error, 'writing to the store');
      // After an I/O error nobody knows what is on the disk: an fsync that failed may succeed the next time without
      // having written anything.
      if (failure.kind !== 'full') this.#broken = failure;
      this.#refuse(group, failure);
    }
  }

  #answer(request: OtherRequest): void {
    if (this.#broken && request.kind !== 'close') return this.#refuse([request], this.#broken);
    try {
      const { reply, packed } = this.#handle(request);
      this.#reply([reply], packed);
    } catch (error) {
      this.#refuse([request], failureOf(error, 'reading from the store'));
    }
  }

  #handle(request: OtherRequest): { reply: OtherReply; packed?: PackedEntries } {
    const { id } = request;
    switch (request.kind) {
      case 'get':
        return { reply: { id, kind: 'found', ...this.#log.get(request.key, request.at) } };
      case 'list': {
        const { rows, revision, remaining } = this.#log.list(request.prefix, request);
        const packed = pack(rows);
        return { reply: { id, kind: 'page', revision, entries: packed, remaining }, packed };
      }
      case 'changes': {
        const { rows, upTo } = this.#log.changesAfter(request.prefix, request.position);
        const packed = pack(rows);
        return { reply: { id, kind: 'changes', changes: packed, upTo }, packed };
      }
      case 'compact':
        this.#log.compact(request.upTo);
        return { reply: { id, kind: 'done', revision: this.#log.revision } };
      case 'raise':
        this.#log.raise(request.to);
        return { reply: { id, kind: 'done', revision: this.#log.revision } };
      case 'lend':
        void lend(request.journal, request.port);
        return { reply: { id, kind: 'done', revision: this.#log.revision } };
      case 'close':
        this.#upkeep.close();
        this.#port.unref(); // nothing else holds the thread: it ends once the reply is out
        return { reply: { id, kind: 'done', revision: this.#log.revision } };
      default:
        return unreachable(request);
    }
  }

  #planUpkeep(): void {
    if (this.#upkeepPlanned || this.#broken) return;
    this.#upkeepPlanned = true;
    setImmediate(() => {
      this.#upkeepPlanned = false;
      if (this.#upkeep.slice()) this.#planUpkeep();
    });
  }

  #refuse(requests: readonly Request[], failure: Failure): void {
    this.#reply(requests.map(({ id }) => ({ id, kind: 'failed', failure })));
  }

  #reply(replies: readonly Reply[], packed?: PackedEntries): void {
    this.#port.postMessage(replies, packed ? transferables(packed) : []);
  }
}

/** Loaded when it is wanted: opening the store comes first. */
async function lend(journal: ThreadData, port: MessagePort): Promise<void> {
  const { serveJournal } = await import('#store/journal/journal-thread.ts');
  serveJournal(journal, port);
}

function start(port: MessagePort, { path, retention }: WorkerData): void {
  try {
    const db = openDatabase(path);
    const log = new SqliteLog(db, retention);
    new StoreThread(port, log, new Upkeep(db, log)).run();
  } catch (error) {
    const failed: Reply = { id: OPENED, kind: 'failed', failure: failureOf(error, `opening the store "${path}"`) };
    port.postMessage([failed]);
  }
}

if (parentPort) start(parentPort, workerData);
