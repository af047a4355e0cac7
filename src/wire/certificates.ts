/**
 * X.509 for one cluster: an authority of its own and what it signs, EC P-256 throughout, as PEM text. Whoever keeps the files
 * decides where; this only makes and judges them.
 *
 * A CA is valid for 10 years and a leaf for 1, as kubeadm's are; a leaf is due for renewal when less than a third of its
 * life is left, which a daemon checks when it starts. All begin an hour before they are made: clocks differ.
 *
 * Reading needs nothing but node. Issuing needs a library that takes 100 ms to load, so it is loaded when something must be issued.
 */
import { X509Certificate, createPrivateKey, webcrypto } from 'node:crypto';

export interface KeyPair {
  /** PEM; for a leaf its own certificate alone. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export type LeafRequest =
  | {
      readonly kind: 'server';
      readonly commonName: string;
      readonly organizations?: readonly string[];
      /** DNS names and IP addresses (told apart by their form). A kubelet's certificate serves, and is shown as a client's, too. */
      readonly names: readonly string[];
      readonly alsoClient?: boolean;
    }
  | {
      readonly kind: 'client';
      /** Kubernetes' user name, and the groups. */
      readonly commonName: string;
      readonly organizations?: readonly string[];
    };

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** A new authority that signs certificates and nothing else. */
export async function createCa(commonName: string, now: number): Promise<KeyPair> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(now, 10 * YEAR_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate.toString('pem')), key: await exported(keys.privateKey) };
}

/** Throws when `ca` is not a pair that belongs together. */
export async function issue(ca: KeyPair, request: LeafRequest, now: number): Promise<KeyPair> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(ca.certificate);
  const signingKey = await imported(ca);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const client = request.kind === 'client' || request.alsoClient === true;
  const uses = [...(request.kind === 'server' ? [serverAuth] : []), ...(client ? [clientAuth] : [])];
  const names = request.kind === 'server' ? request.names : [];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subjectOf(request),
    issuer: issuer.subject,
    ...validity(now, YEAR_MS),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(uses, false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names.map(generalName))] : []),
    ],
  });
  return { certificate: pem(certificate.toString('pem')), key: await exported(keys.privateKey) };
}

export type Fitness =
  | { readonly kind: 'good' }
  /** `why` is for people. */
  | { readonly kind: 'replace'; readonly why: string };

/** Whether a leaf can serve on: belongs to its key and to this CA, is not due for renewal, and (a server's) carries all `names`. */
export function fitness(leaf: KeyPair, caCertificate: string, names: readonly string[], now: number): Fitness {
  let certificate: X509Certificate;
  let ca: X509Certificate;
  try {
    certificate = new X509Certificate(leaf.certificate);
    ca = new X509Certificate(caCertificate);
    if (!certificate.checkPrivateKey(createPrivateKey(leaf.key))) return replace('its key is another');
  } catch (error) {
    return replace(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return replace('another CA signed it');
  const { notBefore, notAfter } = validityOf(leaf.certificate);
  if (now < notBefore) return replace('it is not valid yet');
  if (notAfter - now < (notAfter - notBefore) / 3) return replace('less than a third of its life is left');
  const missing = names.find((name) => !carries(certificate, name));
  return missing === undefined ? { kind: 'good' } : replace(`it is not for "${missing}"`);
}

/** Epoch milliseconds. Throws on what is no certificate. */
export function validityOf(certificate: string): { readonly notBefore: number; readonly notAfter: number } {
  const read = new X509Certificate(certificate);
  return { notBefore: read.validFromDate.getTime(), notAfter: read.validToDate.getTime() };
}

const replace = (why: string): Fitness => ({ kind: 'replace', why });

function carries(certificate: X509Certificate, name: string): boolean {
  return (isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
}

const isAddress = (name: string): boolean => name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);

const generalName = (name: string): { type: 'ip' | 'dns'; value: string } => ({
  type: isAddress(name) ? 'ip' : 'dns',
  value: name,
});

/** O before CN, as Kubernetes' own tools write it. One O each: a set of several would be lost on readers that expect one. */
function subjectOf({ commonName, organizations = [] }: LeafRequest): Record<string, string[]>[] {
  return [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }];
}

/** 127 random bits: positive, never the same twice. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(Buffer.alloc(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const validity = (now: number, life: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(now - HOUR_MS),
  notAfter: new Date(now + life),
});

async function imported(ca: KeyPair): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(ca.key);
  if (!new X509Certificate(ca.certificate).checkPrivateKey(key)) {
    throw new Error('sign a certificate: the CA certificate and the CA key do not belong together');
  }
  const der = key.export({ type: 'pkcs8', format: 'der' });
  return await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

async function exported(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}

const pem = (text: string): string => `${text.trimEnd()}\n`;

async function library() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(globalThis.crypto);
  return x509;
}
