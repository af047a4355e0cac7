/** The documents of the OCI image format, as bytes with their digests. Pure: same layers and image, same bytes. */
import { createHash } from 'node:crypto';
import type { ImageSpec } from '#images/kit/image.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** Of content that is stored by its digest. Layers here are not compressed, so a layer's digest is its diff id too. */
export interface Blob {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface Document extends Blob {
  readonly bytes: Buffer;
}

export interface ImageDocuments {
  readonly manifest: Document;
  readonly config: Document;
}

export const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

export function imageDocuments(image: ImageSpec, version: string | undefined, layers: readonly Blob[]): ImageDocuments {
  const labels = {
    'org.opencontainers.image.title': image.name,
    'org.opencontainers.image.description': image.description,
    ...(version !== undefined && { 'org.opencontainers.image.version': version }),
    ...(image.standInFor !== undefined && { 'peapod.dev/stand-in-for': image.standInFor }),
  };
  // A fixed date: the image is what went in, whenever it was made.
  const created = '1970-01-01T00:00:00Z';
  const config = documentOf({
    created,
    architecture,
    os: 'linux',
    config: { ...image.config, Labels: labels },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    history: image.layers.map((layer) => ({ created, created_by: `peapod image kit: layer ${layer.name}` })),
  });
  const manifest = documentOf({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: config.digest, size: config.size },
    layers: layers.map(({ digest, size }) => ({ mediaType: mediaTypes.layer, digest, size })),
    annotations: labels,
  });
  return { manifest, config };
}

/**
 * The index of an archive, with the image's name in the annotations that containerd and others read. One name only:
 * podman and skopeo refuse an archive that seems to hold several images.
 */
export function archiveIndex(manifest: Blob, reference: string): Document {
  const annotations = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  };
  const platform = { architecture, os: 'linux' };
  const { digest, size } = manifest;
  return documentOf({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ mediaType: mediaTypes.manifest, digest, size, platform, annotations }],
  });
}

export function documentOf(value: unknown): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, size: bytes.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}
