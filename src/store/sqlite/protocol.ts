import type { MessagePort } from 'node:worker_threads';
import type { ThreadData } from '#store/journal/journal-thread.ts';
import type { RetentionPolicy } from '#store/retention.ts';
import type { Durability, Entry, Revision, StoreKey, Write } from '#store/store.ts';
import type { PackedEntries } from '#store/sqlite/packed-entries.ts';

/**
 * What the store and its thread say to each other. Requests travel in arrays, one message for all that were made in one
 * turn of the event loop, and so do replies. Plain objects: packing a commit's bytes by hand saved 0.5 µs of the
 * hundreds that its fsync takes. Replies come in the order in which their effects became visible, so the main side has
 * always heard of a commit before it hears of a read that shows it. Values of commits are not sent back.
 */
export interface WorkerData {
  readonly path: string;
  readonly retention: RetentionPolicy;
}

export interface CommitRequest {
  readonly id: number;
  readonly kind: 'commit';
  readonly writes: readonly Write[];
  readonly durability: Durability;
  /** The store's clock, ms: the thread has none of its own. */
  readonly now: number;
}

export type OtherRequest =
  | { readonly id: number; readonly kind: 'get'; readonly key: StoreKey; readonly at: Revision | undefined }
  | {
      readonly id: number;
      readonly kind: 'list';
      readonly prefix: string;
      readonly at: Revision | undefined;
      readonly limit: number | undefined;
      readonly after: StoreKey | undefined;
    }
  | { readonly id: number; readonly kind: 'changes'; readonly prefix: string; readonly position: Revision }
  | { readonly id: number; readonly kind: 'compact'; readonly upTo: Revision }
  | { readonly id: number; readonly kind: 'raise'; readonly to: Revision }
  /** The thread is to serve a journal as well: a thread of its own would cost as much memory as all that it does. */
  | { readonly id: number; readonly kind: 'lend'; readonly journal: ThreadData; readonly port: MessagePort }
  | { readonly id: number; readonly kind: 'close' };

export type Request = CommitRequest | OtherRequest;

export type CommitReply =
  /** `created` of each write's key, in the order of the writes; meaningless for deletes. */
  | {
      readonly id: number;
      readonly kind: 'written';
      readonly revision: Revision;
      readonly created: readonly Revision[];
    }
  | { readonly id: number; readonly kind: 'conflict'; readonly key: StoreKey; readonly actual: Entry | undefined };

export type OtherReply =
  | { readonly id: number; readonly kind: 'found'; readonly revision: Revision; readonly entry: Entry | undefined }
  | {
      readonly id: number;
      readonly kind: 'page';
      readonly revision: Revision;
      readonly entries: PackedEntries;
      readonly remaining: number;
    }
  | { readonly id: number; readonly kind: 'changes'; readonly changes: PackedEntries; readonly upTo: Revision }
  | { readonly id: number; readonly kind: 'done'; readonly revision: Revision };

export type Reply =
  | CommitReply
  | OtherReply
  | { readonly id: number; readonly kind: 'failed'; readonly failure: Failure };

/** The errors of store.ts, as they cross threads (an Error loses its class on the way). */
export type Failure =
  | { readonly kind: 'compacted'; readonly asked: Revision; readonly oldest: Revision }
  | { readonly kind: 'future'; readonly asked: Revision; readonly newest: Revision }
  | { readonly kind: 'full' | 'corrupt' | 'in-use' | 'failed'; readonly message: string };

/** The reply to opening has this id; requests count from 1. */
export const OPENED = 0;
