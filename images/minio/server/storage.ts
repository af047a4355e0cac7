/**
 * Buckets and objects in one folder: a folder a bucket, and in it, named after the hash of the key, a file with an
 * object's bytes and one with what is known of it. Keys thus may be any text and never meet as "file" and "folder".
 * The index is read once and kept in memory; this process is the folder's only owner.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { S3Error } from '#images/minio/server/s3-error.ts';

export interface StoredObject {
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Headers to give back as they were received. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Bytes of an object, by offset, both ends included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

interface Bucket {
  readonly createdAt: number;
  readonly objects: Map<string, StoredObject>;
}

/** Beside the buckets, and no valid name of one: uploads in progress. */
const temporary = '.peapod';

export class Storage {
  readonly #folder: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads the index. What an interrupted upload left is removed. */
  open(): void {
    rmSync(join(this.#folder, temporary), { recursive: true, force: true });
    mkdirSync(join(this.#folder, temporary), { recursive: true });
    for (const entry of readdirSync(this.#folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || !isBucketName(entry.name)) continue;
      const folder = join(this.#folder, entry.name);
      const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
      const objects = files.map((file): StoredObject => JSON.parse(readFileSync(join(folder, file), 'utf8')));
      const createdAt = statSync(folder).birthtimeMs;
      this.#buckets.set(entry.name, { createdAt, objects: new Map(objects.map((object) => [object.key, object])) });
    }
  }

  buckets(): readonly { readonly name: string; readonly createdAt: number }[] {
    return [...this.#buckets]
      .map(([name, { createdAt }]) => ({ name, createdAt }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  createBucket(name: string): void {
    if (!isBucketName(name)) throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
    if (this.#buckets.has(name))
      throw new S3Error(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
      );
    mkdirSync(join(this.#folder, name), { recursive: true });
    this.#buckets.set(name, { createdAt: Date.now(), objects: new Map() });
  }

  deleteBucket(name: string): void {
    if (this.#bucket(name).objects.size > 0)
      throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty');
    rmSync(join(this.#folder, name), { recursive: true });
    this.#buckets.delete(name);
  }

  /** Its objects, ordered by key; throws NoSuchBucket. */
  objects(bucket: string): readonly StoredObject[] {
    // By code unit, which is the order of UTF-8 for all but the rarest keys.
    return [...this.#bucket(bucket).objects.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  object(bucket: string, key: string): StoredObject {
    const found = this.#bucket(bucket).objects.get(key);
    if (!found) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
    return found;
  }

  /** Stores all of `source` or, if that throws, nothing. `etag` if it is not to be the content's MD5. */
  async put(
    bucket: string,
    about: Pick<StoredObject, 'key' | 'headers'> & { readonly etag?: string },
    source: AsyncIterable<Uint8Array>,
  ): Promise<StoredObject> {
    const { objects } = this.#bucket(bucket);
    if (Buffer.byteLength(about.key) > 1024) throw new S3Error('KeyTooLongError', 'Your key is too long.');
    const part = await this.writePart(source);
    const { key, headers } = about;
    const object = { key, etag: about.etag ?? part.etag, size: part.size, modifiedAt: Date.now(), headers };
    const file = this.#file(bucket, key);
    // The bytes first: a reader of the index must never find none.
    renameSync(part.file, `${file}.data`);
    writeFileSync(`${part.file}.json`, JSON.stringify(object));
    renameSync(`${part.file}.json`, `${file}.json`);
    objects.set(key, object);
    return object;
  }

  /** Writes bytes beside the buckets; whoever calls removes or renames the file. */
  async writePart(
    source: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly file: string; readonly etag: string; readonly size: number }> {
    const file = join(this.#folder, temporary, randomUUID());
    const hash = createHash('md5');
    let size = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of source) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    };
    try {
      await pipeline(counted, createWriteStream(file));
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
    return { file, etag: hash.digest('hex'), size };
  }

  read(bucket: string, key: string, range?: Range): Readable {
    const options = range === undefined ? {} : { start: range.first, end: range.last };
    return createReadStream(`${this.#file(bucket, key)}.data`, options);
  }

  /** Deleting what is not there succeeds, as in S3. */
  delete(bucket: string, key: string): void {
    const { objects } = this.#bucket(bucket);
    objects.delete(key);
    for (const suffix of ['json', 'data']) rmSync(`${this.#file(bucket, key)}.${suffix}`, { force: true });
  }

  has(bucket: string): boolean {
    return this.#buckets.has(bucket) && existsSync(join(this.#folder, bucket));
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (!bucket) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist');
    return bucket;
  }

  #file(bucket: string, key: string): string {
    return join(this.#folder, bucket, createHash('sha256').update(key).digest('hex'));
  }
}

/** S3's rule, which also keeps names from being paths. */
const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..');
