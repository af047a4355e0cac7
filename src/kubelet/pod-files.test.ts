import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { simulatedHost } from '#host/simulated-host.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { PodFilesOnHost } from '#kubelet/pod-files.ts';
import { FakeClock } from '#lib/fake-clock.ts';

test('pod files: the logs of an ended pod are something that is left of it, until they go too', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pod-files-'));
  try {
    const folders = { pods: join(directory, 'pods'), logs: join(directory, 'logs') };
    const host = simulatedHost();
    const files = new PodFilesOnHost(host, folders, new FakeClock());
    const { signal } = new AbortController();
    const pod = aPod();
    const { uid } = pod.metadata;
    assert.deepEqual([files.state(uid), await files.found()], ['absent', []]);
    await files.prepare(pod, new Map(), signal);
    const logs = files.logDirectory(pod);
    mkdirSync(logs, { recursive: true });
    // What else lies there is nobody's.
    writeFileSync(join(folders.logs, 'containerd.log'), '');
    assert.equal(files.state(uid), 'ready');
    await files.remove({ uid, pod, logs: 'keep' }, signal);
    assert.deepEqual([files.state(uid), existsSync(logs)], ['logs', true]);
    const next = new PodFilesOnHost(host, folders, new FakeClock());
    assert.deepEqual([next.state(uid), await next.found()], ['logs', [uid]], 'a later kubelet finds them');
    await next.remove({ uid, pod: undefined, logs: 'remove' }, signal);
    assert.deepEqual([next.state(uid), await next.found(), existsSync(logs)], ['absent', [], false]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
