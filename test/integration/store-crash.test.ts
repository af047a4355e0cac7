import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts';
import { FIRST_REVISION, type Revision, type StoreKey } from '#store/store.ts';

const ROUNDS = 8;
const SEED = 20_261;
const WRITER = fileURLToPath(import.meta.resolve('#store/sqlite/crash-writer.ts'));

test(
  'SQLite store: kill -9 at any instant loses nothing acknowledged and leaves no half commit',
  { timeout: 120_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'peapod-store-'));
    try {
      const acknowledged = new Map<number, Revision>();
      const random = generator(SEED);
      let next = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await writeUntilKilled(join(dir, 'db'), next, { acknowledged, afterMs: random() * 60 });
        next = await check(join(dir, 'db'), acknowledged);
      }
      assert.ok(acknowledged.size > ROUNDS, `${acknowledged.size} commits were acknowledged`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);

async function writeUntilKilled(
  path: string,
  first: number,
  { acknowledged, afterMs }: { acknowledged: Map<number, Revision>; afterMs: number },
): Promise<void> {
  const child = spawn(process.execPath, [WRITER, path, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
    const [number, revision] = line.split(' ').map(Number);
    if (number !== undefined && revision !== undefined) acknowledged.set(number, revision as Revision);
  }
  assert.equal(await exited, 'SIGKILL');
}

/** Returns the first number that was not used yet. */
async function check(path: string, acknowledged: ReadonlyMap<number, Revision>): Promise<number> {
  await using store = await openSqliteStore(path);
  const sides = ['left', 'right'].map(async (side) => {
    const { entries } = await store.list(`${side}/`, {});
    return new Map(entries.map(({ key, modified }) => [Number(key.slice(side.length + 1)), modified]));
  });
  const [left = new Map<number, Revision>(), right] = await Promise.all(sides);
  assert.deepEqual(right, left, 'a commit is there by half');
  for (const [number, revision] of acknowledged) assert.equal(left.get(number), revision, `commit ${number} is lost`);
  const replayed = new Set<StoreKey>();
  for await (const batch of store.watch('', FIRST_REVISION, new AbortController().signal)) {
    for (const { key } of batch) replayed.add(key);
    if (batch.at(-1)?.revision === (await store.revision())) break;
  }
  assert.equal(replayed.size, 2 * left.size, 'the log and the state differ');
  return Math.max(...left.keys()) + 1;
}

/** A linear congruential generator: the same delays every time the test is run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
