import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { S3Error } from '#images/minio/server/s3-error.ts';
import type { Storage, StoredObject } from '#images/minio/server/storage.ts';

interface Part {
  readonly file: string;
  readonly etag: string;
  readonly size: number;
}

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, Part>;
}

/** Objects sent in parts, in any order. Uploads end with the process: a client starts such an upload anew. */
export class MultipartUploads {
  readonly #storage: Storage;
  readonly #uploads = new Map<string, Upload>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Returns the upload's id. */
  start(bucket: string, key: string, headers: Readonly<Record<string, string>>): string {
    const id = randomUUID();
    this.#uploads.set(id, { bucket, key, headers, parts: new Map() });
    return id;
  }

  /** Returns the part's ETag. A number that was sent before is replaced. */
  async add(id: string, number: number, source: AsyncIterable<Uint8Array>): Promise<string> {
    const { parts } = this.#upload(id);
    if (!Number.isInteger(number) || number < 1 || number > 10_000)
      throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    const part = await this.#storage.writePart(source);
    const replaced = parts.get(number);
    parts.set(number, part);
    if (replaced) rmSync(replaced.file, { force: true });
    return part.etag;
  }

  /** Joins the named parts to one object, whose ETag is the MD5 of the parts' MD5s with their count behind it. */
  async complete(
    id: string,
    wanted: readonly { readonly number: number; readonly etag: string }[],
  ): Promise<StoredObject> {
    const upload = this.#upload(id);
    const chosen = wanted.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      if (part?.etag !== etag)
        throw new S3Error('InvalidPart', 'One or more of the specified parts could not be found.');
      return part;
    });
    if (chosen.length === 0) throw new S3Error('MalformedXML', 'You must specify at least one part');
    const hash = createHash('md5');
    for (const part of chosen) hash.update(Buffer.from(part.etag, 'hex'));
    const about = { key: upload.key, headers: upload.headers, etag: `${hash.digest('hex')}-${chosen.length}` };
    const object = await this.#storage.put(upload.bucket, about, joined(chosen));
    this.abort(id);
    return object;
  }

  abort(id: string): void {
    for (const part of this.#upload(id).parts.values()) rmSync(part.file, { force: true });
    this.#uploads.delete(id);
  }

  #upload(id: string): Upload {
    const upload = this.#uploads.get(id);
    if (!upload) throw new S3Error('NoSuchUpload', 'The specified multipart upload does not exist.');
    return upload;
  }
}

async function* joined(parts: readonly Part[]): AsyncGenerator<Uint8Array> {
  for (const part of parts)
    for await (const chunk of createReadStream(part.file)) if (chunk instanceof Uint8Array) yield chunk;
}
