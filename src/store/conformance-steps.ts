import assert from 'node:assert/strict';
import type { Change, Revision, Store, StoreKey, Write } from '#store/store.ts';

// The short words in which conformance.ts tells its stories.

export const text = new TextDecoder();

export const key = (name: string): StoreKey => name as StoreKey;
export const bytes = (value: Uint8Array | undefined): number[] => [...(value ?? [])];
export const described = (change: Change): string => `${change.kind} ${change.key} @${change.revision}`;

export function put(name: string, value: string, expect: Write['expect'] = 'absent'): Write {
  return { key: key(name), expect, value: new TextEncoder().encode(value) };
}

export function remove(name: string, expect: Revision): Write {
  return { key: key(name), expect, value: undefined };
}

export async function written(store: Store, writes: readonly Write[]): Promise<Revision> {
  const outcome = await store.commit(writes, 'synced');
  assert.ok(outcome.kind === 'written', `commit: ${JSON.stringify(outcome)}`);
  return outcome.revision;
}

export async function names(store: Store, prefix: string, at?: Revision): Promise<readonly string[]> {
  return (await store.list(prefix, { at })).entries.map((entry) => entry.key);
}

export async function valueOf(store: Store, name: string, at?: Revision): Promise<string | undefined> {
  const { entry } = await store.get(key(name), at);
  return entry && text.decode(entry.value);
}

export async function takeBatches(
  changes: AsyncIterable<readonly Change[]>,
  count: number,
): Promise<(readonly Change[])[]> {
  const batches: (readonly Change[])[] = [];
  let seen = 0;
  for await (const batch of changes) {
    batches.push(batch);
    seen += batch.length;
    if (seen >= count) break;
  }
  return batches;
}

export async function take(changes: AsyncIterable<readonly Change[]>, count: number): Promise<readonly Change[]> {
  return (await takeBatches(changes, count)).flat();
}

export async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 5000; !holds();) {
    if (performance.now() > deadline) throw new Error('did not happen within 5 s');
    await new Promise(setImmediate);
  }
}
