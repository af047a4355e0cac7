import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  CompactedError,
  type Change,
  type Committed,
  type Page,
  type Revision,
  type Store,
  type StoreKey,
  type Write,
} from '#store/store.ts';

/** Few keys, so that histories collide; prefixes of each other, and neighbours that only byte order tells apart. */
const KEYS = ['a', 'a/', 'a/1', 'a/2', 'a/\u{ffff}', 'a/\u{1f600}', 'a0', 'b/1', 'b/2', 'c'].map(
  (name) => name as StoreKey,
);
const PREFIXES = ['', 'a', 'a/', 'b/', 'c', 'x'];

type Step =
  | { readonly kind: 'commit'; readonly writes: readonly Intent[]; readonly relaxed: boolean }
  | { readonly kind: 'burst'; readonly commits: readonly (readonly Intent[])[] }
  | { readonly kind: 'compact'; readonly where: number }
  | { readonly kind: 'get'; readonly key: StoreKey; readonly where: number }
  | { readonly kind: 'pages'; readonly prefix: string; readonly where: number; readonly limit: number }
  | { readonly kind: 'watch'; readonly prefix: string; readonly where: number };

/** What to do to a key; a stale intent names a revision that is probably wrong. */
interface Intent {
  readonly key: StoreKey;
  readonly deletes: boolean;
  readonly stale: boolean;
}

const anywhere = fc.double({ min: 0, max: 1, noNaN: true });
const intent = fc.record({
  key: fc.constantFrom(...KEYS),
  deletes: fc.boolean(),
  stale: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});
const intents = fc.uniqueArray(intent, { minLength: 1, maxLength: 4, selector: (write) => write.key });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('commit' as const), writes: intents, relaxed: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('burst' as const), commits: fc.array(intents, { maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), where: anywhere }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('get' as const), key: fc.constantFrom(...KEYS), where: anywhere }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pages' as const),
      prefix: fc.constantFrom(...PREFIXES),
      where: anywhere,
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('watch' as const),
      prefix: fc.constantFrom(...PREFIXES),
      where: anywhere,
    }),
  },
);

/** Random commits, conflicts, deletes, compactions, reads, pages and watches, each answer compared with the model's. */
export async function checkAgainstModel(open: () => Promise<Store>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      await using store = await open();
      const model = new Model(await store.revision());
      const follower = new Follower(store, '', model.newest());
      for (const each of steps) await take(each, store, model);
      await follower.caughtUp(model);
      for (const prefix of PREFIXES) await comparePages(store, model, { prefix, at: model.newest(), limit: 3 });
    }),
    { numRuns: runs },
  );
}

async function take(step: Step, store: Store, model: Model): Promise<void> {
  switch (step.kind) {
    case 'commit': {
      const writes = step.writes.map((each) => model.write(each));
      model.apply(writes, await store.commit(writes, step.relaxed ? 'relaxed' : 'synced'));
      break;
    }
    case 'burst': {
      // All are based on the same state, so later ones meet conflicts with earlier ones of the same group.
      const all = step.commits.map((commit) => commit.map((each) => model.write(each)));
      const outcomes = await Promise.all(all.map((writes) => store.commit(writes, 'synced')));
      for (const [i, writes] of all.entries()) model.apply(writes, outcomes[i]);
      break;
    }
    case 'compact':
      model.floor = Math.max(model.floor, model.revisionAt(step.where)) as Revision;
      await store.compact(model.revisionAt(step.where));
      break;
    case 'get': {
      const at = model.revisionAt(step.where);
      if (at < model.floor) await assert.rejects(store.get(step.key, at), CompactedError);
      else assert.deepEqual(comparable((await store.get(step.key, at)).entry), model.stateAt(at).get(step.key));
      break;
    }
    case 'pages':
      await comparePages(store, model, { prefix: step.prefix, at: model.revisionAt(step.where), limit: step.limit });
      break;
    case 'watch': {
      const from = model.revisionAt(step.where);
      if (from < model.floor) await assert.rejects(firstBatch(store, step.prefix, from), CompactedError);
      else await new Follower(store, step.prefix, from).caughtUp(model);
      break;
    }
  }
  assert.equal(await store.revision(), model.newest());
}

