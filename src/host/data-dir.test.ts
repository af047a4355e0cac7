import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import {
  clusterPaths,
  DataDirError,
  LONGEST_SOCKET_PATH,
  nodePaths,
  prepareDirectories,
  type PathOptions,
} from '#host/data-dir.ts';

const asRoot: PathOptions = { name: 'peapod', root: true, uid: 0, environment: {} };

const places: readonly { name: string; options: PathOptions; want: { data: string; run: RegExp; cache: string } }[] = [
  {
    name: 'root',
    options: asRoot,
    want: { data: '/var/lib/peapod/peapod', run: /^\/run\/peapod\/[0-9a-f]{8}$/, cache: '/var/cache/peapod' },
  },
  {
    name: 'a user with the XDG variables',
    options: {
      name: 'dev',
      root: false,
      uid: 7,
      environment: { HOME: '/no/h', XDG_STATE_HOME: '/no/s', XDG_RUNTIME_DIR: '/no/r', XDG_CACHE_HOME: '/no/c' },
    },
    want: { data: '/no/s/peapod/dev', run: /^\/no\/r\/peapod\/[0-9a-f]{8}$/, cache: '/no/c/peapod' },
  },
  {
    name: 'a user with only a home',
    options: { name: 'dev', root: false, uid: 7, environment: { HOME: '/no/h' } },
    want: {
      data: '/no/h/.local/state/peapod/dev',
      run: /^\/tmp\/peapod-7\/[0-9a-f]{8}$/,
      cache: '/no/h/.cache/peapod',
    },
  },
  {
    name: '--data-dir is DATA itself',
    options: { ...asRoot, dataDir: '/no/where' },
    want: { data: '/no/where', run: /^\/run\/peapod\/[0-9a-f]{8}$/, cache: '/var/cache/peapod' },
  },
];
for (const { name, options, want } of places) {
  test(`clusterPaths: ${name}`, () => {
    const { data, run, cache } = clusterPaths(options);
    assert.equal(data, want.data);
    assert.match(run, want.run);
    assert.equal(cache, want.cache);
  });
}

test('clusterPaths: two data directories of one name share no cgroup, and the default one has the plain name', () => {
  const own = clusterPaths(asRoot);
  const other = clusterPaths({ ...asRoot, dataDir: '/no/where' });
  const explicit = clusterPaths({ ...asRoot, dataDir: '/var/lib/peapod/peapod' });
  assert.equal(own.scope, 'peapod');
  assert.equal(other.scope, `peapod-${other.hash}`);
  assert.deepEqual(explicit, own);
});

for (const name of ['', 'Upper', '-a', 'a-', 'a/b', '..', 'a'.repeat(41)]) {
  test(`clusterPaths: refuses the name ${JSON.stringify(name)}`, () => {
    assert.throws(() => clusterPaths({ ...asRoot, name }), DataDirError);
  });
}

test('clusterPaths: the hash is that of the real path, before and after the directory exists', () => {
  const base = mkdtempSync(join(tmpdir(), 'data-dir-'));
  try {
    mkdirSync(join(base, 'real'));
    symlinkSync(join(base, 'real'), join(base, 'link'));
    const before = clusterPaths({ ...asRoot, dataDir: join(base, 'link/data') });
    mkdirSync(join(base, 'real/data'));
    const after = clusterPaths({ ...asRoot, dataDir: join(base, 'real/data') });
    assert.equal(before.hash, after.hash);
    assert.equal(before.data, join(base, 'real/data'));
  } finally {
    rmSync(base, { recursive: true });
  }
});

test('nodePaths: the longest name still gives sockets that containerd takes', () => {
  const paths = clusterPaths({ ...asRoot, name: 'a'.repeat(40), dataDir: `/no/${'long/'.repeat(60)}` });
  const node = nodePaths(paths, `${paths.name}-node12`);
  assert.ok(`${node.containerdSocket}.ttrpc`.length <= LONGEST_SOCKET_PATH);
  assert.throws(() => nodePaths(paths, 'n'.repeat(63)), DataDirError);
});

test('prepareDirectories: private, repeatable, and it refuses the data of a cluster of another name', () => {
  const base = mkdtempSync(join(tmpdir(), 'data-dir-'));
  try {
    const options = { ...asRoot, root: false, environment: { HOME: base, XDG_RUNTIME_DIR: join(base, 'run') } };
    const paths = clusterPaths({ ...options, dataDir: join(base, 'data') });
    prepareDirectories(paths, 'boot-1');
    prepareDirectories(paths, 'boot-1');
    assert.equal(statSync(paths.data).mode & 0o777, 0o700);
    assert.equal(statSync(paths.run).mode & 0o777, 0o700);
    const other = clusterPaths({ ...options, name: 'other', dataDir: join(base, 'data') });
    assert.throws(() => prepareDirectories(other, 'boot-1'), /belongs to the cluster "peapod": use --name peapod/);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test('prepareDirectories: RUN is emptied when the machine was rebooted, and only then', () => {
  const base = mkdtempSync(join(tmpdir(), 'data-dir-'));
  try {
    const environment = { HOME: base, XDG_RUNTIME_DIR: join(base, 'run') };
    const paths = clusterPaths({ ...asRoot, root: false, environment, dataDir: join(base, 'data') });
    prepareDirectories(paths, 'boot-1');
    const record = join(paths.children, 'x.json');
    writeFileSync(record, '{}');
    prepareDirectories(paths, 'boot-1');
    assert.ok(existsSync(record));
    prepareDirectories(paths, 'boot-2');
    assert.ok(!existsSync(record));
  } finally {
    rmSync(base, { recursive: true });
  }
});
