import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { Transport } from '#api/transport.ts';
import { httpsTransport } from '#client/https-transport.ts';

/** How to reach one cluster, and as whom: what a kubeconfig's context comes down to. Certificates and keys are PEM. */
export interface ClusterAccess {
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Whose server certificates are accepted; the public authorities when absent. */
  readonly certificateAuthority?: string;
  /** The name the server's certificate must carry, if not the host of `server`. */
  readonly serverName?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  /** The context's default namespace. */
  readonly namespace?: string;
}

export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** Writes a kubeconfig with one context, its certificates embedded; cluster, user and context are called as given. */
export async function formatKubeconfig(access: ClusterAccess, name: string, user = `${name}-admin`): Promise<string> {
  const { stringify } = await import('yaml');
  const { server, certificateAuthority, serverName, clientCertificate, clientKey, token, namespace } = access;
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name,
          cluster: {
            server,
            'certificate-authority-data': base64(certificateAuthority),
            'tls-server-name': serverName,
          },
        },
      ],
      users: [
        {
          name: user,
          user: { 'client-certificate-data': base64(clientCertificate), 'client-key-data': base64(clientKey), token },
        },
      ],
      contexts: [{ name, context: { cluster: name, user, namespace } }],
      'current-context': name,
      preferences: {},
    },
    { lineWidth: 0 },
  );
}

/** Reads the file; `context` is the current one when absent. Throws KubeconfigError with the path and what is wrong. */
export async function readKubeconfig(path: string, context?: string): Promise<ClusterAccess> {
  try {
    const options = { folder: dirname(path), ...(context === undefined ? {} : { context }) };
    return await parseKubeconfig(await readFile(path, 'utf8'), options);
  } catch (error) {
    throw new KubeconfigError(`read kubeconfig "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/** `folder` is where relative paths in it lead from. Throws KubeconfigError. */
export async function parseKubeconfig(
  text: string,
  { folder = '.', context }: { readonly folder?: string; readonly context?: string } = {},
): Promise<ClusterAccess> {
  const config = fieldsOf(await yamlIn(text));
  const name = context ?? stringIn(config, 'current-context');
  if (name === undefined || name === '') throw new KubeconfigError('it has no current-context');
  const chosen = entry(config, 'context', name);
  const cluster = entry(config, 'cluster', stringIn(chosen, 'cluster') ?? '');
  const userName = stringIn(chosen, 'user');
  const user = userName === undefined ? {} : entry(config, 'user', userName);
  for (const [fields, key] of unsupported.flatMap((key) => [[cluster, key] as const, [user, key] as const]))
    if (fields[key]) throw new KubeconfigError(`"${key}" is not supported`);
  const server = stringIn(cluster, 'server');
  if (server === undefined) throw new KubeconfigError(`cluster "${stringIn(chosen, 'cluster')}" has no server`);
  return defined({
    server,
    certificateAuthority: await pem(cluster, 'certificate-authority', folder),
    serverName: stringIn(cluster, 'tls-server-name'),
    clientCertificate: await pem(user, 'client-certificate', folder),
    clientKey: await pem(user, 'client-key', folder),
    token: stringIn(user, 'token') ?? (await file(stringIn(user, 'tokenFile'), folder))?.trim(),
    namespace: stringIn(chosen, 'namespace'),
  });
}

/** A transport to that cluster; it connects when it is first used. Throws KubeconfigError for a server that is not https. */
export function transportTo(access: ClusterAccess, userAgent?: string): Transport & Disposable {
  const url = URL.parse(access.server);
  if (url?.protocol !== 'https:') throw new KubeconfigError(`server "${access.server}" is not an https URL`);
  if (url.pathname !== '/') throw new KubeconfigError(`server "${access.server}" has a path, which is not supported`);
  const tls = {
    ca: access.certificateAuthority ?? rootCertificates.join('\n'),
    ...defined({ certificate: access.clientCertificate, key: access.clientKey, serverName: access.serverName }),
  };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const target = { kind: 'tls', host, port: Number(url.port || 443), tls } as const;
  return httpsTransport({ target, ...defined({ token: access.token, userAgent }) });
}

/** What would have to be obeyed, or access would be other than the file says. */
const unsupported = ['insecure-skip-tls-verify', 'proxy-url', 'exec', 'auth-provider', 'username', 'as'];

async function yamlIn(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new KubeconfigError(messageOf(error), { cause: error });
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KubeconfigError('it is not a kubeconfig');
  return value as Fields;
}

/** The entry of that name in `clusters`, `users` or `contexts`: its part called `cluster`, `user` or `context`. */
function entry(config: Fields, what: 'cluster' | 'user' | 'context', name: string): Fields {
  const all: unknown = config[`${what}s`] ?? [];
  const found = Array.isArray(all) ? all.map(fieldsOf).find((each) => each['name'] === name) : undefined;
  if (!found) throw new KubeconfigError(`it has no ${what} "${name}"`);
  return fieldsOf(found[what] ?? {});
}

function stringIn(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new KubeconfigError(`"${key}" is not a string`);
  return value;
}

/** Embedded data wins over a path, as for kubectl. */
async function pem(fields: Fields, key: string, folder: string): Promise<string | undefined> {
  const data = stringIn(fields, `${key}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return file(stringIn(fields, key), folder);
}

const file = async (path: string | undefined, folder: string): Promise<string | undefined> =>
  path === undefined ? undefined : readFile(resolve(folder, path), 'utf8');

const base64 = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : Buffer.from(text).toString('base64');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
