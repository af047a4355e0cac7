import type { StoredObject } from '#images/minio/server/storage.ts';
import type { XmlValue } from '#images/minio/server/xml.ts';

export interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  /** Keys and common prefixes up to and including this one are left out. */
  readonly after: string;
  readonly limit: number;
}

export interface Listing {
  readonly objects: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  /** Where to go on; absent when this was all. */
  readonly next: string | undefined;
}

/** One page. Keys that share what stands before the delimiter (after the prefix) count as one common prefix. */
export function list(sorted: readonly StoredObject[], { prefix, delimiter, after, limit }: ListQuery): Listing {
  const objects: StoredObject[] = [];
  const commonPrefixes: string[] = [];
  let last = '';
  for (const object of sorted) {
    if (!object.key.startsWith(prefix)) continue;
    const cut = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    const name = cut < 0 ? object.key : object.key.slice(0, cut + delimiter.length);
    if (name <= after || name === commonPrefixes.at(-1)) continue;
    if (objects.length + commonPrefixes.length >= limit)
      return { objects, commonPrefixes, next: limit === 0 ? undefined : last };
    last = name;
    if (cut < 0) objects.push(object);
    else commonPrefixes.push(name);
  }
  return { objects, commonPrefixes, next: undefined };
}

/** The answer to both versions of ListObjects: they differ in how a client goes on. */
export function listDocument(bucket: string, sorted: readonly StoredObject[], query: URLSearchParams): XmlValue {
  const isSecond = query.get('list-type') === '2';
  const after = (isSecond ? (query.get('continuation-token') ?? query.get('start-after')) : query.get('marker')) ?? '';
  const limit = Math.min(Number(query.get('max-keys') ?? 1000), 1000);
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const page = list(sorted, { prefix, delimiter, after, limit });
  const coded = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string): string => text;
  const going = isSecond
    ? { KeyCount: page.objects.length + page.commonPrefixes.length, NextContinuationToken: page.next }
    : { Marker: coded(after), NextMarker: page.next === undefined ? undefined : coded(page.next) };
  return {
    Name: bucket,
    Prefix: coded(prefix),
    Delimiter: delimiter === '' ? undefined : coded(delimiter),
    EncodingType: query.get('encoding-type') === 'url' ? 'url' : undefined,
    MaxKeys: limit,
    IsTruncated: page.next !== undefined,
    ...going,
    Contents: page.objects.map(({ key, etag, size, modifiedAt }) => ({
      Key: coded(key),
      LastModified: new Date(modifiedAt).toISOString(),
      ETag: `"${etag}"`,
      Size: size,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: page.commonPrefixes.map((name) => ({ Prefix: coded(name) })),
  };
}
