/** A certificate that nobody trusts, made at start: X.509 written by hand, since Node reads it but does not make it. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const lifetimeMs = 10 * 365 * 24 * 3600 * 1000;

/** For `name`, signed by itself, with an EC key (P-256); both in PEM. */
export function selfSigned(name: string): { readonly key: string; readonly cert: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const who = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name))))); // commonName
  const subjectAltName = sequence(oid('551d11'), der(0x04, sequence(der(0x82, Buffer.from(name)))));
  const contents = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    serialNumber(),
    algorithm,
    who,
    sequence(time(Date.now() - 60_000), time(Date.now() + lifetimeMs)),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subjectAltName)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', contents, privateKey));
  const cert = sequence(contents, algorithm, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const long = Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), content.length < 128 ? Buffer.from([content.length]) : long, content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
/** Positive and without a leading zero byte, as strict readers want it. */
const serialNumber = (): Buffer => integer(Buffer.concat([Buffer.from([0x4a]), randomBytes(15)]));
/** GeneralizedTime is only right from 2050 on in strict readers, UTCTime until then. */
const time = (at: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
