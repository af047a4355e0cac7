import assert from 'node:assert/strict';
import test from 'node:test';
import { S3Error } from '#images/minio/server/s3-error.ts';
import { type SignedRequest, checkSignature } from '#images/minio/server/signature.ts';

/** The worked examples in the signature's specification: keys, requests and what comes out. */
const keys = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const then = Date.UTC(2013, 4, 24, 0, 0, 0);
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';

const get: SignedRequest = {
  method: 'GET',
  url: new URL('http://examplebucket.s3.amazonaws.com/test.txt'),
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    range: 'bytes=0-9',
    'x-amz-content-sha256': empty,
    'x-amz-date': '20130524T000000Z',
    authorization: `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41`,
  },
};
const presigned: SignedRequest = {
  method: 'GET',
  url: new URL(
    `https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${encodeURIComponent(credential)}&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
  ),
  headers: { host: 'examplebucket.s3.amazonaws.com' },
};

test("signature: the specification's examples pass, in the header and in the URL", () => {
  assert.equal(checkSignature(get, keys, then).payload, empty);
  assert.equal(checkSignature(presigned, keys, then + 3600_000).payload, 'UNSIGNED-PAYLOAD');
});

const refused: readonly {
  readonly name: string;
  readonly request: SignedRequest;
  readonly secretKey?: string;
  readonly at?: number;
  readonly want: string;
}[] = [
  { name: 'a wrong secret', request: get, secretKey: 'wrong', want: 'SignatureDoesNotMatch' },
  { name: 'a changed path', request: { ...get, url: new URL('/test.txt2', get.url) }, want: 'SignatureDoesNotMatch' },
  { name: 'a changed query', request: { ...get, url: new URL('?acl', get.url) }, want: 'SignatureDoesNotMatch' },
  { name: 'a changed method', request: { ...get, method: 'PUT' }, want: 'SignatureDoesNotMatch' },
  {
    name: 'a changed header',
    request: { ...get, headers: { ...get.headers, range: 'bytes=0-10' } },
    want: 'SignatureDoesNotMatch',
  },
  { name: 'an old request', request: get, at: then + 16 * 60_000, want: 'RequestTimeTooSkewed' },
  { name: 'a request from the future', request: get, at: then - 16 * 60_000, want: 'RequestTimeTooSkewed' },
  { name: 'an expired URL', request: presigned, at: then + 86_401_000, want: 'AccessDenied' },
  { name: 'no signature', request: { ...get, headers: { host: 'x' } }, want: 'AccessDenied' },
  {
    name: 'another key',
    request: {
      ...get,
      headers: { ...get.headers, authorization: String(get.headers['authorization']).replace('AKIA', 'BKIA') },
    },
    want: 'InvalidAccessKeyId',
  },
  {
    name: 'another version',
    request: { ...get, headers: { ...get.headers, authorization: 'AWS AKIA:abc' } },
    want: 'AccessDenied',
  },
];
for (const { name, request, secretKey, at, want } of refused)
  test(`signature: ${name} is refused with ${want}`, () => {
    assert.throws(
      () => checkSignature(request, { ...keys, ...(secretKey !== undefined && { secretKey }) }, at ?? then),
      (error) => error instanceof S3Error && error.code === want,
    );
  });
