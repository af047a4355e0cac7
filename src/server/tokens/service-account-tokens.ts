import { createPrivateKey, createPublicKey, generateKeyPairSync, createHash, type KeyObject } from 'node:crypto';
import type { User } from '#api/transport.ts';
import type { Clock } from '#lib/clock.ts';
import type { TokenAuthenticator } from '#server/authentication.ts';

export interface TokenOptions {
  /** PEM, PKCS #8, an EC key on P-256. Kept in the data dir: tokens live as long as the key. */
  readonly keyPem: string;
  readonly clock: Clock;
  readonly issuer?: string;
}

/** What a token says of whom it was made for. */
export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** What the token dies with. */
  readonly boundTo?: { readonly kind: string; readonly name: string; readonly uid: string };
}

export interface IssuedToken {
  readonly token: string;
  /** Milliseconds. */
  readonly expiresAt: number;
}

/** Says whether what a token was made for still exists. */
export type TokenGuard = (subject: TokenSubject) => boolean;

const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Signs tokens for service accounts, and knows its own again. The key is read, and the JWT library loaded, with the first token. */
export class ServiceAccountTokens implements TokenAuthenticator {
  readonly #options: TokenOptions;
  readonly issuer: string;
  #keys: Keys | undefined;
  #guard: TokenGuard = () => true;

  constructor(options: TokenOptions) {
    this.#options = options;
    this.issuer = options.issuer ?? DEFAULT_ISSUER;
  }

  static newKey(): Promise<string> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return Promise.resolve(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  }

  /** From now on a token is only accepted while `guard` knows its subject. */
  guardedBy(guard: TokenGuard): void {
    this.#guard = guard;
  }

  async issue(subject: TokenSubject, audiences: readonly string[], seconds: number): Promise<IssuedToken> {
    const { SignJWT } = await import('jose');
    const { signing, id } = this.#loaded();
    const issuedAt = Math.floor(this.#options.clock.now() / 1000);
    const { namespace, name, uid, boundTo } = subject;
    const claims = {
      'kubernetes.io': {
        namespace,
        serviceaccount: { name, uid },
        ...(boundTo ? { [boundTo.kind.toLowerCase()]: { name: boundTo.name, uid: boundTo.uid } } : {}),
      },
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: id })
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${namespace}:${name}`)
      .setAudience([...(audiences.length > 0 ? audiences : [this.issuer])])
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(issuedAt + seconds)
      .setJti(crypto.randomUUID())
      .sign(signing);
    return { token, expiresAt: (issuedAt + seconds) * 1000 };
  }

  async authenticate(token: string): Promise<User | undefined> {
    const { jwtVerify, errors } = await import('jose');
    try {
      const { payload } = await jwtVerify(token, this.#loaded().verifying, {
        issuer: this.issuer,
        audience: this.issuer,
        algorithms: ['ES256'],
        currentDate: new Date(this.#options.clock.now()),
      });
      return this.#userOf(payload['kubernetes.io']);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  #userOf(claims: unknown): User | undefined {
    const said = (claims ?? {}) as {
      namespace?: string;
      serviceaccount?: { name: string; uid: string };
      pod?: { name: string; uid: string };
      secret?: { name: string; uid: string };
      node?: { name: string; uid: string };
    };
    const { namespace, serviceaccount, pod, secret, node } = said;
    if (!namespace || !serviceaccount) return undefined;
    const { name, uid } = serviceaccount;
    const bound = pod
      ? { kind: 'Pod', ...pod }
      : secret
        ? { kind: 'Secret', ...secret }
        : node
          ? { kind: 'Node', ...node }
          : undefined;
    if (!this.#guard({ namespace, name, uid, ...(bound ? { boundTo: bound } : {}) })) return undefined;
    return {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    };
  }

  #loaded(): Keys {
    if (this.#keys) return this.#keys;
    const signing = createPrivateKey(this.#options.keyPem);
    const verifying = createPublicKey(signing);
    const id = createHash('sha256')
      .update(verifying.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    return (this.#keys = { signing, verifying, id });
  }
}

interface Keys {
  readonly signing: KeyObject;
  readonly verifying: KeyObject;
  readonly id: string;
}
