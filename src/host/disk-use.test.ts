import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { diskUse } from '#host/disk-use.ts';
import { realClock } from '#lib/clock.ts';

const signal = new AbortController().signal;
const enough = Infinity;

function aFolder(t: { after(undo: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-disk-use-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
const blocks = (...paths: readonly string[]): number =>
  paths.reduce((sum, path) => sum + statSync(path).blocks * 512, 0);

test('disk use: blocks of files and folders, each inode once, links not followed', async (t) => {
  const folder = aFolder(t);
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  writeFileSync(join(folder, 'deep/er/file'), Buffer.alloc(100_000, 1));
  linkSync(join(folder, 'deep/er/file'), join(folder, 'again'));
  symlinkSync('/usr', join(folder, 'elsewhere'));
  writeFileSync(join(folder, 'small'), 'x');
  const own = ['', 'deep', 'deep/er', 'deep/er/file', 'small'].map((name) => join(folder, name));
  assert.equal(await diskUse(folder, { enough, clock: realClock }, signal), blocks(...own));
  assert.equal(await diskUse(join(folder, 'nowhere'), { enough, clock: realClock }, signal), 0);
  assert.equal(await diskUse(join(folder, 'small'), { enough, clock: realClock }, signal), blocks(own[4]!));
});

test('disk use: many files are counted in slices, and no further than wanted', async (t) => {
  const folder = aFolder(t);
  for (let n = 0; n < 1000; n++) writeFileSync(join(folder, String(n)), Buffer.alloc(4096, 1));
  let pauses = 0;
  const clock = {
    now: () => 0,
    sleep: async () => {
      pauses++;
    },
    alarm: () => () => {},
  };
  const all = await diskUse(folder, { enough, clock }, signal);
  assert.ok(all >= 1000 * 4096, String(all));
  assert.equal(pauses, 3);
  pauses = 0;
  const some = await diskUse(folder, { enough: 100_000, clock }, signal);
  assert.ok(some > 100_000 && some < 2_000_000, String(some));
  assert.equal(pauses, 0);
  await assert.rejects(diskUse(folder, { enough, clock }, AbortSignal.abort(new Error('called off'))), /called off/);
});
