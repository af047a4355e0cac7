import { realClock } from '#lib/clock.ts';
import { ApiServer, type ApiServerOptions } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { HttpsNodeConnection } from '#server/nodes/https-node-connection.ts';
import { MemoryStore } from '#store/memory-store.ts';
import type { Store } from '#store/store.ts';
import { createCa, issue, type KeyPair } from '#wire/certificates.ts';
import { HttpServer } from '#wire/http-server.ts';

/**
 * The API server alone, over HTTPS on a free port of 127.0.0.1, with a CA of its own.
 *
 *   await using served = await serve();
 *   served.kubeconfig            // for kubectl, as system:masters
 *   served.server.transport(…)   // in process
 *
 * By hand: `bin/node test/integration/support/serve.ts [PORT] [KUBECONFIG]` serves until Ctrl-C.
 */
export interface Served extends AsyncDisposable {
  readonly server: ApiServer;
  readonly store: Store;
  readonly port: number;
  readonly url: string;
  readonly ca: KeyPair;
  readonly kubeconfig: string;
  readonly troubles: readonly unknown[];
  /** A client certificate for this user. */
  credentials(name: string, groups: readonly string[]): Promise<KeyPair>;
}

export interface ServeOptions extends Partial<ApiServerOptions> {
  readonly port?: number;
}

export async function serve(options: ServeOptions = {}): Promise<Served> {
  const { port: wantedPort = 0, clock = realClock } = options;
  const ca = await createCa('test-ca', Date.now());
  const leaf = await issue(
    ca,
    { kind: 'server', commonName: 'kube-apiserver', names: ['127.0.0.1', 'localhost'] },
    Date.now(),
  );
  const store = options.store ?? new MemoryStore({ clock });
  const troubles: unknown[] = [];
  const apiClient = await issue(
    ca,
    { kind: 'client', commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'] },
    Date.now(),
  );
  const nodes = new HttpsNodeConnection({ ca: ca.certificate, certificate: apiClient.certificate, key: apiClient.key });
  const tokens = options.tokens ?? new ServiceAccountTokens({ keyPem: await ServiceAccountTokens.newKey(), clock });
  const onTrouble = (error: unknown): void => void troubles.push(error);
  const server = new ApiServer({
    nodes,
    onTrouble,
    disabledAdmission: ['ServiceAccount', 'TaintNodesByCondition'],
    ...options,
    store,
    clock,
    tokens,
  });
  await server.start(new AbortController().signal);
  const http = new HttpServer({
    certificate: leaf.certificate,
    key: leaf.key,
    clientCa: ca.certificate,
    handler: server.handler,
    upgrade: server.upgradeHandler,
    onError: onTrouble,
  });
  const { port } = await http.listen('127.0.0.1', wantedPort);
  const url = `https://127.0.0.1:${port}`;
  const credentials = (name: string, groups: readonly string[]): Promise<KeyPair> =>
    issue(ca, { kind: 'client', commonName: name, organizations: groups }, Date.now());
  return {
    server,
    store,
    port,
    url,
    ca,
    troubles,
    credentials,
    kubeconfig: kubeconfigOf(url, ca.certificate, await credentials('kubernetes-admin', ['system:masters'])),
    async [Symbol.asyncDispose]() {
      await http.close(0);
      await server[Symbol.asyncDispose]();
      nodes[Symbol.dispose]();
      if (!options.store) await store[Symbol.asyncDispose]();
    },
  };
}

export function kubeconfigOf(url: string, ca: string, client: KeyPair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: 'test',
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
  });
}

if (import.meta.main) {
  const { writeFile } = await import('node:fs/promises');
  const [port = '6443', file = '/tmp/peapod-serve.kubeconfig'] = process.argv.slice(2);
  const served = await serve({ port: Number(port) });
  await writeFile(file, served.kubeconfig, { mode: 0o600 });
  console.log(`${served.url}  KUBECONFIG=${file}`);
  process.once('SIGINT', () => void served[Symbol.asyncDispose]());
  process.once('SIGTERM', () => void served[Symbol.asyncDispose]());
  setInterval(() => {
    for (const trouble of (served.troubles as unknown[]).splice(0)) console.error(trouble);
  }, 500).unref();
}
