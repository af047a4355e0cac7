import { fillCluster } from '#cli/cluster-files.ts';
import { readManifests } from '#cli/manifests.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { realClock } from '#lib/clock.ts';
import { ApiServer } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { MemoryStore } from '#store/memory-store.ts';

/**
 * Lends a client of a cluster that stands in files: the API server over a store in memory, and nothing that acts on it. It ends with
 * `work`.
 */
export async function withFileCluster<T>(
  files: readonly string[],
  work: (client: Client) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const clock = realClock;
  await using stack = new AsyncDisposableStack();
  const store = stack.use(new MemoryStore({ clock }));
  const tokens = new ServiceAccountTokens({ keyPem: await ServiceAccountTokens.newKey(), clock });
  // Nobody makes service accounts here, nor says that nodes are ready.
  const disabledAdmission = ['ServiceAccount', 'TaintNodesByCondition'];
  const nodes = { stream: noNode, splice: noNode };
  const server = stack.use(new ApiServer({ store, clock, tokens, nodes, disabledAdmission }));
  await server.start(signal);
  const client = createClient(server.transport({ name: 'kubernetes-admin', groups: ['system:masters'] }));
  await fillCluster(client, await readManifests(files), signal);
  return await work(client);
}

const noNode = async (): Promise<never> => {
  throw new Error('the nodes of these files do not run');
};
