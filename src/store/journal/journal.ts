/**
 * A journal: what happened to each of many subjects, as texts, in the order they came. It stands beside the store and
 * shares nothing with it: no revisions, no watch, no promise of durability. It is for people who ask "what happened?".
 *
 * It never holds anybody up: `append` does not wait, and what cannot be kept is dropped and said. Everything is bounded
 * (`JournalBounds`): of a subject with too much the middle goes, because how it began and how it goes now are what people
 * ask about; of too many subjects those go first that have ended. The death of the process, by whatever means, costs the
 * entries of its last moments (`FLUSH_MS` of sqlite-journal.ts) and never what was there before.
 *
 * journal.test.ts runs on every implementation.
 */
export interface Journal extends AsyncDisposable {
  /** Never waits and never throws. The first entry of a subject makes it known. */
  append(subject: Subject, entries: readonly JournalEntry[]): void;
  /** The subject is no more; what was told of it is kept `keepEndedMs` longer. Of one that is not known, or had ended: nothing. */
  end(uid: string, at: number): void;
  /** What is kept of a subject, everything appended before included; undefined of one that is not known. Rejects with JournalFailedError. */
  read(uid: string): Promise<Told | undefined>;
  /** All subjects whose key begins with `prefix`, in the order of their keys, those of one key in the order they came. Rejects as `read`. */
  find(prefix: string): Promise<readonly KnownSubject[]>;
  /** Forgets what has been kept long enough. */
  tidy(): void;
  /** Resolves once what was appended is kept, as far as that can be. Later appends are dropped. Closing twice is fine. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Subject {
  readonly uid: string;
  /** Under which it is found; several subjects may have one key. */
  readonly key: string;
  /** Epoch ms: anything the caller wants to know it by later. */
  readonly born: number;
}

export interface JournalEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly text: string;
}

export interface KnownSubject extends Subject {
  /** Epoch ms; undefined while it lives. */
  readonly ended: number | undefined;
  /** How many entries are kept. */
  readonly entries: number;
  /** The number of its newest entry, from 1. */
  readonly last: number;
}

export interface Told {
  readonly subject: KnownSubject;
  /** Oldest first. */
  readonly entries: readonly JournalEntry[];
  /** What is missing after the first entries. */
  readonly dropped: Dropped | undefined;
}

export interface Dropped {
  readonly count: number;
  /** Epoch ms of the oldest and of the newest of them. */
  readonly from: number;
  readonly until: number;
  /** How many of `entries` came before them. */
  readonly after: number;
}

export interface JournalBounds {
  readonly entriesPerSubject: number;
  readonly bytesPerSubject: number;
  /** The first entries of a subject, which are never dropped. */
  readonly headEntries: number;
  readonly subjects: number;
  readonly bytes: number;
  readonly keepEndedMs: number;
}

/** A pod that crashes every five minutes is told of for a day; a thousand such pods take 64 MB of disk at most. */
export const DEFAULT_BOUNDS: JournalBounds = {
  entriesPerSubject: 400,
  bytesPerSubject: 192 * 1024,
  headEntries: 32,
  subjects: 2_000,
  bytes: 64 * 2 ** 20,
  keepEndedMs: 3_600_000,
};

/** It can be neither read nor written any more; what this process appends from now on is lost. */
export class JournalFailedError extends Error {
  override readonly name = 'JournalFailedError';
}
