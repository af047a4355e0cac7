import { writeSync } from 'node:fs';
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';
import type { StoreKey, Write } from '#store/store.ts';

// The child of crash.test.ts: commits pairs of keys until it is killed, and prints "NUMBER REVISION" of each that was
// acknowledged.
const LANES = 4;
const [path = '', first = '0'] = process.argv.slice(2);
const store = await openSqliteStore(path);
const value = Buffer.alloc(1500, 'x');
let next = Number(first);

async function lane(): Promise<void> {
  for (;;) {
    const number = next++;
    const writes: Write[] = ['left', 'right'].map((side) => ({
      key: `${side}/${number}` as StoreKey,
      expect: 'absent',
      value,
    }));
    const outcome = await store.commit(writes, 'synced');
    if (outcome.kind === 'conflict') throw new Error(`${outcome.key} is there already`);
    writeSync(1, `${number} ${outcome.revision}\n`);
  }
}

await Promise.all(Array.from({ length: LANES }, lane));
