import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imagesIn } from '#images/archive.ts';
import { archiveIndex, architecture, documentOf, mediaTypes } from '#images/kit/oci.ts';
import { tarOf } from '#images/kit/tar.ts';
import { Tree } from '#images/kit/tree.ts';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';

/** Writes an image archive into the cluster's data directory: the kit's busybox with another command. Gives its path. */
export function archiveOf({ dataDir, paths }: E2eCluster, reference: string, command: readonly string[]): string {
  const busybox = join(paths.cache, 'kit/archives/busybox.tar');
  const [image] = imagesIn(busybox);
  const layers = image!.blobs.slice(1);
  const config = documentOf({
    created: '1970-01-01T00:00:00Z',
    architecture,
    os: 'linux',
    config: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: command },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const manifest = documentOf({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: config.digest, size: config.size },
    layers: layers.map(({ digest, size }) => ({ mediaType: mediaTypes.layer, digest, size })),
  });
  const tree = new Tree();
  const blob = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
  tree.file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  tree.file('index.json', archiveIndex(manifest, reference).bytes);
  for (const { digest, bytes } of [config, manifest]) tree.file(blob(digest), bytes);
  const kit = readFileSync(busybox);
  for (const { digest, offset, size } of layers) tree.file(blob(digest), kit.subarray(offset, offset + size));
  const archive = join(dataDir, `${reference.replaceAll(/[/:]/g, '_')}.tar`);
  writeFileSync(archive, Buffer.concat([...tarOf(tree)]));
  return archive;
}
