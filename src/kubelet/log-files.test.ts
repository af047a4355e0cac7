import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { largeLogs, removeLogsBefore, rotateLog } from '#kubelet/log-files.ts';

const START = Date.parse('2026-01-02T03:04:05Z');

function logs(): Disposable & { readonly root: string; readonly folder: string; readonly path: string } {
  const root = mkdtempSync(join(tmpdir(), 'peapod-log-files-'));
  const folder = join(root, 'default_web_uid-1', 'main');
  mkdirSync(folder, { recursive: true });
  return { root, folder, path: join(folder, '0.log'), [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

test('largeLogs: those that runtimes write, of any pod, by their size', async () => {
  using at = logs();
  writeFileSync(at.path, 'x'.repeat(100));
  writeFileSync(join(at.folder, '1.log'), 'x'.repeat(5));
  writeFileSync(`${at.path}.20260101-000000`, 'x'.repeat(500));
  const found = await largeLogs(at.root, 50);
  assert.deepEqual(found, [{ uid: 'uid-1', container: 'main', attempt: 0, path: at.path }]);
  assert.deepEqual(await largeLogs(join(at.root, 'nowhere'), 1), []);
});

test('rotateLog: at most so many files, the newest two as they were written', async () => {
  using at = logs();
  for (let n = 0; n < 6; n++) {
    writeFileSync(at.path, `part ${n}`);
    await rotateLog(at.path, { maxFiles: 4, now: START + n * 1000 }, async () => writeFileSync(at.path, ''));
  }
  assert.deepEqual(readdirSync(at.folder).toSorted(), [
    '0.log',
    '0.log.20260102-030408.gz',
    '0.log.20260102-030409.gz',
    '0.log.20260102-030410',
  ]);
  assert.equal(readFileSync(`${at.path}.20260102-030410`, 'utf8'), 'part 5');
  assert.equal(gunzipSync(readFileSync(`${at.path}.20260102-030409.gz`)).toString(), 'part 4');
});

test('rotateLog: where the runtime begins no new log the old one is written on; what a crash has left goes', async () => {
  using at = logs();
  writeFileSync(at.path, 'all of it');
  writeFileSync(`${at.path}.20260101-000000.tmp`, 'half');
  const refusal = new Error('no');
  await assert.rejects(
    rotateLog(at.path, { maxFiles: 5, now: START }, () => Promise.reject(refusal)),
    refusal,
  );
  assert.deepEqual(readdirSync(at.folder), ['0.log']);
  assert.equal(readFileSync(at.path, 'utf8'), 'all of it');
});

test('removeLogsBefore: only of earlier attempts, with what was put aside of them', async () => {
  using at = logs();
  for (const name of ['0.log', '0.log.20260101-000000.gz', '9.log', '10.log']) writeFileSync(join(at.folder, name), '');
  await removeLogsBefore(at.folder, 9);
  assert.deepEqual(readdirSync(at.folder).toSorted(), ['10.log', '9.log']);
  await removeLogsBefore(join(at.root, 'nowhere'), 9);
  assert.ok(existsSync(at.root));
});
