import { renameSync, rmSync } from 'node:fs';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { unreachable } from '#lib/unreachable.ts';
import { Book } from '#store/journal/book.ts';
import type { JournalBounds, JournalEntry, KnownSubject, Subject, Told } from '#store/journal/journal.ts';
import { ForeignFileError, SqliteShelf } from '#store/journal/sqlite-shelf.ts';

export interface ThreadData {
  readonly path: string;
  readonly bounds: JournalBounds;
}

export type Change =
  | { readonly kind: 'append'; readonly subject: Subject; readonly entries: readonly JournalEntry[] }
  | { readonly kind: 'end'; readonly uid: string; readonly at: number };

export type Request =
  | { readonly id: number; readonly kind: 'changes'; readonly changes: readonly Change[]; readonly now: number }
  | { readonly id: number; readonly kind: 'read'; readonly uid: string }
  | { readonly id: number; readonly kind: 'find'; readonly prefix: string }
  | { readonly id: number; readonly kind: 'close' };

export type Reply = { readonly id: number } & (
  | { readonly kind: 'done' }
  | { readonly kind: 'told'; readonly told: Told | undefined }
  | { readonly kind: 'found'; readonly found: readonly KnownSubject[] }
  | { readonly kind: 'failed'; readonly message: string }
  /** To nobody's question: a file that could not be used was put aside, and a new one begun. */
  | { readonly kind: 'put-aside'; readonly message: string }
);

// SQLite's primary result codes.
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The thread that owns the journal's file. It does what it is asked in the order it was asked. */
class JournalThread {
  readonly #port: MessagePort;
  readonly #data: ThreadData;
  #shelf: SqliteShelf;
  #book: Book;

  constructor(port: MessagePort, data: ThreadData) {
    this.#port = port;
    this.#data = data;
    this.#shelf = openOrReplace(port, data.path);
    this.#book = new Book(this.#shelf, data.bounds);
  }

  run(): void {
    this.#port.on('message', (request: Request) => this.#reply(this.#answer(request)));
  }

  #answer(request: Request): Reply {
    const { id } = request;
    try {
      switch (request.kind) {
        case 'changes':
          this.#write(request.changes, request.now);
          return { id, kind: 'done' };
        case 'read':
          return { id, kind: 'told', told: this.#book.read(request.uid) };
        case 'find':
          return { id, kind: 'found', found: this.#book.find(request.prefix) };
        case 'close':
          this.#shelf.close();
          this.#port.unref(); // nothing else holds the thread: it ends once the reply is out
          return { id, kind: 'done' };
        default:
          return unreachable(request);
      }
    } catch (error) {
      return { id, kind: 'failed', message: textOf(error) };
    }
  }

  #write(changes: readonly Change[], now: number): void {
    try {
      this.#shelf.transaction(() => {
        for (const change of changes) {
          if (change.kind === 'append') this.#book.append(change.subject, change.entries, now);
          else this.#book.end(change.uid, change.at);
        }
        this.#book.tidy(now);
      });
    } catch (error) {
      // The file has gone back to what it was before these changes, and so must what is known of it.
      if (isRuined(error)) {
        this.#shelf.close();
        this.#shelf = openOrReplace(this.#port, this.#data.path);
      }
      this.#book = new Book(this.#shelf, this.#data.bounds);
      throw error;
    }
  }

  #reply(reply: Reply): void {
    this.#port.postMessage(reply);
  }
}

/** What happened before is good to know, but nothing to fail for: a file that is no good is put aside. */
function openOrReplace(port: MessagePort, path: string): SqliteShelf {
  try {
    return readable(path);
  } catch (error) {
    if (!isRuined(error)) throw error;
    renameSync(path, `${path}.bad`);
    for (const other of [`${path}-wal`, `${path}-shm`]) rmSync(other, { force: true });
    const message = `the journal "${path}" was put aside as "${path}.bad": ${textOf(error)}`;
    port.postMessage({ id: 0, kind: 'put-aside', message } satisfies Reply);
    return new SqliteShelf(path);
  }
}

function readable(path: string): SqliteShelf {
  const shelf = new SqliteShelf(path);
  try {
    shelf.load();
    return shelf;
  } catch (error) {
    shelf.close();
    throw error;
  }
}

function isRuined(error: unknown): boolean {
  if (error instanceof ForeignFileError) return true;
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(error.errcode & 0xff);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

if (parentPort) new JournalThread(parentPort, workerData as ThreadData).run();
