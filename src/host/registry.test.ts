import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { cloneKit, registryConfig } from '#host/registry.ts';

const BLOB = 'docker/registry/v2/blobs/sha256/ab/abcd/data';
const TAG = 'docker/registry/v2/repositories/library/nginx/_manifests/tags/latest/current/link';

function withKit(body: (kit: string, storage: string) => void): void {
  const base = mkdtempSync(join(tmpdir(), 'registry-'));
  try {
    const kit = join(base, 'kit');
    put(join(kit, BLOB), 'content');
    put(join(kit, TAG), 'sha256:abcd');
    body(kit, join(base, 'storage'));
  } finally {
    rmSync(base, { recursive: true });
  }
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test('cloneKit: contents are shared with the kit, names are not', () =>
  withKit((kit, storage) => {
    cloneKit(kit, storage);
    assert.equal(statSync(join(storage, BLOB)).ino, statSync(join(kit, BLOB)).ino);
    // A push of nginx:latest writes this file in place: the kit's own must not change by that.
    writeFileSync(join(storage, TAG), 'sha256:mine');
    assert.equal(readFileSync(join(kit, TAG), 'utf8'), 'sha256:abcd');
  }));

test('cloneKit: done once, so that what was pushed stays; again when the kit is a new one', () =>
  withKit((kit, storage) => {
    cloneKit(kit, storage);
    writeFileSync(join(storage, TAG), 'sha256:mine');
    cloneKit(kit, storage);
    assert.equal(readFileSync(join(storage, TAG), 'utf8'), 'sha256:mine');
    put(join(kit, TAG), 'sha256:newer');
    utimesSync(join(kit, TAG), 1, 1);
    cloneKit(kit, storage);
    assert.equal(readFileSync(join(storage, TAG), 'utf8'), 'sha256:newer');
  }));

test('cloneKit: no kit is no obstacle', () => cloneKit('/no/such/kit', '/no/such/storage'));

test('registryConfig: listens on loopback only', () => {
  assert.match(registryConfig('/data', 5001, 's'), /^http: \{addr: "127\.0\.0\.1:5001", secret: "s"\}$/m);
});
