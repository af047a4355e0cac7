import { renameSync, rmSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
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

interface Opened {
  shelf: SqliteShelf;
  book: Book;
}

/**
 * The side of a journal that owns its file, in a thread that may have other things to do. It does what it is asked in the
 * order it was asked; what fails is answered, and never thrown into the thread.
 */
class JournalThread {
  readonly #port: MessagePort;
  readonly #data: ThreadData;
  #opened: Opened | undefined;

  constructor(port: MessagePort, data: ThreadData) {
    this.#port = port;
    this.#data = data;
  }

  run(): void {
    this.#port.on('message', (request: Request) => {
      this.#port.postMessage(this.#answer(request));
      if (request.kind === 'close') this.#port.close();
    });
  }

  #answer(request: Request): Reply {
    const { id } = request;
    try {
      switch (request.kind) {
        case 'changes':
          this.#write(request.changes, request.now);
          return { id, kind: 'done' };
        case 'read':
          return { id, kind: 'told', told: this.#open().book.read(request.uid) };
        case 'find':
          return { id, kind: 'found', found: this.#open().book.find(request.prefix) };
        case 'close':
          this.#close();
          return { id, kind: 'done' };
        default:
          return unreachable(request);
      }
    } catch (error) {
      if (isRuined(error)) {
        this.#close();
        putAside(this.#port, this.#data.path, error);
      }
      return { id, kind: 'failed', message: textOf(error) };
    }
  }

  #close(): void {
    this.#opened?.shelf.close();
    this.#opened = undefined;
  }

  #open(): Opened {
    if (this.#opened) return this.#opened;
    const shelf = openOrReplace(this.#port, this.#data.path);
    return (this.#opened = { shelf, book: new Book(shelf, this.#data.bounds) });
  }

  #write(changes: readonly Change[], now: number): void {
    const opened = this.#open();
    try {
      opened.shelf.transaction(() => {
        for (const change of changes) {
          if (change.kind === 'append') opened.book.append(change.subject, change.entries, now);
          else opened.book.end(change.uid, change.at);
        }
        opened.book.tidy(now);
      });
    } catch (error) {
      // The file has gone back to what it was before these changes, and so must what is known of it.
      this.#close();
      throw error;
    }
  }
}

/** What happened before is good to know, but nothing to fail for: a file that is no good is put aside. */
function openOrReplace(port: MessagePort, path: string): SqliteShelf {
  try {
    return readable(path);
  } catch (error) {
    if (!isRuined(error)) throw error;
    putAside(port, path, error);
    return new SqliteShelf(path);
  }
}

function putAside(port: MessagePort, path: string, error: unknown): void {
  renameSync(path, `${path}.bad`);
  for (const other of [`${path}-wal`, `${path}-shm`]) rmSync(other, { force: true });
  const message = `the journal "${path}" was put aside as "${path}.bad": ${textOf(error)}`;
  port.postMessage({ id: 0, kind: 'put-aside', message } satisfies Reply);
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

/** Until it is asked to close. */
export const serveJournal = (data: ThreadData, port: MessagePort): void => new JournalThread(port, data).run();
