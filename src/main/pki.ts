import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateDirectory } from '#host/data-dir.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { createCa, fitness, issue, type KeyPair, type LeafRequest } from '#wire/certificates.ts';

/** Everyone's papers in one cluster. All are PEM texts, kept in DATA/pki (mode 0600). */
export interface Pki {
  readonly caCertificate: string;
  readonly apiServer: KeyPair;
  /** In group system:masters: what the kubeconfig carries. */
  readonly admin: KeyPair;
  /** What the API server shows to nodes. */
  readonly nodeClient: KeyPair;
  /** What nodes serve with, and show to the API, by their names. */
  readonly nodes: ReadonlyMap<string, KeyPair>;
  /** Signs the tokens of service accounts. */
  readonly tokenKey: string;
}

export interface PkiOptions {
  readonly directory: string;
  /** Names and addresses the API server is reached by. */
  readonly serverNames: readonly string[];
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly now: number;
}

/** Reads what is there, makes what is missing, and renews what has less than a third of its life left. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const { directory, serverNames, now } = options;
  privateDirectory(directory);
  const ca = readPair(directory, 'ca') ?? keepPair(directory, 'ca', await createCa('peapod', now));
  const leaf = async (name: string, request: LeafRequest): Promise<KeyPair> => {
    const known = readPair(directory, name);
    const names = request.kind === 'server' ? request.names : [];
    if (known && fitness(known, ca.certificate, names, now).kind === 'good') return known;
    return keepPair(directory, name, await issue(ca, request, now));
  };
  const masters = ['system:masters'];
  const [apiServer, admin, nodeClient, ...nodes] = await Promise.all([
    leaf('apiserver', { kind: 'server', commonName: 'kube-apiserver', names: serverNames }),
    leaf('admin', { kind: 'client', commonName: 'kubernetes-admin', organizations: masters }),
    leaf('apiserver-kubelet-client', {
      kind: 'client',
      commonName: 'kube-apiserver-kubelet-client',
      organizations: masters,
    }),
    ...options.nodes.map(({ name, addresses }) =>
      leaf(nodeFile(name), {
        kind: 'server',
        commonName: `system:node:${name}`,
        organizations: ['system:nodes'],
        names: [name, ...addresses],
        alsoClient: true,
      }),
    ),
  ]);
  return {
    caCertificate: ca.certificate,
    apiServer,
    admin,
    nodeClient,
    nodes: new Map(options.nodes.map(({ name }, at) => [name, nodes[at]!])),
    tokenKey: await tokenKey(directory),
  };
}

const nodeFile = (node: string): string => `node-${node}`;

/** What a node needs of it, which is in a process of its own. Throws when it was never made. */
export function papersOf(
  directory: string,
  node: string,
): { readonly caCertificate: string; readonly papers: KeyPair } {
  const papers = readPair(directory, nodeFile(node));
  if (papers === undefined) throw new Error(`node ${node} has no certificate in ${directory}`);
  return { caCertificate: readFileSync(join(directory, 'ca.crt'), 'utf8'), papers };
}

async function tokenKey(directory: string): Promise<string> {
  const file = join(directory, 'sa.key');
  if (!existsSync(file)) keep(file, await ServiceAccountTokens.newKey());
  return readFileSync(file, 'utf8');
}

function readPair(directory: string, name: string): KeyPair | undefined {
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  if (!existsSync(certificate) || !existsSync(key)) return undefined;
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** The key first: a certificate without its key would be taken for whole. */
function keepPair(directory: string, name: string, pair: KeyPair): KeyPair {
  keep(join(directory, `${name}.key`), pair.key);
  keep(join(directory, `${name}.crt`), pair.certificate);
  return pair;
}

function keep(file: string, text: string): void {
  writeFileSync(`${file}.draft`, text, { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}
