/**
 * The S3 API, path style: `/BUCKET/KEY`. A request is authenticated, then handed to the operation that its method, its
 * target (service, bucket, object) and its query name. What is not there is refused as NotImplemented, never ignored.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { payloadOf } from '#images/minio/server/body.ts';
import { listDocument } from '#images/minio/server/listing.ts';
import type { MultipartUploads } from '#images/minio/server/multipart.ts';
import { S3Error } from '#images/minio/server/s3-error.ts';
import { type Keys, type Signature, checkSignature } from '#images/minio/server/signature.ts';
import type { Range, Storage, StoredObject } from '#images/minio/server/storage.ts';
import { elements, textOf, xmlDocument, type XmlValue } from '#images/minio/server/xml.ts';

export interface Api {
  readonly keys: Keys;
  readonly region: string;
  readonly storage: Storage;
  readonly uploads: MultipartUploads;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly signature: Signature;
  readonly bucket: string;
  readonly key: string;
}

type Operation = (api: Api, call: Call) => Promise<void> | void;

/** By method and by the query parameters that change what it means, in their order in the alphabet. */
const bucketOperations: Readonly<Record<string, Operation>> = {
  PUT: ({ storage }, { bucket, response }) => {
    storage.createBucket(bucket);
    response.writeHead(200, { location: `/${bucket}` }).end();
  },
  HEAD: ({ storage }, { bucket, response }) => {
    storage.objects(bucket);
    response.writeHead(200).end();
  },
  DELETE: ({ storage }, { bucket, response }) => {
    storage.deleteBucket(bucket);
    response.writeHead(204).end();
  },
  GET: ({ storage }, { bucket, query, response }) =>
    sendXml(response, 'ListBucketResult', listDocument(bucket, storage.objects(bucket), query)),
  'GET location': ({ storage, region }, { bucket, response }) => {
    storage.objects(bucket);
    sendXml(response, 'LocationConstraint', region === 'us-east-1' ? '' : region);
  },
  'POST delete': deleteMany,
};

const objectOperations: Readonly<Record<string, Operation>> = {
  PUT: putObject,
  GET: getObject,
  HEAD: getObject,
  DELETE: ({ storage }, { bucket, key, response }) => {
    storage.delete(bucket, key);
    response.writeHead(204).end();
  },
  'POST uploads': ({ storage, uploads }, { bucket, key, request, response }) => {
    storage.objects(bucket);
    sendXml(response, 'InitiateMultipartUploadResult', {
      Bucket: bucket,
      Key: key,
      UploadId: uploads.start(bucket, key, keptHeaders(request)),
    });
  },
  'PUT partNumber uploadId': async ({ uploads }, { query, request, response, signature }) => {
    if (request.headers['x-amz-copy-source'] !== undefined)
      throw new S3Error('NotImplemented', 'UploadPartCopy is not supported.');
    const etag = await uploads.add(
      query.get('uploadId')!,
      Number(query.get('partNumber')),
      payloadOf(request, signature),
    );
    response.writeHead(200, { etag: `"${etag}"` }).end();
  },
  'POST uploadId': completeUpload,
  'DELETE uploadId': ({ uploads }, { query, response }) => {
    uploads.abort(query.get('uploadId')!);
    response.writeHead(204).end();
  },
};

/** Query parameters that choose an operation; all others only refine it. */
const choosing =
  /^(acl|cors|delete|encryption|legal-hold|lifecycle|location|notification|object-lock|partNumber|policy|policyStatus|publicAccessBlock|replication|retention|select|tagging|torrent|uploadId|uploads|versioning|versions|website)$/;

/** Answers a request; never rejects. */
export async function answer(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = new URL(`http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`);
    if (/^\/minio\/health\/(live|ready|cluster)$/.test(url.pathname)) {
      response.writeHead(200).end();
      return;
    }
    const { method = 'GET', headers } = request;
    const signature = checkSignature({ method, url, headers }, api.keys, Date.now());
    const [bucket = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const call = { request, response, query: url.searchParams, signature, bucket, key: rest.join('/') };
    const names = [...new Set(url.searchParams.keys())].filter((name) => choosing.test(name)).toSorted();
    const operation = operationFor(call, [method, ...names].join(' '));
    await operation(api, call);
  } catch (error) {
    refuse(request, response, error);
  }
}

function operationFor({ bucket, key }: Call, name: string): Operation {
  const operation =
    bucket === ''
      ? name === 'GET'
        ? listBuckets
        : undefined
      : (key === '' ? bucketOperations : objectOperations)[name];
  if (!operation) throw new S3Error('NotImplemented', `This stand-in for MinIO does not support ${name} here.`);
  return operation;
}

function listBuckets({ storage, keys }: Api, { response }: Call): void {
  const buckets = storage
    .buckets()
    .map(({ name, createdAt }) => ({ Name: name, CreationDate: new Date(createdAt).toISOString() }));
  sendXml(response, 'ListAllMyBucketsResult', {
    Owner: { ID: keys.accessKey, DisplayName: keys.accessKey },
    Buckets: { Bucket: buckets },
  });
}

