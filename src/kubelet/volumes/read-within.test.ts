import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { readWithin } from '#kubelet/volumes/read-within.ts';

test('readWithin: what is in the volume, whatever leads to it, and nothing else', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peapod-read-'));
  t.after(() => rm(folder, { recursive: true }));
  const volume = join(folder, 'volume');
  await mkdir(join(volume, 'deep'), { recursive: true });
  await writeFile(join(folder, 'secret'), 'not yours');
  await writeFile(join(volume, 'deep/file'), 'text');
  await symlink('deep/file', join(volume, 'link'));
  await symlink('../secret', join(volume, 'out'));
  await symlink('..', join(volume, 'up'));
  execFileSync('mkfifo', [join(volume, 'pipe')]);
  const read = (path: string, most = 100): Promise<string | undefined> => readWithin(volume, path, most);

  assert.equal(await read('deep/file'), 'text');
  assert.equal(await read('./deep//file'), 'text');
  assert.equal(await read('link'), 'text');
  assert.equal(await read('link', 4), 'text');
  assert.equal(await read('none'), undefined);
  assert.equal(await read('deep/none'), undefined);
  await assert.rejects(read('link', 3), /larger than 3 bytes/);
  await assert.rejects(read('deep'), /is not a file/);
  await assert.rejects(read('pipe'), /is not a file/);
  await assert.rejects(read('out'), /not within volume/);
  await assert.rejects(read('up/secret'), /not within volume/);
});
