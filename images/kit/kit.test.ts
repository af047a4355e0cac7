import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fullReference, imagesIn } from '#images/archive.ts';
import { blobPath } from '#images/kit/blobs.ts';
import type { ImageSpec, LayerSpec } from '#images/kit/image.ts';
import { buildKit } from '#images/kit/kit.ts';
import { copyRegistry } from '#images/kit/registry-copy.ts';

const forever = new AbortController().signal;

/** Two images on one layer, without packages, so without network. */
function world() {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-kit-'));
  const source = join(folder, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'motd'), 'hello');
  const shared: LayerSpec = {
    name: 'shared',
    folder: source,
    packages: [],
    on: [],
    fill: (tree) => void tree.file('etc/motd', readFileSync(join(source, 'motd'))),
  };
  const own: LayerSpec = {
    name: 'own',
    folder: join(source, '..', 'own'),
    packages: [],
    on: [shared],
    fill: (tree) => void tree.file('run.sh', 'true', { mode: 0o755 }),
  };
  mkdirSync(own.folder);
  const image = (name: string, layers: readonly LayerSpec[]): ImageSpec => ({
    name,
    repository: `docker.io/library/${name}`,
    tags: ['latest', '1'],
    description: 'a test',
    standInFor: 'nothing',
    layers,
    config: { Cmd: ['sh'] },
  });
  const images = [image('first', [shared]), image('second', [shared, own])];
  const out = join(folder, 'kit');
  const said: string[] = [];
  const build = (chosen = images, rebuild = false) =>
    buildKit({ images: chosen, out, rebuild, progress: (line) => said.push(line) }, forever);
  return { source, own, images, out, said, build, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('kit: a layer that images share is one blob, and names lead to manifests', async () => {
  using here = world();
  const kit = await here.build();
  assert.deepEqual(
    kit.images.map((image) => image.references),
    [
      ['docker.io/library/first:latest', 'docker.io/library/first:1'],
      ['docker.io/library/second:latest', 'docker.io/library/second:1'],
    ],
  );
  const [first, second] = kit.images.map((image) => imagesIn(join(here.out, image.archive))[0]!);
  assert.equal(first!.blobs[1]!.digest, second!.blobs[1]!.digest);
  assert.deepEqual(first!.references, ['docker.io/library/first:latest']);
  const link = join(here.out, 'registry/docker/registry/v2/repositories/library/second/_manifests/tags/1/current/link');
  assert.equal(readFileSync(link, 'utf8'), kit.images[1]!.digest);
  const manifest = JSON.parse(readFileSync(blobPath(here.out, kit.images[1]!.digest), 'utf8'));
  assert.equal(manifest.layers.length, 2);
  assert.equal(manifest.annotations['peapod.dev/stand-in-for'], 'nothing');
  for (const { digest, size } of manifest.layers) assert.equal(statSync(blobPath(here.out, digest)).size, size);
});

test('kit: the same inputs give the same digests', async () => {
  using here = world();
  const before = await here.build();
  assert.deepEqual((await here.build(here.images, true)).images, before.images);
});

test('kit: nothing is built when nothing has changed, and only what has', async () => {
  using here = world();
  await here.build();
  const heard = here.said.length;
  const again = await here.build();
  assert.equal(here.said.length, heard);
  writeFileSync(join(here.own.folder, 'note'), 'changed');
  await here.build();
  const layers = here.said.slice(heard).filter((line) => line.startsWith('layer'));
  assert.deepEqual(
    layers.map((line) => line.split(':')[0]),
    ['layer own'],
  );
  writeFileSync(join(here.source, 'motd'), 'goodbye');
  const changed = await here.build();
  assert.notEqual(changed.images[0]!.digest, again.images[0]!.digest);
});

test('kit: a build that fails leaves the kit as it was and nothing beside it', async () => {
  using here = world();
  const before = await here.build();
  const broken: LayerSpec = { ...here.own, name: 'broken', fill: () => Promise.reject(new Error('no')) };
  await assert.rejects(here.build([{ ...here.images[0]!, layers: [broken] }]), /no/);
  assert.deepEqual(JSON.parse(readFileSync(join(here.out, 'kit.json'), 'utf8')), before);
  assert.deepEqual(
    readdirSync(`${here.out}.d`).filter((name) => name.startsWith('building-')),
    [],
  );
});

test('kit: what a killed build left is removed by the next', async () => {
  using here = world();
  mkdirSync(join(`${here.out}.d`, 'building-dead'), { recursive: true });
  await here.build();
  assert.ok(!existsSync(join(`${here.out}.d`, 'building-dead')));
});

test('kit: a folder with contents is not taken for a kit', async () => {
  using here = world();
  mkdirSync(here.out);
  writeFileSync(join(here.out, 'precious'), '');
  await assert.rejects(here.build(), /ENOTEMPTY/);
  assert.ok(existsSync(join(here.out, 'precious')));
});

test('kit: a registry of its own shares blobs with the kit but not names', async () => {
  using here = world();
  const kit = await here.build();
  const registry = `${here.out}-copy`;
  copyRegistry(here.out, kit, registry);
  copyRegistry(here.out, kit, registry);
  const inode = (path: string): number => statSync(path).ino;
  const digest = kit.images[0]!.digest.slice(7);
  const blob = `docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`;
  assert.equal(inode(join(registry, blob)), inode(join(here.out, 'registry', blob)));
  const link = 'docker/registry/v2/repositories/library/first/_manifests/tags/latest/current/link';
  assert.notEqual(inode(join(registry, link)), inode(join(here.out, 'registry', link)));
});

test('kit: GNU tar reads its archives', async () => {
  using here = world();
  const kit = await here.build();
  const listed = execFileSync('tar', ['-tf', join(here.out, kit.images[0]!.archive)], { encoding: 'utf8' });
  assert.match(listed, /^blobs\/\nblobs\/sha256\/\n(blobs\/sha256\/[0-9a-f]{64}\n){3}index\.json\noci-layout\n$/);
});

const references = [
  ['nginx', 'docker.io/library/nginx:latest'],
  ['minio/minio:1', 'docker.io/minio/minio:1'],
  ['localhost/a', 'localhost/a:latest'],
  ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b:latest'],
  ['quay.io/a/b:2', 'quay.io/a/b:2'],
] as const;
for (const [name, want] of references)
  test(`archive: ${name} in full is ${want}`, () => assert.equal(fullReference(name), want));
