/**
 * Image archives as tools write them: OCI layout in a tar (this kit, `ctr images export`, buildah, Docker since 25) and
 * the older form of `docker save` and `podman save`. Nothing is unpacked; blobs are known by their place in the file.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type Blob, type Document, documentOf, mediaTypes } from '#images/kit/oci.ts';
import { type TarMember, membersOf, readMember } from '#images/kit/tar.ts';

export interface ArchivedImage {
  /** Full references, `docker.io/library/nginx:latest`; none when the archive gives no name. */
  readonly references: readonly string[];
  readonly manifest: Document & { readonly mediaType: string };
  /** Config and layers: what the manifest refers to. */
  readonly blobs: readonly ArchivedBlob[];
}

export interface ArchivedBlob extends Blob {
  readonly offset: number;
}

/** Every image in the archive once, whatever the number of its names. Throws on what is not an image archive. */
export function imagesIn(archive: string): readonly ArchivedImage[] {
  const members = membersOf(archive);
  const content = (name: string): unknown => JSON.parse(readMember(archive, memberOf(members, name)).toString());
  if (members.has('index.json')) return ociImages({ archive, members }, content('index.json'));
  if (members.has('manifest.json')) return dockerImages({ archive, members }, content('manifest.json'));
  throw new Error(`"${archive}" is not an image archive: it has neither index.json nor manifest.json`);
}

/** As people write it to as registries know it: `nginx` is `docker.io/library/nginx:latest`. */
export function fullReference(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const full = hasRegistry ? name : rest.length > 0 ? `docker.io/${name}` : `docker.io/library/${name}`;
  return /:[^/]+$/.test(full) ? full : `${full}:latest`;
}

interface Opened {
  readonly archive: string;
  readonly members: ReadonlyMap<string, TarMember>;
}

interface Descriptor extends Blob {
  readonly mediaType?: string;
  readonly platform?: { readonly architecture?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly mediaType?: string;
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

function ociImages(opened: Opened, index: unknown): readonly ArchivedImage[] {
  const found = new Map<string, { readonly references: string[]; readonly descriptor: Descriptor }>();
  for (const descriptor of asManifest(index).manifests ?? []) {
    const named =
      descriptor.annotations?.['io.containerd.image.name'] ??
      descriptor.annotations?.['org.opencontainers.image.ref.name'];
    const image = found.get(descriptor.digest) ?? { references: [], descriptor };
    // A mere tag, which is what the second annotation holds by its standard, names no repository.
    if (named !== undefined && /[/:]/.test(named)) image.references.push(fullReference(named));
    found.set(descriptor.digest, image);
  }
  return [...found.values()].map(({ references, descriptor }) => ({ references, ...ociImage(opened, descriptor) }));
}

function ociImage(opened: Opened, descriptor: Descriptor): Omit<ArchivedImage, 'references'> {
  const { archive, members } = opened;
  const bytes = readMember(archive, memberOf(members, blobName(descriptor)));
  const document = asManifest(JSON.parse(bytes.toString()));
  if (document.manifests) {
    // Archives of images for many platforms often hold the contents for one.
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
    const fit = document.manifests.find(
      (each) => each.platform?.architecture === architecture && members.has(blobName(each)),
    );
    if (!fit) throw new Error(`"${archive}" has no image for ${architecture}`);
    return ociImage(opened, fit);
  }
  if (!document.config || !document.layers) throw new Error(`"${archive}" holds something that is not an image`);
  const blobs = [document.config, ...document.layers].map(({ digest, size }) => {
    const member = memberOf(members, blobName({ digest }));
    if (member.size !== size)
      throw new Error(`"${archive}" is damaged: ${digest} has ${member.size} bytes instead of ${size}`);
    return { digest, size, offset: member.offset };
  });
  const mediaType = document.mediaType ?? descriptor.mediaType ?? mediaTypes.manifest;
  return { manifest: { bytes, digest: descriptor.digest, size: bytes.length, mediaType }, blobs };
}

interface SavedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

const dockerTypes = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
} as const;

/** This form has no manifest that a registry would take, so one is made of the files' digests. */
function dockerImages({ archive, members }: Opened, list: unknown): readonly ArchivedImage[] {
  if (!isSavedImages(list)) throw new Error(`"${archive}" has a manifest.json that is not of docker save`);
  return list.map((image) => {
    const [config, ...layers] = [image.Config, ...image.Layers].map((name) =>
      digested(archive, memberOf(members, name)),
    );
    const described = (blob: Blob, mediaType: string): Descriptor => ({
      mediaType,
      size: blob.size,
      digest: blob.digest,
    });
    const manifest = documentOf({
      schemaVersion: 2,
      mediaType: dockerTypes.manifest,
      config: described(config!, dockerTypes.config),
      layers: layers.map((layer) => described(layer, dockerTypes.layer)),
    });
    const references = (image.RepoTags ?? []).map(fullReference);
    return { references, manifest: { ...manifest, mediaType: dockerTypes.manifest }, blobs: [config!, ...layers] };
  });
}

function isSavedImages(value: unknown): value is readonly SavedImage[] {
  const isSaved = (each: unknown): boolean =>
    typeof each === 'object' &&
    each !== null &&
    'Config' in each &&
    typeof each.Config === 'string' &&
    'Layers' in each &&
    Array.isArray(each.Layers);
  return Array.isArray(value) && value.every(isSaved);
}

function asManifest(value: unknown): Manifest {
  if (typeof value !== 'object' || value === null)
    throw new Error('an image archive holds a manifest that is not an object');
  return value;
}

function memberOf(members: ReadonlyMap<string, TarMember>, name: string): TarMember {
  const member = members.get(name);
  if (!member) throw new Error(`the image archive refers to ${name}, which it does not have`);
  return member;
}

const blobName = ({ digest }: Pick<Blob, 'digest'>): string => `blobs/${digest.replace(':', '/')}`;

function digested(archive: string, { offset, size }: TarMember): ArchivedBlob {
  const hash = createHash('sha256');
  const file = openSync(archive, 'r');
  try {
    const buffer = Buffer.alloc(1 << 20);
    for (let done = 0; done < size;) {
      const read = readSync(file, buffer, 0, Math.min(buffer.length, size - done), offset + done);
      if (read === 0) throw new Error(`"${archive}" ends too early`);
      hash.update(buffer.subarray(0, read));
      done += read;
    }
  } finally {
    closeSync(file);
  }
  return { digest: `sha256:${hash.digest('hex')}`, size, offset };
}