async function comparePages(
  store: Store,
  model: Model,
  ask: { prefix: string; at: Revision; limit: number },
): Promise<void> {
  const { prefix, at, limit } = ask;
  if (at < model.floor) return assert.rejects(store.list(prefix, { at, limit }), CompactedError);
  const want = [...model.stateAt(at).values()]
    .filter((entry) => entry.key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  assert.deepEqual((await store.list(prefix, { at })).entries.map(comparable), want);
  let seen = 0;
  let page: Page | undefined;
  do {
    page = await store.list(prefix, { at, limit, after: page?.next });
    assert.deepEqual(page.entries.map(comparable), want.slice(seen, seen + limit));
    seen += page.entries.length;
    assert.deepEqual([page.revision, page.remaining], [at, want.length - seen]);
  } while (page.next !== undefined);
  assert.equal(seen, want.length);
}

async function firstBatch(store: Store, prefix: string, from: Revision): Promise<void> {
  for await (const _ of store.watch(prefix, from, new AbortController().signal)) return;
}

/** An entry or change with its value as text, so that a copy on disk and the original compare equal. */
interface Plain {
  readonly key: string;
  readonly value: string;
  readonly created: number;
  readonly modified: number;
}

function comparable(
  entry: { key: string; value: Uint8Array; created: number; modified: number } | undefined,
): Plain | undefined {
  return entry && { ...entry, value: Buffer.from(entry.value).toString() };
}

/** A list of all that was ever written, read from the start for every question. */
class Model {
  floor: Revision;
  readonly #log: { revision: Revision; key: StoreKey; value: string | undefined }[] = [];
  readonly #start: Revision;
  #writes = 0;

  constructor(start: Revision) {
    this.floor = start;
    this.#start = start;
  }

  newest(): Revision {
    return this.#log.at(-1)?.revision ?? this.#start;
  }

  /** 0 is the start, 1 the newest revision. */
  revisionAt(where: number): Revision {
    const all = [this.#start, ...new Set(this.#log.map((write) => write.revision))];
    return all[Math.round(where * (all.length - 1))] ?? this.#start;
  }

  stateAt(at: Revision): Map<StoreKey, Plain> {
    const state = new Map<StoreKey, Plain>();
    for (const { revision, key, value } of this.#log) {
      if (revision > at) break;
      if (value === undefined) state.delete(key);
      else state.set(key, { key, value, created: state.get(key)?.created ?? revision, modified: revision });
    }
    return state;
  }

  changes(prefix: string, from: Revision): string[] {
    return this.#log
      .filter((write) => write.revision > from && write.key.startsWith(prefix))
      .map(({ revision, key, value }) => `${revision} ${key} ${value ?? 'deleted'}`);
  }

  write({ key, deletes, stale }: Intent): Write {
    const actual = this.stateAt(this.newest()).get(key);
    const expect = stale ? this.newest() : ((actual?.modified ?? 'absent') as Write['expect']);
    const value = deletes && expect !== 'absent' ? undefined : Buffer.from(`value ${this.#writes++}`);
    return { key, expect, value };
  }

  /** Checks the outcome of a commit, and makes it the model's. */
  apply(writes: readonly Write[], outcome: Committed | undefined): void {
    const state = this.stateAt(this.newest());
    const loser = writes.find(({ key, expect }) => (state.get(key)?.modified ?? 'absent') !== expect);
    assert.equal(outcome?.kind, loser ? 'conflict' : 'written');
    if (outcome?.kind === 'conflict' && loser) {
      assert.equal(outcome.key, loser.key);
      assert.deepEqual(comparable(outcome.actual), state.get(loser.key));
    } else if (outcome?.kind === 'written') {
      assert.ok(outcome.revision > this.newest());
      for (const { key, value } of writes) {
        this.#log.push({ revision: outcome.revision, key, value: value && Buffer.from(value).toString() });
      }
    }
  }
}

/** Watches from a revision on and compares all it saw with the model. */
class Follower {
  readonly #stop = new AbortController();
  readonly #seen: string[] = [];
  readonly #done: Promise<void>;
  readonly #prefix: string;
  readonly #from: Revision;
  #progress: Revision;
  #wake: () => void = () => {};

  constructor(store: Store, prefix: string, from: Revision) {
    this.#prefix = prefix;
    this.#from = from;
    this.#progress = from;
    this.#done = this.#follow(store).catch((error: unknown) => {
      this.#wake();
      if (error !== this.#stop.signal.reason) throw error;
    });
    this.#done.catch(() => {}); // reported by caughtUp
  }

  async caughtUp(model: Model): Promise<void> {
    const want = model.changes(this.#prefix, this.#from);
    while (this.#seen.length < want.length) {
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), this.#done]);
    }
    assert.deepEqual(this.#seen, want);
    this.#stop.abort(new Error('caught up'));
    await this.#done;
  }

  async #follow(store: Store): Promise<void> {
    for await (const batch of store.watch(this.#prefix, this.#from, this.#stop.signal)) {
      assert.ok(batch.length > 0 && (batch[0]?.revision ?? 0) > this.#progress, 'a batch splits or repeats a revision');
      for (const change of batch) this.#seen.push(seenAs(change));
      this.#progress = batch.at(-1)?.revision ?? this.#progress;
      this.#wake();
    }
  }
}

function seenAs({ revision, key, entry }: Change): string {
  return `${revision} ${key} ${entry ? Buffer.from(entry.value).toString() : 'deleted'}`;
}
