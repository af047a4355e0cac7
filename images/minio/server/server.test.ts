import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { answer } from '#images/minio/server/api.ts';
import { parseArguments } from '#images/minio/server/arguments.ts';
import { MultipartUploads } from '#images/minio/server/multipart.ts';
import { type Keys, sha256, sign, signChunk } from '#images/minio/server/signature.ts';
import { Storage } from '#images/minio/server/storage.ts';
import { elements } from '#images/minio/server/xml.ts';

const keys = { accessKey: 'minio', secretKey: 'minio123' };

interface Sent {
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly keys?: Keys;
  /** What is said of the body instead of its hash. */
  readonly payload?: string;
  readonly unsigned?: boolean;
}

/** A server on a folder of its own, and the smallest client that signs. */
async function world() {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-s3-'));
  const start = async () => {
    const storage = new Storage(folder);
    storage.open();
    const api = { keys, region: 'us-east-1', storage, uploads: new MultipartUploads(storage) };
    const server = createServer((request, response) => void answer(api, request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  };
  let server = await start();
  const call = async (method: string, path: string, sent: Sent = {}) => {
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const url = new URL(`http://127.0.0.1:${port}${path}`);
    const { headers, signature } = signed(method, url, sent);
    const body =
      typeof sent.body === 'string' && sent.payload?.startsWith('STREAMING')
        ? chunked(sent.body, signature)
        : (sent.body ?? null);
    const response = await fetch(url, {
      method,
      headers,
      body: typeof body === 'string' || body === null ? body : new Uint8Array(body),
      redirect: 'manual',
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return {
    call,
    restart: async () => {
      server.closeAllConnections();
      server.close();
      server = await start();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

function signed(method: string, url: URL, sent: Sent) {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const payload = sent.payload ?? sha256(sent.body ?? '');
  const { accessKey, secretKey } = sent.keys ?? keys;
  const headers: Record<string, string> = {
    host: url.host,
    'x-amz-date': date,
    'x-amz-content-sha256': payload,
    ...sent.headers,
  };
  const signedHeaders = Object.keys(headers).toSorted();
  const day = date.slice(0, 8);
  const signature = sign(
    { method, url, headers },
    { secretKey, date, day, region: 'us-east-1', signedHeaders, payload },
  );
  if (sent.unsigned !== true)
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${accessKey}/${signature.scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature.value}`;
  return { headers, signature };
}

/** In chunks of five bytes, each signed. */
function chunked(text: string, signature: ReturnType<typeof sign>): string {
  let previous = signature.value;
  return [...(text.match(/.{1,5}/gs) ?? []), ''].reduce((body, chunk) => {
    previous = signChunk(signature, previous, Buffer.from(chunk));
    return `${body}${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}\r\n`;
  }, '');
}

const code = (text: string): string | undefined => elements(text, 'Code')[0];

test('S3: buckets and objects come and go', async () => {
  await using s3 = await world();
  assert.equal((await s3.call('PUT', '/pages')).status, 200);
  assert.equal(code((await s3.call('PUT', '/pages')).text), 'BucketAlreadyOwnedByYou');
  const put = await s3.call('PUT', '/pages/a%20b/%C3%BC.txt', {
    body: '0123456789',
    headers: { 'content-type': 'text/x', 'x-amz-meta-who': 'me' },
  });
  assert.equal(put.headers.get('etag'), '"781e5e245d69b566979b86e28d23f2c7"');
  const got = await s3.call('GET', '/pages/a%20b/%C3%BC.txt');
  assert.deepEqual(
    [got.text, got.headers.get('content-type'), got.headers.get('x-amz-meta-who')],
    ['0123456789', 'text/x', 'me'],
  );
  for (const [range, want, where] of [
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ] as const) {
    const part = await s3.call('GET', '/pages/a%20b/%C3%BC.txt', { headers: { range } });
    assert.deepEqual([part.status, part.text, part.headers.get('content-range')], [206, want, where]);
  }
  assert.equal((await s3.call('GET', '/pages/a%20b/%C3%BC.txt', { headers: { range: 'bytes=10-' } })).status, 416);
  assert.equal(code((await s3.call('DELETE', '/pages')).text), 'BucketNotEmpty');
  await s3.restart();
  assert.equal((await s3.call('HEAD', '/pages/a%20b/%C3%BC.txt')).headers.get('content-length'), '10');
  assert.equal((await s3.call('DELETE', '/pages/a%20b/%C3%BC.txt')).status, 204);
  assert.equal(code((await s3.call('GET', '/pages/a%20b/%C3%BC.txt')).text), 'NoSuchKey');
  assert.equal((await s3.call('DELETE', '/pages')).status, 204);
  assert.equal(code((await s3.call('GET', '/pages')).text), 'NoSuchBucket');
});

test("S3: listings have pages, prefixes and folders; a key may be another's folder", async () => {
  await using s3 = await world();
  await s3.call('PUT', '/b-1');
  for (const key of ['a', 'a/1', 'a/2', 'b&c', 'd/x/y'])
    await s3.call('PUT', `/b-1/${key.replace('&', '%26')}`, { body: key });
  const all = await s3.call('GET', '/b-1?list-type=2');
  assert.deepEqual(elements(all.text, 'Key'), ['a', 'a/1', 'a/2', 'b&amp;c', 'd/x/y']);
  const folders = await s3.call('GET', '/b-1?delimiter=%2F&list-type=2');
  assert.deepEqual(elements(folders.text, 'Key'), ['a', 'b&amp;c']);
  assert.deepEqual(elements(folders.text, 'CommonPrefixes'), ['<Prefix>a/</Prefix>', '<Prefix>d/</Prefix>']);
  const seen: string[] = [];
  for (let token: string | undefined = ''; token !== undefined;) {
    const next = token === '' ? '' : `continuation-token=${encodeURIComponent(token)}&`;
    const page: { readonly text: string } = await s3.call('GET', `/b-1?${next}delimiter=%2F&list-type=2&max-keys=1`);
    seen.push(...elements(page.text, 'Key'), ...elements(page.text, 'CommonPrefixes'));
    token = elements(page.text, 'NextContinuationToken')[0]?.replace('&amp;', '&');
  }
  assert.deepEqual(seen, ['a', '<Prefix>a/</Prefix>', 'b&amp;c', '<Prefix>d/</Prefix>']);
  const gone = await s3.call('POST', '/b-1?delete', {
    body: '<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object></Delete>',
  });
  assert.equal(elements(gone.text, 'Deleted').length, 2);
  assert.deepEqual(elements((await s3.call('GET', '/b-1?prefix=a')).text, 'Key'), ['a/1', 'a/2']);
});

test('S3: parts become one object, copies keep what they copy', async () => {
  await using s3 = await world();
  await s3.call('PUT', '/big');
  const id = elements(
    (await s3.call('POST', '/big/x?uploads', { headers: { 'content-type': 'text/y' } })).text,
    'UploadId',
  )[0];
  const etags: (string | null)[] = [];
  for (const [number, body] of [
    [1, 'first '],
    [2, 'second'],
  ] as const)
    etags.push((await s3.call('PUT', `/big/x?partNumber=${number}&uploadId=${id}`, { body })).headers.get('etag'));
  const parts = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
  const wrong = await s3.call('POST', `/big/x?uploadId=${id}`, {
    body: '<C><Part><PartNumber>9</PartNumber><ETag>"x"</ETag></Part></C>',
  });
  assert.equal(code(wrong.text), 'InvalidPart');
  const done = await s3.call('POST', `/big/x?uploadId=${id}`, {
    body: `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`,
  });
  assert.match(elements(done.text, 'ETag')[0] ?? '', /-2&quot;$/);
  assert.equal(code((await s3.call('DELETE', `/big/x?uploadId=${id}`)).text), 'NoSuchUpload');
  await s3.call('PUT', '/big/copy', { headers: { 'x-amz-copy-source': '/big/x' } });
  const copy = await s3.call('GET', '/big/copy');
  assert.deepEqual([copy.text, copy.headers.get('content-type')], ['first second', 'text/y']);
});

test('S3: bodies are checked against what was signed', async () => {
  await using s3 = await world();
  await s3.call('PUT', '/bucket');
  const streamed = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
  const headers = { 'content-encoding': 'aws-chunked' };
  assert.equal(
    (await s3.call('PUT', '/bucket/c', { body: 'hello chunked world', payload: streamed, headers })).status,
    200,
  );
  const got = await s3.call('GET', '/bucket/c');
  assert.deepEqual([got.text, got.headers.get('content-encoding')], ['hello chunked world', null]);
  const forged = Buffer.from(
    `5;chunk-signature=${'0'.repeat(64)}\r\nhello\r\n0;chunk-signature=${'0'.repeat(64)}\r\n\r\n`,
  );
  assert.equal(
    code((await s3.call('PUT', '/bucket/f', { body: forged, payload: streamed, headers })).text),
    'SignatureDoesNotMatch',
  );
  const trailing = Buffer.from('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n');
  await s3.call('PUT', '/bucket/t', { body: trailing, payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers });
  assert.equal((await s3.call('GET', '/bucket/t')).text, 'hello');
  const cut = await s3.call('PUT', '/bucket/t', {
    body: Buffer.from('5\r\nhel'),
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers,
  });
  assert.equal(code(cut.text), 'InvalidArgument');
  assert.equal(
    code((await s3.call('PUT', '/bucket/h', { body: 'other', payload: sha256('this') })).text),
    'XAmzContentSHA256Mismatch',
  );
  assert.deepEqual(elements((await s3.call('GET', '/bucket')).text, 'Key'), ['c', 't']);
});

test('S3: keys are checked, and what is not supported is refused', async () => {
  await using s3 = await world();
  assert.equal((await s3.call('GET', '/')).status, 200);
  assert.equal(
    code((await s3.call('GET', '/', { keys: { ...keys, secretKey: 'minio124' } })).text),
    'SignatureDoesNotMatch',
  );
  assert.equal(code((await s3.call('GET', '/', { keys: { ...keys, accessKey: 'other' } })).text), 'InvalidAccessKeyId');
  assert.equal(code((await s3.call('GET', '/', { unsigned: true })).text), 'AccessDenied');
  await s3.call('PUT', '/bucket');
  assert.equal((await s3.call('GET', '/bucket?versioning')).status, 501);
  assert.equal(code((await s3.call('PUT', '/..%2fetc')).text), 'InvalidBucketName');
});

const settings = (args: readonly string[], environment: Record<string, string> = {}) => {
  const wish = parseArguments(args, environment);
  return wish.kind === 'serve' ? wish.settings : wish.why;
};
const wanted = [
  {
    name: 'the defaults',
    args: ['server', '/data'],
    environment: {},
    want: {
      api: { host: '', port: 9000 },
      console: undefined,
      folder: '/data',
      accessKey: 'minioadmin',
      secretKey: 'minioadmin',
      region: 'us-east-1',
    },
  },
  {
    name: 'the old names of the keys',
    args: ['server', '--console-address', ':9001', '/storage'],
    environment: { MINIO_ACCESS_KEY: 'minio', MINIO_SECRET_KEY: 'minio123' },
    want: {
      api: { host: '', port: 9000 },
      console: { host: '', port: 9001 },
      folder: '/storage',
      ...keys,
      region: 'us-east-1',
    },
  },
  {
    name: 'the new names before the old',
    args: ['server', '--address=127.0.0.1:7', '/d'],
    environment: {
      MINIO_ROOT_USER: 'root',
      MINIO_ROOT_PASSWORD: 'password',
      MINIO_ACCESS_KEY: 'minio',
      MINIO_SECRET_KEY: 'minio123',
    },
    want: {
      api: { host: '127.0.0.1', port: 7 },
      console: undefined,
      folder: '/d',
      accessKey: 'root',
      secretKey: 'password',
      region: 'us-east-1',
    },
  },
  {
    name: 'a short password is refused',
    args: ['server', '/d'],
    environment: { MINIO_ROOT_USER: 'root', MINIO_ROOT_PASSWORD: 'short' },
    want: 'MINIO_ROOT_USER needs at least 3 characters and MINIO_ROOT_PASSWORD at least 8',
  },
  {
    name: 'a bad address is refused',
    args: ['server', '--address', '9000', '/d'],
    environment: {},
    want: 'an address is [HOST]:PORT',
  },
  {
    name: 'several folders are refused',
    args: ['server', '/a', '/b'],
    environment: {},
    want: 'this stand-in keeps objects in one folder of one machine',
  },
] as const;
for (const { name, args, environment, want } of wanted)
  test(`minio's arguments: ${name}`, () => assert.deepEqual(settings(args, environment), want));
