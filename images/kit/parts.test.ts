import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { buildLock } from '#images/kit/build-lock.ts';
import { upstreamVersion } from '#images/kit/debian.ts';
import { elfFacts } from '#images/kit/elf.ts';
import { membersOf, readMember, tarOf } from '#images/kit/tar.ts';
import { Tree, usrMerged } from '#images/kit/tree.ts';

function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-parts-'));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('tar: what is written is read back, by GNU tar too, whatever the order it was given in', () => {
  using here = temporary();
  const long = `${'directory/'.repeat(12)}file`;
  writeFileSync(join(here.folder, 'source'), 'from disk, and more');
  const fill = [
    (tree: Tree) => tree.file('b', Buffer.alloc(513, 'b'), { mode: 0o4755, uid: 101, gid: 7 }),
    (tree: Tree) => tree.file(long, { path: join(here.folder, 'source'), size: 9 }),
    (tree: Tree) => tree.symlink('a/link', '../b'),
  ];
  const write = (steps: typeof fill): Buffer =>
    Buffer.concat([...tarOf(steps.reduce((tree, step) => step(tree), new Tree()))].map((chunk) => Buffer.from(chunk)));
  const archive = join(here.folder, 'x.tar');
  writeFileSync(archive, write(fill));
  assert.deepEqual(write(fill.toReversed()), readFileSync(archive));
  assert.equal(readMember(archive, membersOf(archive).get(long)!).toString(), 'from disk');
  assert.equal(membersOf(archive).get('b')?.size, 513);
  const listed = execFileSync('tar', ['--numeric-owner', '-tvf', archive], { encoding: 'utf8' }).split('\n');
  assert.ok(
    listed.some((line) => /^-rwsr-xr-x 101\/7 +513 .* b$/.test(line)),
    listed.join('\n'),
  );
  assert.ok(listed.some((line) => line.endsWith(' a/link -> ../b')));
  assert.ok(listed.some((line) => line.endsWith(long)));
});

test('tar: long names of GNU and POSIX archives are understood', () => {
  using here = temporary();
  const name = `${'d'.repeat(90)}/${'f'.repeat(120)}`;
  execFileSync('sh', ['-c', `mkdir -p "${name.split('/')[0]}" && echo hello > "${name}"`], { cwd: here.folder });
  for (const format of ['gnu', 'pax']) {
    const archive = join(here.folder, `${format}.tar`);
    execFileSync('tar', [`--format=${format}`, '-cf', archive, name], { cwd: here.folder });
    assert.equal(readMember(archive, membersOf(archive).get(name)!).toString(), 'hello\n');
  }
});

test('tar: anything else is refused', () => {
  using here = temporary();
  const path = join(here.folder, 'not.tar');
  writeFileSync(path, Buffer.alloc(2048, 'x'));
  assert.throws(() => membersOf(path), /is not a tar archive/);
});

test('elf: this Node says what it needs and where it ends', () => {
  const facts = elfFacts(process.execPath);
  assert.ok(facts);
  assert.ok(facts.needed.includes('libc.so.6'));
  assert.match(facts.interpreter ?? '', /ld-linux/);
  assert.ok(facts.loadedBytes > 10e6 && facts.loadedBytes <= readFileSync(process.execPath).length);
  assert.equal(elfFacts(import.meta.filename), undefined);
});

test('lock: the second waits for the first', { timeout: 10_000 }, async () => {
  using here = temporary();
  const path = join(here.folder, 'lock');
  const order: string[] = [];
  const signal = new AbortController().signal;
  const first = await buildLock(path, () => order.push('never'), signal);
  const second = buildLock(path, () => order.push('waiting'), signal).then((lock) => (order.push('second'), lock));
  while (order.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  order.push('released');
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  assert.deepEqual(order, ['waiting', 'released', 'second']);
});

test('lock: it ends with a process that is killed', { timeout: 10_000 }, async () => {
  using here = temporary();
  const path = join(here.folder, 'lock');
  const hold = `import { buildLock } from '#images/kit/build-lock.ts';
    await buildLock(process.argv[1], () => {}, new AbortController().signal); console.log('held'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', hold, path], {
    cwd: join(import.meta.dirname, '../..'),
  });
  await once(child.stdout, 'data');
  let waited = false;
  const lock = buildLock(path, () => (waited = true), AbortSignal.timeout(10_000));
  while (!waited) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGKILL');
  (await lock)[Symbol.dispose]();
});

test('lock: who waits can be told to stop', { timeout: 10_000 }, async () => {
  using here = temporary();
  const path = join(here.folder, 'lock');
  using _held = await buildLock(path, () => undefined, new AbortController().signal);
  const stop = new AbortController();
  await assert.rejects(
    buildLock(path, () => stop.abort(), stop.signal),
    { name: 'AbortError' },
  );
});

const versions = [
  ['nginx_1.22.1-9+deb12u1_amd64.deb', '1.22.1'],
  ['mariadb-server_1%3a10.11.6-0+deb12u1_amd64.deb', '10.11.6'],
  ['busybox_1%3a1.35.0-4+b3_amd64.deb', '1.35.0'],
  ['docker-registry_2.8.2+ds1-1_amd64.deb', '2.8.2'],
] as const;
for (const [deb, want] of versions)
  test(`debian: ${deb} is upstream's ${want}`, () => assert.equal(upstreamVersion(deb), want));

test('tree: paths are merged into /usr', () => {
  assert.deepEqual(['/bin/sh', './lib64/ld.so', 'usr/bin/x', 'etc/bin/x'].map(usrMerged), [
    'usr/bin/sh',
    'usr/lib64/ld.so',
    'usr/bin/x',
    'etc/bin/x',
  ]);
});
