/** What volumes are on a disk: the atomic writer, groups, parts of volumes. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Mounts } from '#host/host.ts';
import { writeAtomically } from '#kubelet/volumes/atomic-writer.ts';
import { belongsToGroup, giveToGroup } from '#kubelet/volumes/ownership.ts';
import type { Files } from '#kubelet/volumes/projection.ts';
import { renewalOf } from '#kubelet/volumes/pod-tokens.ts';
import { bindSubPath, SubPathError, subPathOf } from '#kubelet/volumes/sub-path.ts';

const never = new AbortController().signal;
const now = Date.parse('2026-01-31T09:00:00Z');

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'peapod-volume-files-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const files = (texts: Readonly<Record<string, string>>, mode = 0o644): Files =>
  new Map(Object.entries(texts).map(([path, text]) => [path, { bytes: Buffer.from(text), mode }]));
const write = (volume: string, content: Files, group?: number): Promise<boolean> =>
  writeAtomically(volume, content, { now, group });
const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test('writeAtomically: links to ..data, which is a link to a folder named by the time', async (t) => {
  const volume = folder(t);
  assert.equal(await write(volume, files({ a: 'A', 'd/e/b': 'B', 'd/c': 'C' }, 0o440)), true);
  assert.deepEqual(
    [readlinkSync(join(volume, 'a')), readlinkSync(join(volume, 'd'))],
    [join('..data', 'a'), join('..data', 'd')],
  );
  const current = readlinkSync(join(volume, '..data'));
  assert.match(current, /^\.\.2026_01_31_09_00_00\.\w{6}$/);
  assert.equal(readFileSync(join(volume, 'd/e/b'), 'utf8'), 'B');
  assert.deepEqual(
    [mode(join(volume, 'a')), mode(join(volume, 'd/e')), mode(join(volume, current))],
    ['440', '755', '755'],
  );
  assert.equal(await write(volume, files({ a: 'A', 'd/e/b': 'B', 'd/c': 'C' }, 0o440)), false);
  assert.equal(readlinkSync(join(volume, '..data')), current, 'what is the same is not written again');
});

for (const [what, next] of [
  ['other bytes', files({ a: 'Z', b: 'B' })],
  ['another mode', files({ a: 'A', b: 'B' }, 0o600)],
  ['one more', files({ a: 'A', b: 'B', c: 'C' })],
  ['one less', files({ a: 'A' })],
  ['nothing', files({})],
  ['a folder where a file was', files({ 'a/x': 'X', b: 'B' })],
] as const) {
  test(`writeAtomically: then ${what}, and nothing of before is left`, async (t) => {
    const volume = folder(t);
    await write(volume, files({ a: 'A', b: 'B' }));
    assert.equal(await write(volume, next), true);
    const tops = [...new Set([...next.keys()].map((path) => path.split('/')[0]!))];
    assert.deepEqual(
      readdirSync(volume).toSorted(),
      ['..data', readlinkSync(join(volume, '..data')), ...tops].toSorted(),
    );
    for (const [path, { bytes }] of next) assert.deepEqual(readFileSync(join(volume, path)), bytes);
  });
}

test('writeAtomically: goes on from wherever a crash has left it', async (t) => {
  const volume = folder(t);
  await write(volume, files({ a: 'A', old: 'O' }));
  mkdirSync(join(volume, '..2026_01_01_00_00_00.abcdef'));
  symlinkSync('..2026_01_01_00_00_00.abcdef', join(volume, '..data_tmp'));
  assert.equal(await write(volume, files({ a: 'A2' })), true);
  assert.deepEqual(readdirSync(volume).toSorted(), ['..data', readlinkSync(join(volume, '..data')), 'a'].toSorted());
  // After the new folder was shown and before the links were put right.
  rmSync(join(volume, 'a'));
  symlinkSync('..data/gone', join(volume, 'gone'));
  assert.equal(await write(volume, files({ a: 'A2' })), false);
  assert.deepEqual([readFileSync(join(volume, 'a'), 'utf8'), readdirSync(volume).includes('gone')], ['A2', false]);
});

test('writeAtomically: a reader sees all of the old or all of the new', async (t) => {
  const volume = folder(t);
  await write(volume, files({ a: '0', b: '0' }));
  let done = false;
  const writing = (async () => {
    for (let n = 1; n <= 60; n++) await write(volume, files({ a: String(n), b: String(n) }));
    done = true;
  })();
  let seen = 0;
  while (!done) {
    const data = join(volume, readlinkSync(join(volume, '..data')));
    if (existsSync(join(data, 'b'))) {
      assert.equal(readFileSync(join(data, 'a'), 'utf8'), readFileSync(join(data, 'b'), 'utf8'));
      seen++;
    }
    await new Promise((next) => setImmediate(next));
  }
  await writing;
  assert.ok(seen > 5, `only ${seen} looks`);
});

test('writeAtomically: an owner and a group, and still nothing to write when all is as it was', async (t) => {
  const volume = folder(t);
  const content: Files = new Map([['token', { bytes: Buffer.from('T'), mode: 0o600, owner: 1000 }]]);
  await write(volume, content, 2000);
  const { uid, gid } = statSync(join(volume, 'token'));
  assert.deepEqual([uid, gid, mode(join(volume, 'token')), mode(join(volume, '..data'))], [1000, 2000, '640', '2755']);
  assert.equal(await write(volume, content, 2000), false);
});

test('giveToGroup: all of it, links not followed', async (t) => {
  const root = folder(t);
  const outside = join(folder(t), 'outside');
  writeFileSync(outside, '', { mode: 0o600 });
  mkdirSync(join(root, 'd'));
  writeFileSync(join(root, 'd/f'), '');
  chmodSync(join(root, 'd/f'), 0o600);
  symlinkSync(outside, join(root, 'd/link'));
  chmodSync(root, 0o777);
  assert.equal(await belongsToGroup(root, 2000), false);
  await giveToGroup(root, 2000, 'write');
  assert.equal(await belongsToGroup(root, 2000), true);
  assert.deepEqual([mode(root), mode(join(root, 'd')), mode(join(root, 'd/f'))], ['2777', '2775', '660']);
  assert.deepEqual([statSync(join(root, 'd/f')).gid, lstatSync(join(root, 'd/link')).gid], [2000, 2000]);
  assert.deepEqual([mode(outside), statSync(outside).gid], ['600', 0]);
});

const mount = (more: object): Parameters<typeof subPathOf>[0] => ({ name: 'v', mountPath: '/m', ...more });
for (const [more, wanted] of [
  [{}, ''],
  [{ subPath: 'a/$(P)' }, 'a/$(P)'],
  [{ subPathExpr: '$(P)/x-$$(P)' }, 'pod/x-$(P)'],
  [{ subPathExpr: '$(P)/$(NONE)/$(EMPTY)' }, 'missing value for EMPTY, NONE'],
  [{ subPathExpr: '$(ABS)' }, 'error SubPath `/tmp` must not be an absolute path'],
  [{ subPathExpr: '$(UP)' }, "unable to provision SubPath `..`: must not contain '..'"],
] as const) {
  test(`subPathOf: ${JSON.stringify(more)} → ${wanted}`, () => {
    const variables = new Map(Object.entries({ P: 'pod', EMPTY: '', ABS: '/tmp', UP: '..' }));
    try {
      assert.equal(subPathOf(mount(more), variables), wanted);
    } catch (error) {
      if (!(error instanceof SubPathError)) throw error;
      assert.equal(error.message, wanted);
    }
  });
}

/** Mounts nothing: a link stands for the mount, of a file a hard one, which is enough to see what was bound. */
function linkMounts(before?: () => void): Mounts {
  const unused = async (): Promise<never> => Promise.reject(new Error('not used here'));
  return {
    tmpfs: unused,
    under: unused,
    async bind(source, target) {
      before?.();
      rmSync(target, { recursive: true });
      if (statSync(source).isDirectory()) symlinkSync(source, target);
      else linkSync(source, target);
    },
    async unmountAll(target) {
      if (!statSync(target).isDirectory()) return;
      rmSync(target, { recursive: true });
      mkdirSync(target);
    },
  };
}

