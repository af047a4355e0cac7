import { request } from 'node:https';
import type { Status } from '#api/errors.ts';
import { readKubeconfig } from '#client/kubeconfig.ts';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';

export interface ApiAsk {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who asks; nobody unless told. */
  readonly as?: { readonly certificate: string; readonly key: string };
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

/** One request as a stranger's program would send it: HTTP/1.1, a connection of its own, nothing between it and the server. */
export async function askApi(cluster: E2eCluster, ask: ApiAsk): Promise<ApiAnswer> {
  const { certificateAuthority: ca } = await readKubeconfig(cluster.kubeconfig);
  const { method = 'GET', path, body, headers = {}, as } = ask;
  return await new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: cluster.port,
      agent: false,
      method,
      path,
      timeout: 10_000,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) },
      ...(ca === undefined ? {} : { ca }),
      ...(as === undefined ? {} : { cert: as.certificate, key: as.key }),
    };
    const asking = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    asking.on('timeout', () => asking.destroy(new Error(`${method} ${path}: no answer within 10 s`)));
    asking.on('error', reject);
    asking.end(body);
  });
}

/** As the administrator, by the certificate in the kubeconfig. */
export async function administrator(cluster: E2eCluster): Promise<NonNullable<ApiAsk['as']>> {
  const { clientCertificate, clientKey } = await readKubeconfig(cluster.kubeconfig);
  if (clientCertificate === undefined || clientKey === undefined) throw new Error('the kubeconfig has no certificate');
  return { certificate: clientCertificate, key: clientKey };
}

/** The Status a refusal carries. */
export const statusIn = ({ text }: ApiAnswer): Status => JSON.parse(text) as Status;
