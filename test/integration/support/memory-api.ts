import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { parseKubeconfig, transportTo } from '#client/kubeconfig.ts';
import { realClock, type Clock } from '#lib/clock.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { ApiServer } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { MemoryStore } from '#store/memory-store.ts';
import { serve } from '#test/integration/support/serve.ts';

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
const noNode = async (): Promise<never> => {
  throw new Error('there are no nodes in this test');
};

/** In one process, on a clock that the test moves. */
export async function startMemoryApi(): Promise<MemoryApi<FakeClock>> {
  const clock = new FakeClock(Date.parse('2026-01-31T09:00:00Z'));
  await using made = new AsyncDisposableStack();
  const store = made.use(new MemoryStore({ clock }));
  const tokens = new ServiceAccountTokens({ keyPem: await ServiceAccountTokens.newKey(), clock });
  const server = made.use(
    new ApiServer({
      store,
      clock,
      tokens,
      nodes: { stream: noNode, splice: noNode },
      disabledAdmission: ['ServiceAccount', 'TaintNodesByCondition'],
    }),
  );
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

/** Over HTTPS on the loopback interface, as found in a kubeconfig. */
export async function startHttpsApi(): Promise<MemoryApi> {
  await using made = new AsyncDisposableStack();
  const { server, kubeconfig } = made.use(await serve());
  const transport = made.use(transportTo(await parseKubeconfig(kubeconfig)));
  const until = async (condition: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + 5_000; !condition(); await realClock.sleep(5, never))
      if (Date.now() > deadline) throw new Error('it has not come about in five seconds');
  };
  const owned = made.move();
  const client = createClient(transport);
  return { clock: realClock, server, client, never, until, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
