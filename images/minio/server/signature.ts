/**
 * AWS Signature Version 4: a request carries a keyed hash of itself. The server makes the same hash with the secret it
 * shares with the client; if they are equal, the client knows the secret and nobody has changed the request.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from '#images/minio/server/s3-error.ts';

export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** What of a request is signed. Header names in lower case. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface Signature {
  /** In hex. */
  readonly value: string;
  /** Key of the day, region and service: chunks of a streamed body are signed with it too. */
  readonly key: Buffer;
  readonly scope: string;
  /** `20261231T235959Z` */
  readonly date: string;
  /** What the client says of the body: its SHA-256 in hex, or UNSIGNED-PAYLOAD, or STREAMING-…. */
  readonly payload: string;
}

/** How far a client's clock may be off, as S3 has it. */
const skewMs = 15 * 60_000;
const algorithm = 'AWS4-HMAC-SHA256';

/** Returns when the request was signed with the keys, in its header or in its query; throws an `S3Error` otherwise. */
export function checkSignature(request: SignedRequest, keys: Keys, now: number): Signature {
  const claim = claimOf(request);
  const [accessKey, day, region, service, end] = claim.credential;
  if (accessKey !== keys.accessKey)
    throw new S3Error('InvalidAccessKeyId', 'The Access Key Id you provided does not exist in our records.');
  if (day === undefined || region === undefined || service !== 's3' || end !== 'aws4_request')
    throw new S3Error('AuthorizationHeaderMalformed', 'The credential is not KEY/DAY/REGION/s3/aws4_request.');
  checkDate(claim, day, now);
  if (!claim.signedHeaders.includes('host')) throw new S3Error('AccessDenied', 'The host header must be signed.');
  const expected = sign(request, { ...claim, secretKey: keys.secretKey, day, region });
  const [given, wanted] = [Buffer.from(claim.signature, 'hex'), Buffer.from(expected.value, 'hex')];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  return expected;
}

export interface Signing {
  readonly secretKey: string;
  readonly date: string;
  /** The first eight characters of a date. */
  readonly day: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly payload: string;
}

/** The signature that a request must carry. */
export function sign(
  request: SignedRequest,
  { secretKey, date, day, region, signedHeaders, payload }: Signing,
): Signature {
  const scope = `${day}/${region}/s3/aws4_request`;
  const canonical = [
    request.method,
    request.url.pathname
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    [...request.url.searchParams]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join('&'),
    ...signedHeaders.map(
      (name) => `${name}:${[request.headers[name] ?? ''].flat().join(',').trim().replace(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders.join(';'),
    payload,
  ].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secretKey}`));
  return {
    value: hmac(key, [algorithm, date, scope, sha256(canonical)].join('\n')).toString('hex'),
    key,
    scope,
    date,
    payload,
  };
}

/** The signature of one chunk of a streamed body, which vouches for the one before it as well. */
export function signChunk({ key, date, scope }: Signature, previous: string, chunk: Uint8Array): string {
  const text = [`${algorithm}-PAYLOAD`, date, scope, previous, sha256(''), sha256(chunk)].join('\n');
  return hmac(key, text).toString('hex');
}

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

interface Claim {
  readonly credential: readonly string[];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly date: string;
  readonly payload: string;
  /** Of a presigned URL: how long it is good for. */
  readonly lifetimeMs: number | undefined;
}

function claimOf({ headers, url }: SignedRequest): Claim {
  const authorization = headers['authorization'];
  if (typeof authorization === 'string') {
    const field = (name: string): string => new RegExp(`[ ,]${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? '';
    if (!authorization.startsWith(`${algorithm} `))
      throw new S3Error('AccessDenied', 'Only signature version 4 is supported.');
    return {
      credential: field('Credential').split('/'),
      signedHeaders: field('SignedHeaders').split(';'),
      signature: field('Signature'),
      date: one(headers['x-amz-date']),
      payload: one(headers['x-amz-content-sha256']),
      lifetimeMs: undefined,
    };
  }
  const query = (name: string): string => url.searchParams.get(name) ?? '';
  if (query('X-Amz-Algorithm') !== algorithm) throw new S3Error('AccessDenied', 'Access Denied.');
  return {
    credential: query('X-Amz-Credential').split('/'),
    signedHeaders: query('X-Amz-SignedHeaders').split(';'),
    signature: query('X-Amz-Signature'),
    date: query('X-Amz-Date'),
    payload: 'UNSIGNED-PAYLOAD',
    lifetimeMs: Number(query('X-Amz-Expires')) * 1000,
  };
}

const one = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : '');

function checkDate({ date, lifetimeMs }: Claim, day: string, now: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  const signedAt = match
    ? Date.UTC(+match[1]!, +match[2]! - 1, +match[3]!, +match[4]!, +match[5]!, +match[6]!)
    : Number.NaN;
  if (!date.startsWith(day) || Number.isNaN(signedAt))
    throw new S3Error('AccessDenied', 'The date of the signature is not valid.');
  if (lifetimeMs === undefined) {
    if (Math.abs(now - signedAt) > skewMs)
      throw new S3Error(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
      );
  } else if (!(now <= signedAt + lifetimeMs && signedAt <= now + skewMs))
    throw new S3Error('AccessDenied', 'Request has expired');
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** RFC 3986: `encodeURIComponent` leaves five characters alone that a signature must not. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
