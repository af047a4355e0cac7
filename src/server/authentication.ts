import { ApiError } from '#api/errors.ts';
import type { User } from '#api/transport.ts';

/** What a connection and a request say about who is there. */
export interface Credentials {
  /** The subject of a client certificate that was signed by our CA. */
  readonly certificate: { readonly commonName: string; readonly organizations: readonly string[] } | undefined;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
}

/** Knows the tokens the server itself has issued. Undefined for a token it does not accept. */
export interface TokenAuthenticator {
  authenticate(token: string): Promise<User | undefined>;
}

export const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * The first stage. A client certificate says who is asking (CN the name, O the groups); else a bearer token does; who shows neither is
 * anonymous, which the next stage judges. A credential that is wrong ends the request: 401.
 */
export async function authenticate(credentials: Credentials, tokens: TokenAuthenticator): Promise<User> {
  const { certificate, authorization } = credentials;
  if (certificate) return authenticated({ name: certificate.commonName, groups: certificate.organizations });
  if (authorization === undefined) return anonymous;
  const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (token === undefined) return anonymous;
  const user = await tokens.authenticate(token);
  if (!user) throw new ApiError('Unauthorized', 'Unauthorized');
  return authenticated(user);
}

/** Whoever has shown who they are belongs to this group. */
export function authenticated(user: User): User {
  if (user.groups.includes('system:authenticated') || user.name === anonymous.name) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}
