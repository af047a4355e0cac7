import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { formatKubeconfig, parseKubeconfig, transportTo } from '#client/kubeconfig.ts';
import { realClock, type Clock } from '#lib/clock.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { httpHandler } from '#server/http/handler.ts';
import { NodeProxy } from '#server/nodes/node-proxy.ts';
import { ApiServer } from '#server/server.ts';
import { MemoryStore } from '#store/memory-store.ts';
import { createCa, issue } from '#wire/certificates.ts';
import { HttpServer } from '#wire/http-server.ts';

/** The real API server over the memory store. Nothing else runs in it. */
export interface MemoryApi<C extends Clock = Clock> extends AsyncDisposable {
  readonly clock: C;
  readonly server: ApiServer;
  /** As a cluster's administrator. */
  readonly client: Client;
  readonly never: AbortSignal;
  /** Waits until it is so; throws when it does not become so without time passing (in process) or in five seconds (HTTPS). */
  until(condition: () => boolean): Promise<void>;
}

const never = new AbortController().signal;
const tokens = { authenticate: async () => undefined };
const noNode = async (): Promise<never> => {
  throw new Error('there are no nodes in this test');
};
const nodes = { stream: noNode, splice: noNode };

/** In one process, on a clock that the test moves. */
export async function startMemoryApi(): Promise<MemoryApi<FakeClock>> {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  await using made = new AsyncDisposableStack();
  const store = made.use(new MemoryStore({ clock }));
  const server = made.use(new ApiServer({ store, clock, tokens, nodes }));
  await server.start(never);
  const client = createClient(server.transport({ name: 'admin', groups: ['system:masters'] }));
  const until = async (condition: () => boolean): Promise<void> => {
    for (let turn = 0; !condition(); turn++) {
      if (turn === 100) throw new Error('it does not come about by itself');
      await settle();
    }
  };
  const owned = made.move();
  return { clock, server, client, never, until, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Over HTTPS on the loopback interface, with certificates of its own, as found in a kubeconfig. */
export async function startHttpsApi(): Promise<MemoryApi> {
  const clock = realClock;
  await using made = new AsyncDisposableStack();
  const store = made.use(new MemoryStore({ clock }));
  const server = made.use(new ApiServer({ store, clock, tokens, nodes }));
  await server.start(never);
  const ca = await createCa('test-ca', Date.now());
  const names = ['127.0.0.1'];
  const serving = await issue(ca, { kind: 'server', commonName: 'kube-apiserver', names }, Date.now());
  const stop = new AbortController();
  const handler = httpHandler({ stages: server, tokens, nodes: new NodeProxy(nodes), clock, signal: stop.signal });
  const onError = (error: unknown): void => console.error(error);
  const http = made.use(new HttpServer({ ...serving, clientCa: ca.certificate, handler, onError }));
  made.defer(() => stop.abort());
  const { port } = await http.listen('127.0.0.1', 0);
  const admin = { kind: 'client', commonName: 'admin', organizations: ['system:masters'] } as const;
  const { certificate, key } = await issue(ca, admin, Date.now());
  const kubeconfig = await formatKubeconfig(
    { server: `https://127.0.0.1:${port}`, certificateAuthority: ca.certificate, clientCertificate: certificate, clientKey: key },
    'test',
  );
  const transport = made.use(transportTo(await parseKubeconfig(kubeconfig)));
  const until = async (condition: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + 5_000; !condition(); await realClock.sleep(5, never))
      if (Date.now() > deadline) throw new Error('it has not come about in five seconds');
  };
  const owned = made.move();
  return { clock, server, client: createClient(transport), never, until, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
