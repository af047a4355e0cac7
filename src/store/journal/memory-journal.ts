import { realClock, type Clock } from '#lib/clock.ts';
import { Book, type NumberedEntry, type Shelf, type SubjectRecord } from '#store/journal/book.ts';
import {
  DEFAULT_BOUNDS,
  type Journal,
  type JournalBounds,
  type JournalEntry,
  type KnownSubject,
  type Subject,
  type Told,
} from '#store/journal/journal.ts';

/** A journal for clusters that live in memory: it is gone with its process. */
export class MemoryJournal implements Journal {
  readonly #book: Book;
  readonly #clock: Clock;
  #closed = false;

  constructor(options: { readonly clock?: Clock; readonly bounds?: JournalBounds } = {}) {
    this.#clock = options.clock ?? realClock;
    this.#book = new Book(new MemoryShelf(), options.bounds ?? DEFAULT_BOUNDS);
  }

  append(subject: Subject, entries: readonly JournalEntry[]): void {
    if (this.#closed || entries.length === 0) return;
    this.#book.append(subject, entries, this.#clock.now());
    this.#book.tidy(this.#clock.now());
  }

  end(uid: string, at: number): void {
    this.#book.end(uid, at);
  }

  async read(uid: string): Promise<Told | undefined> {
    return this.#book.read(uid);
  }

  async find(prefix: string): Promise<readonly KnownSubject[]> {
    return this.#book.find(prefix);
  }

  tidy(): void {
    this.#book.tidy(this.#clock.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }
}

class MemoryShelf implements Shelf {
  readonly #entries = new Map<number, NumberedEntry[]>();

  load(): readonly SubjectRecord[] {
    return [];
  }

  save(): void {
    // The book has it.
  }

  add(subject: number, seq: number, entry: JournalEntry): void {
    const kept = this.#entries.get(subject);
    if (kept === undefined) this.#entries.set(subject, [{ ...entry, seq }]);
    else kept.push({ ...entry, seq });
  }

  after(subject: number, seq: number, limit: number): readonly NumberedEntry[] {
    return (this.#entries.get(subject) ?? []).filter((entry) => entry.seq > seq).slice(0, limit);
  }

  drop(subject: number, first: number, last: number): void {
    const left = this.#entries.get(subject)?.filter(({ seq }) => seq < first || seq > last);
    if (left) this.#entries.set(subject, left);
  }

  remove(subject: number): void {
    this.#entries.delete(subject);
  }
}
