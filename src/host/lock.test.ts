import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { clusterPaths, type ClusterPaths } from '#host/data-dir.ts';
import { busyMessage, lockDataDir, lockOwner } from '#host/lock.ts';

async function withPaths(body: (paths: ClusterPaths) => Promise<void> | void): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'lock-'));
  try {
    await body(clusterPaths({ name: 'lock', dataDir: join(base, 'data'), root: true, uid: 0, environment: {} }));
  } finally {
    rmSync(base, { recursive: true });
  }
}

test('lockDataDir: one holder; given back it is free; disposing twice is fine', () =>
  withPaths((paths) => {
    const first = lockDataDir(paths);
    assert.equal(first.kind, 'locked');
    const second = lockDataDir(paths);
    assert.ok(second.kind === 'busy');
    assert.equal(second.owner?.pid, process.pid);
    assert.match(
      busyMessage(paths, second.owner),
      new RegExp(`^another peapod \\(pid ${process.pid}\\) runs on ${paths.data}; `),
    );
    // Having looked must not have taken it from the holder.
    assert.equal(lockDataDir(paths).kind, 'busy');
    if (first.kind === 'locked') {
      first.lock[Symbol.dispose]();
      first.lock[Symbol.dispose]();
    }
    assert.equal(lockOwner(paths), undefined);
    const third = lockDataDir(paths);
    assert.ok(third.kind === 'locked');
    third.lock[Symbol.dispose]();
  }));

test('lockDataDir: a holder in another process is named, and kill -9 frees the lock', () =>
  withPaths(async (paths) => {
    const program = `
      const { lockDataDir } = await import('#host/lock.ts');
      // Nobody keeps what is returned: the lock must hold all the same, whatever the garbage collector does.
      const { kind } = lockDataDir(${JSON.stringify(paths)});
      for (let i = 0; i < 5; i++) await new Promise((next) => setTimeout(next, 1, gc()));
      console.log(kind);
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(holder, 'exit');
    try {
      const [said] = (await once(holder.stdout, 'data')) as [Buffer];
      assert.equal(String(said).trim(), 'locked');
      const busy = lockDataDir(paths);
      assert.ok(busy.kind === 'busy');
      assert.equal(busy.owner?.pid, holder.pid);
    } finally {
      holder.kill('SIGKILL');
      await exited;
    }
    assert.equal(lockOwner(paths), undefined, 'what is written beside the lock is not believed of a dead process');
    const outcome = lockDataDir(paths);
    assert.ok(outcome.kind === 'locked');
    outcome.lock[Symbol.dispose]();
  }));
