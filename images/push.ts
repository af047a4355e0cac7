/** Puts an image from an archive into a registry, by the registry's HTTP API, version 2. */
import { openAsBlob } from 'node:fs';
import { type ArchivedImage, fullReference, imagesIn } from '#images/archive.ts';
import { inRegistry } from '#images/kit/blobs.ts';

export interface Pushed {
  /** The name it has now, in full. */
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: string;
  /** Bytes that had to be sent; blobs the registry had are not counted. */
  readonly sent: number;
}

/**
 * Pushes the image that `archive` knows as `reference`, or its only image whatever its name, to the registry at `base`
 * (`http://127.0.0.1:5000`) under the path and tag of `reference` (`nginx` is `library/nginx`, tag `latest`).
 * Pushing again what is there sends nothing but the manifest. Throws when the archive is not an image, holds several
 * of which none is meant, or the registry refuses; aborted in the middle, the registry has no new name.
 */
export async function pushArchive(
  archive: string,
  base: string,
  reference: string,
  signal: AbortSignal,
): Promise<Pushed> {
  const wanted = fullReference(reference);
  const images = imagesIn(archive);
  const image =
    images.find((each) => each.references.includes(wanted)) ?? (images.length === 1 ? images[0] : undefined);
  if (!image)
    throw new Error(
      `"${archive}" has no image called ${wanted}, but ${images.flatMap((each) => each.references).join(', ') || 'several without a name'}`,
    );
  return pushImage(archive, image, { base, reference: wanted }, signal);
}

/** Pushes one image of an archive under any full reference. */
export async function pushImage(
  archive: string,
  image: ArchivedImage,
  { base, reference }: { readonly base: string; readonly reference: string },
  signal: AbortSignal,
): Promise<Pushed> {
  const { repository, tag } = inRegistry(reference);
  const home = `${base.replace(/\/$/, '')}/v2/${repository}`;
  const file = await openAsBlob(archive);
  let sent = 0;
  for (const { digest, offset, size } of image.blobs) {
    if (await has(`${home}/blobs/${digest}`, signal)) continue;
    await upload(home, { digest, content: file.slice(offset, offset + size) }, signal);
    sent += size;
  }
  const { manifest } = image;
  const headers = { 'content-type': manifest.mediaType };
  await call(`${home}/manifests/${tag}`, { method: 'PUT', headers, body: new Uint8Array(manifest.bytes), signal });
  return { reference, digest: manifest.digest, sent: sent + manifest.size };
}

async function has(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { method: 'HEAD', signal });
  await response.body?.cancel();
  return response.ok;
}

async function upload(
  home: string,
  { digest, content }: { readonly digest: string; readonly content: Blob },
  signal: AbortSignal,
): Promise<void> {
  const started = await call(`${home}/blobs/uploads/`, { method: 'POST', signal });
  const location = new URL(started.headers.get('location') ?? '', home);
  // The registry compares the content with the digest and refuses what does not match.
  location.searchParams.set('digest', digest);
  await call(location, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: content,
    signal,
  });
}

async function call(url: string | URL, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok)
    throw new Error(
      `the registry answered ${init.method} ${new URL(url).pathname} with ${response.status}: ${text.trim().slice(0, 300)}`,
    );
  return response;
}