async function putObject({ storage }: Api, { bucket, key, request, response, signature }: Call): Promise<void> {
  const source = request.headers['x-amz-copy-source'];
  if (typeof source === 'string') {
    const [from = '', ...rest] = decodeURIComponent(source).replace(/^\//, '').split('/');
    const original = storage.object(from, rest.join('/'));
    const replaces = request.headers['x-amz-metadata-directive'] === 'REPLACE';
    const about = { key, headers: replaces ? keptHeaders(request) : original.headers };
    const copy = await storage.put(bucket, about, storage.read(from, original.key));
    sendXml(response, 'CopyObjectResult', {
      LastModified: new Date(copy.modifiedAt).toISOString(),
      ETag: `"${copy.etag}"`,
    });
    return;
  }
  const object = await storage.put(bucket, { key, headers: keptHeaders(request) }, payloadOf(request, signature));
  response.writeHead(200, { etag: `"${object.etag}"` }).end();
}

async function getObject({ storage }: Api, { bucket, key, request, response }: Call): Promise<void> {
  const object = storage.object(bucket, key);
  const headers = {
    ...object.headers,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
  };
  const etags = (request.headers['if-none-match'] ?? '').split(',').map((each) => each.trim());
  if (etags.includes(`"${object.etag}"`) || etags.includes('*')) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = rangeOf(request.headers.range, object);
  const length = range ? range.last - range.first + 1 : object.size;
  const part = range && { 'content-range': `bytes ${range.first}-${range.last}/${object.size}` };
  response.writeHead(range ? 206 : 200, { ...headers, ...part, 'content-length': length });
  if (request.method === 'HEAD' || length === 0) response.end();
  else await pipeline(storage.read(bucket, key, range), response);
}

async function completeUpload(
  { uploads }: Api,
  { bucket, key, query, request, response, signature }: Call,
): Promise<void> {
  const parts = elements(await textBody(request, signature), 'Part').map((part) => ({
    number: Number(elements(part, 'PartNumber')[0]),
    etag: textOf(elements(part, 'ETag')[0] ?? '').replaceAll('"', ''),
  }));
  const object = await uploads.complete(query.get('uploadId')!, parts);
  sendXml(response, 'CompleteMultipartUploadResult', {
    Location: `/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: `"${object.etag}"`,
  });
}

async function deleteMany({ storage }: Api, { bucket, request, response, signature }: Call): Promise<void> {
  const body = await textBody(request, signature);
  const keys = elements(body, 'Key').map(textOf);
  for (const key of keys) storage.delete(bucket, key);
  const isQuiet = elements(body, 'Quiet')[0] === 'true';
  sendXml(response, 'DeleteResult', { Deleted: isQuiet ? undefined : keys.map((Key) => ({ Key })) });
}

/** Content-Type and its kin, and the user's own x-amz-meta-…, come back with the object. */
function keptHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const kept =
    /^(cache-control|content-disposition|content-encoding|content-language|content-type|expires|x-amz-meta-.+)$/;
  const pairs = Object.entries(request.headers).flatMap(([name, value]): readonly (readonly [string, string])[] => {
    if (!kept.test(name) || typeof value !== 'string') return [];
    // How the body was sent is not how the object is encoded.
    const own = name === 'content-encoding' ? value.replace(/\baws-chunked\b,?\s*/, '') : value;
    return own === '' ? [] : [[name, own]];
  });
  return { 'content-type': 'binary/octet-stream', ...Object.fromEntries(pairs) };
}

/** `undefined`: all of it. Several ranges at once are answered with all of it too, as HTTP allows. */
function rangeOf(header: string | undefined, { size }: StoredObject): Range | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const first = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const last = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (first > last) throw new S3Error('InvalidRange', 'The requested range is not satisfiable');
  return { first, last };
}

async function textBody(request: IncomingMessage, signature: Signature): Promise<string> {
  const chunks = await Array.fromAsync(payloadOf(request, signature));
  return Buffer.concat(chunks).toString();
}

function sendXml(response: ServerResponse, name: string, value: XmlValue): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(xmlDocument(name, value));
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // The client has gone in the middle, and nobody is left to tell.
  if (response.destroyed) return;
  const refusal =
    error instanceof S3Error
      ? error
      : new S3Error('InternalError', error instanceof Error ? error.message : String(error));
  if (refusal.code === 'InternalError') console.error(error);
  // Unread, the rest of a body would be taken for the next request.
  request.resume();
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = xmlDocument('Error', { Code: refusal.code, Message: refusal.message, Resource: request.url ?? '/' });
  response
    .writeHead(refusal.status, { 'content-type': 'application/xml' })
    .end(request.method === 'HEAD' ? undefined : body);
}
