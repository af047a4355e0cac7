/**
 * The files of a kit under construction: content by digest in the storage layout of Debian's docker-registry, so that a
 * registry can serve the folder as it is; and archives, each one image in OCI layout, for `ctr images import`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, existsSync, linkSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Blob, type Document, type ImageDocuments, archiveIndex } from '#images/kit/oci.ts';
import { tarOf } from '#images/kit/tar.ts';
import { Tree } from '#images/kit/tree.ts';

/** An image whose blobs are in the kit. */
export interface StoredImage {
  readonly documents: ImageDocuments;
  /** Bottom first. */
  readonly layers: readonly Blob[];
}

/** Where a kit's registry keeps a blob's bytes. */
export function blobPath(kit: string, digest: string): string {
  const hex = hexOf(digest);
  return join(kit, 'registry/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}

/** Writes a layer's archive and hashes it on the way. */
export function writeLayer(kit: string, tree: Tree): Blob {
  const temporary = join(kit, `layer-${randomUUID()}`);
  const { digest, size } = writeAll(temporary, tarOf(tree));
  const target = blobPath(kit, digest);
  mkdirSync(dirname(target), { recursive: true });
  renameSync(temporary, target);
  return { digest, size };
}

/** Takes a blob over from another kit; `false` when that one does not have it. */
export function adoptBlob(kit: string, from: string, digest: string): boolean {
  const [source, target] = [blobPath(from, digest), blobPath(kit, digest)];
  if (!existsSync(source)) return false;
  mkdirSync(dirname(target), { recursive: true });
  if (!existsSync(target)) linkSync(source, target);
  return true;
}

export function writeDocument(kit: string, { digest, bytes }: Document): void {
  const target = blobPath(kit, digest);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
}

/** Makes the registry know the image by these names. Its blobs are there already. */
export function nameInRegistry(kit: string, references: readonly string[], { documents, layers }: StoredImage): void {
  for (const reference of references) {
    const { repository, tag } = inRegistry(reference);
    const folder = join(kit, 'registry/docker/registry/v2/repositories', repository);
    const link = (place: string, digest: string): void => {
      mkdirSync(join(folder, place), { recursive: true });
      writeFileSync(join(folder, place, 'link'), digest);
    };
    const manifest = documents.manifest.digest;
    for (const { digest } of [documents.config, ...layers]) link(`_layers/sha256/${hexOf(digest)}`, digest);
    link(`_manifests/revisions/sha256/${hexOf(manifest)}`, manifest);
    link(`_manifests/tags/${tag}/index/sha256/${hexOf(manifest)}`, manifest);
    link(`_manifests/tags/${tag}/current`, manifest);
  }
}

/** The whole image in one file. Its layers are copied from the kit's blobs. */
export function writeArchive(kit: string, name: string, reference: string, image: StoredImage): string {
  const { manifest, config } = image.documents;
  const index = archiveIndex(manifest, reference);
  const tree = new Tree()
    .file('oci-layout', '{"imageLayoutVersion":"1.0.0"}')
    .file('index.json', index.bytes)
    .file(`blobs/sha256/${hexOf(manifest.digest)}`, manifest.bytes)
    .file(`blobs/sha256/${hexOf(config.digest)}`, config.bytes);
  for (const { digest, size } of image.layers)
    tree.file(`blobs/sha256/${hexOf(digest)}`, { path: blobPath(kit, digest), size });
  const archive = `archives/${name}.tar`;
  mkdirSync(join(kit, 'archives'), { recursive: true });
  writeAll(join(kit, archive), tarOf(tree));
  return archive;
}

/** A mirror knows images by their path alone: `docker.io/library/nginx:latest` is `library/nginx`, tag `latest`. */
export function inRegistry(reference: string): { readonly repository: string; readonly tag: string } {
  const match = /^[^/]+\/(.+):([^:/]+)$/.exec(reference);
  if (!match) throw new Error(`"${reference}" is not a full reference like docker.io/library/nginx:latest`);
  return { repository: match[1]!, tag: match[2]! };
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

function writeAll(path: string, chunks: Iterable<Uint8Array>): Blob {
  const hash = createHash('sha256');
  let size = 0;
  const file = openSync(path, 'wx');
  try {
    for (const chunk of chunks) {
      hash.update(chunk);
      for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written);
      size += chunk.length;
    }
  } finally {
    closeSync(file);
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
