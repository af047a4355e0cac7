import type { Dropped, JournalBounds, JournalEntry, KnownSubject, Subject, Told } from '#store/journal/journal.ts';

/** Where a book keeps its pages. Its methods are called in order and take effect at once. */
export interface Shelf {
  /** Everything kept from before. */
  load(): readonly SubjectRecord[];
  save(record: SubjectRecord): void;
  add(subject: number, seq: number, entry: JournalEntry): void;
  /** The entries numbered above `seq`, oldest first, at most `limit`. */
  after(subject: number, seq: number, limit: number): readonly NumberedEntry[];
  /** Drops the entries from `first` to `last`, both included. */
  drop(subject: number, first: number, last: number): void;
  /** Drops the subject with all its entries. */
  remove(subject: number): void;
}

export interface NumberedEntry extends JournalEntry {
  readonly seq: number;
}

/** What is known of a subject without its entries. */
export interface SubjectRecord extends Subject {
  /** The running number it is kept under: who came later has a higher one. */
  readonly id: number;
  readonly ended: number | undefined;
  /** When something was last told of it, epoch ms. */
  readonly touched: number;
  readonly entries: number;
  readonly bytes: number;
  readonly last: number;
  readonly dropped: Omit<Dropped, 'after'> | undefined;
}

/** Once over a bound it goes this far below it, so that not every entry has to push out another. */
const AFTER_TRIM = 7 / 8;

/** The rules of a journal over whatever keeps its entries: which are kept, which go. Not safe for two at a time. */
export class Book {
  readonly #shelf: Shelf;
  readonly #bounds: JournalBounds;
  readonly #subjects: Map<string, SubjectRecord>;
  #lastId: number;
  #bytes: number;

  constructor(shelf: Shelf, bounds: JournalBounds) {
    this.#shelf = shelf;
    this.#bounds = bounds;
    const known = shelf.load();
    this.#subjects = new Map(known.map((record) => [record.uid, record]));
    this.#lastId = known.reduce((most, { id }) => Math.max(most, id), 0);
    this.#bytes = known.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  append(subject: Subject, entries: readonly JournalEntry[], now: number): void {
    let record = this.#subjects.get(subject.uid) ?? newRecord(subject, ++this.#lastId);
    for (const entry of entries) {
      const last = record.last + 1;
      this.#shelf.add(record.id, last, entry);
      record = { ...record, last, entries: record.entries + 1, bytes: record.bytes + sizeOf(entry), touched: now };
    }
    this.#keep(this.#trimmed(record));
  }

  end(uid: string, at: number): void {
    const record = this.#subjects.get(uid);
    if (record !== undefined && record.ended === undefined) this.#keep({ ...record, ended: at });
  }

  read(uid: string): Told | undefined {
    const record = this.#subjects.get(uid);
    if (record === undefined) return undefined;
    const entries = this.#shelf.after(record.id, 0, Infinity);
    const { dropped } = record;
    const after = entries.findIndex(({ seq }) => seq > this.#bounds.headEntries);
    return {
      subject: known(record),
      entries: entries.map(({ at, text }) => ({ at, text })),
      dropped: dropped && { ...dropped, after: after < 0 ? entries.length : after },
    };
  }

  find(prefix: string): readonly KnownSubject[] {
    const found = [...this.#subjects.values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key === b.key ? a.id - b.id : a.key < b.key ? -1 : 1)).map(known);
  }

  /** Forgets the subjects that ended long ago; then, while there are too many, who ended first, then who has been quiet longest. */
  tidy(now: number): void {
    const { keepEndedMs, subjects, bytes } = this.#bounds;
    for (const record of this.#subjects.values()) {
      if (record.ended !== undefined && record.ended + keepEndedMs <= now) this.#forget(record);
    }
    if (this.#subjects.size <= subjects && this.#bytes <= bytes) return;
    for (const record of [...this.#subjects.values()].sort(isLessMissed)) {
      if (this.#subjects.size <= subjects * AFTER_TRIM && this.#bytes <= bytes * AFTER_TRIM) return;
      this.#forget(record);
    }
  }

  #keep(record: SubjectRecord): void {
    this.#bytes += record.bytes - (this.#subjects.get(record.uid)?.bytes ?? 0);
    this.#subjects.set(record.uid, record);
    this.#shelf.save(record);
  }

  #forget(record: SubjectRecord): void {
    this.#bytes -= record.bytes;
    this.#subjects.delete(record.uid);
    this.#shelf.remove(record.id);
  }

  #trimmed(record: SubjectRecord): SubjectRecord {
    const { entriesPerSubject, bytesPerSubject, headEntries } = this.#bounds;
    if (record.entries <= entriesPerSubject && record.bytes <= bytesPerSubject) return record;
    const middle = this.#shelf.after(record.id, headEntries, record.entries);
    let { entries, bytes } = record;
    // The newest stays whatever its size.
    const going = middle.slice(0, -1).filter((entry) => {
      if (entries <= entriesPerSubject * AFTER_TRIM && bytes <= bytesPerSubject * AFTER_TRIM) return false;
      entries--;
      bytes -= sizeOf(entry);
      return true;
    });
    const [first] = going;
    const last = going.at(-1);
    if (first === undefined || last === undefined) return record;
    this.#shelf.drop(record.id, first.seq, last.seq);
    const times = going.map(({ at }) => at);
    const dropped = {
      count: (record.dropped?.count ?? 0) + going.length,
      from: Math.min(record.dropped?.from ?? Infinity, ...times),
      until: Math.max(record.dropped?.until ?? 0, ...times),
    };
    return { ...record, entries, bytes, dropped };
  }
}

const newRecord = ({ uid, key, born }: Subject, id: number): SubjectRecord => ({
  uid,
  key,
  born,
  id,
  ended: undefined,
  touched: 0,
  entries: 0,
  bytes: 0,
  last: 0,
  dropped: undefined,
});

const known = ({ uid, key, born, ended, entries, last }: SubjectRecord): KnownSubject => ({
  uid,
  key,
  born,
  ended,
  entries,
  last,
});

/** What a row costs beside its text. */
const ROW_BYTES = 24;
const sizeOf = ({ text }: JournalEntry): number => Buffer.byteLength(text) + ROW_BYTES;

const isLessMissed = (a: SubjectRecord, b: SubjectRecord): number =>
  (a.ended ?? Infinity) === (b.ended ?? Infinity)
    ? a.touched - b.touched
    : (a.ended ?? Infinity) - (b.ended ?? Infinity);