test('bindSubPath: files and folders, through links within the volume, made when missing', async (t) => {
  const volume = join(folder(t), 'volume');
  mkdirSync(volume);
  chmodSync(volume, 0o777);
  await write(volume, files({ key: 'K' }));
  const bind = (subPath: string, target: string): Promise<string> =>
    bindSubPath(linkMounts(), { volume, subPath, target: join(volume, '../targets', target) }, never);
  assert.equal(readFileSync(await bind('key', '0'), 'utf8'), 'K');
  assert.ok(statSync(await bind('new/./deep//er', '1')).isDirectory());
  assert.deepEqual([mode(join(volume, 'new')), mode(join(volume, 'new/deep/er'))], ['777', '777']);
  await write(volume, files({ key: 'K2' }));
  assert.equal(readFileSync(await bind('key', '0'), 'utf8'), 'K2', 'made anew, it is what the path means now');
});

test('bindSubPath: never out of the volume, whatever the containers have laid there', async (t) => {
  const root = folder(t);
  const volume = join(root, 'volume');
  mkdirSync(join(volume, 'd'), { recursive: true });
  mkdirSync(join(root, 'volume-of-another'));
  writeFileSync(join(root, 'secret'), 'of the host');
  symlinkSync(join(root, 'secret'), join(volume, 'absolute'));
  symlinkSync('../../secret', join(volume, 'd/relative'));
  symlinkSync('../volume-of-another', join(volume, 'neighbour'));
  symlinkSync('/nowhere/at/all', join(volume, 'dangling'));
  symlinkSync('loop', join(volume, 'loop'));
  const bind = (subPath: string, mounts = linkMounts()): Promise<string> =>
    bindSubPath(mounts, { volume, subPath, target: join(root, 'targets/0') }, never);
  for (const subPath of ['absolute', 'd/relative', 'neighbour', 'neighbour/new', 'dangling', 'dangling/new', 'loop'])
    await assert.rejects(bind(subPath), subPath);
  assert.deepEqual(readdirSync(join(root, 'volume-of-another')), []);
  // A link is put in place between the check and the mount.
  const swap = (): void => {
    rmSync(join(volume, 'd'), { recursive: true });
    symlinkSync(root, join(volume, 'd'));
  };
  await assert.rejects(bind('d', linkMounts(swap)), /changed while it was being mounted/);
});

test('renewalOf: at four fifths, and every day', () => {
  assert.equal(renewalOf(1000, 1000 + 3600_000), 1000 + 2880_000);
  assert.equal(renewalOf(0, 365 * 86_400_000), 86_400_000);
});
