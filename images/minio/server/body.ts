/** Bodies as clients send them: whole, or in signed or unsigned chunks (`aws-chunked`). */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { S3Error } from '#images/minio/server/s3-error.ts';
import { type Signature, signChunk } from '#images/minio/server/signature.ts';

/** A chunk is held in memory to check its signature; clients send 64 KiB to 1 MiB. */
const largestChunkBytes = 64 << 20;

/**
 * The object's bytes. Throws an `S3Error` at the end, or before, when they are not what was signed: whoever stores them
 * must not let them count before the iteration is over.
 */
export async function* payloadOf(request: IncomingMessage, signature: Signature): AsyncGenerator<Uint8Array> {
  if (signature.payload.startsWith('STREAMING-')) {
    yield* unchunk(request, signature);
    return;
  }
  const hash = createHash('sha256');
  for await (const chunk of bytesOf(request)) {
    hash.update(chunk);
    yield chunk;
  }
  if (/^[0-9a-f]{64}$/.test(signature.payload) && hash.digest('hex') !== signature.payload)
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      'The provided x-amz-content-sha256 header does not match what was computed.',
    );
}

/** `SIZE-IN-HEX[;chunk-signature=…]\r\n…\r\n`, until a chunk of size 0, after which trailers may follow. */
async function* unchunk(source: AsyncIterable<unknown>, signature: Signature): AsyncGenerator<Uint8Array> {
  const isSigned = signature.payload.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  let previous = signature.value;
  let ended = false;
  let rest = Buffer.alloc(0);
  for await (const piece of bytesOf(source)) {
    if (ended) continue;
    rest = Buffer.concat([rest, piece]);
    for (let chunk = takeChunk(rest); chunk && !ended; chunk = takeChunk(rest)) {
      const expected = isSigned ? signChunk(signature, previous, chunk.data) : undefined;
      if (expected !== undefined && expected !== chunk.signature)
        throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk does not match.');
      previous = expected ?? previous;
      ended = chunk.data.length === 0;
      if (!ended) yield chunk.data;
      rest = rest.subarray(chunk.end);
    }
  }
  if (!ended) throw new S3Error('InvalidArgument', 'The body ended before its last chunk.');
}

interface Chunk {
  readonly data: Uint8Array;
  readonly signature: string | undefined;
  /** Bytes it takes up, framing included. */
  readonly end: number;
}

/** `undefined` until the chunk is complete. */
function takeChunk(bytes: Buffer): Chunk | undefined {
  const lineEnd = bytes.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const match = /^([0-9a-f]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(
    bytes.subarray(0, lineEnd).toString('latin1'),
  );
  const size = Number.parseInt(match?.[1] ?? '', 16);
  if (!match || size > largestChunkBytes) throw new S3Error('InvalidArgument', 'A chunk of the body does not parse.');
  const start = lineEnd + 2;
  if (size === 0) return { data: bytes.subarray(start, start), signature: match[2], end: bytes.length };
  if (bytes.length < start + size + 2) return undefined;
  return { data: bytes.subarray(start, start + size), signature: match[2], end: start + size + 2 };
}

async function* bytesOf(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) if (chunk instanceof Uint8Array) yield chunk;
}
