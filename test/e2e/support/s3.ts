import { createHash, createHmac } from 'node:crypto';

export interface S3Request {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly body?: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A request as it goes over the wire in HTTP/1.1, signed by AWS Signature Version 4: for who has nothing but `nc`. */
export function signedRequest(request: S3Request, now: Date = new Date()): string {
  const { method, host, path, body = '', accessKey, secretKey } = request;
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const hash = sha256(body);
  const headers = [`host:${host}`, `x-amz-content-sha256:${hash}`, `x-amz-date:${time}`];
  const signed = 'host;x-amz-content-sha256;x-amz-date';
  const canonical = [method, path, '', ...headers, '', signed, hash].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretKey}`);
  const signature = hmac(key, toSign).toString('hex');
  return [
    `${method} ${path} HTTP/1.1`,
    ...headers,
    `authorization:AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    `content-length:${Buffer.byteLength(body)}`,
    'connection:close',
    '',
    body,
  ].join('\r\n');
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
