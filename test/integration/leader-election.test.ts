import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiError } from '#api/errors.ts';
import type { Client } from '#client/client.ts';
import { lead, LeadershipLostError } from '#client/leader-election.ts';
import { leaseResource } from '#client/resources.ts';
import { settle } from '#lib/fake-clock.ts';
import { startMemoryApi, type MemoryApi } from '#test/integration/support/memory-api.ts';

const ref = { namespace: 'kube-system', name: 'peapod' };

interface Candidate {
  readonly stop: AbortController;
  readonly ended: Promise<unknown>;
  readonly leading: () => boolean;
}
function stand(api: MemoryApi, identity: string, client: Client = api.client): Candidate {
  const stop = new AbortController();
  let leading = false;
  const work = async (signal: AbortSignal): Promise<void> => {
    leading = true;
    try {
      await api.clock.sleep(1e9, signal);
    } finally {
      leading = false;
    }
  };
  const ended = lead({ client, clock: api.clock, lease: ref, identity, random: () => 0 }, work, stop.signal).then(
    () => 'ended',
    (error: unknown) => error,
  );
  return { stop, ended, leading: () => leading };
}
/** A client that can be cut off, as by a partition: calls hang until they are aborted, or fail. */
function partitioned(inner: Client): { readonly client: Client; how: 'whole' | 'hangs' | 'fails' } {
  const state: { client: Client; how: 'whole' | 'hangs' | 'fails' } = { client: inner, how: 'whole' };
  const reach = async (signal: AbortSignal): Promise<void> => {
    if (state.how === 'fails') throw new ApiError('ServiceUnavailable', 'no route to host');
    if (state.how === 'hangs')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  state.client = {
    ...inner,
    get: async (resource, object, signal) => (await reach(signal), inner.get(resource, object, signal)),
    update: async (resource, object, signal) => (await reach(signal), inner.update(resource, object, signal)),
  };
  return state;
}

test('lead: one of two leads; when it stops, the other follows within its retry period', async () => {
  await using api = await startMemoryApi();
  const a = stand(api, 'a');
  await settle();
  const b = stand(api, 'b');
  await api.clock.advance(60_000);
  assert.deepEqual([a.leading(), b.leading()], [true, false]);
  a.stop.abort();
  assert.equal(await a.ended, 'ended');
  await api.clock.advance(2_000);
  assert.equal(b.leading(), true);
  const lease = await api.client.get(leaseResource, ref, api.never);
  assert.equal(lease?.spec.holderIdentity, 'b');
  assert.equal(lease.spec.leaseTransitions, 1);
  b.stop.abort();
  await b.ended;
  assert.equal((await api.client.get(leaseResource, ref, api.never))?.spec.holderIdentity, '');
});

for (const how of ['hangs', 'fails'] as const) {
  test(`lead: who cannot renew because the server ${how} stops before anybody else begins`, async () => {
    await using api = await startMemoryApi();
    const link = partitioned(api.client);
    const a = stand(api, 'a', link.client);
    await settle();
    const b = stand(api, 'b');
    await api.clock.advance(10_000);
    assert.equal(a.leading(), true);
    link.how = how;
    let together = 0;
    let nobody = 0;
    for (let ms = 0; ms < 30_000; ms += 100) {
      await api.clock.advance(100);
      if (a.leading() && b.leading()) together++;
      if (!a.leading() && !b.leading()) nobody++;
    }
    assert.equal(together, 0);
    assert.ok(nobody > 10, 'there is time between the two');
    assert.equal(b.leading(), true);
    assert.ok((await a.ended) instanceof LeadershipLostError);
    b.stop.abort();
    await b.ended;
  });
}

test('lead: what the work throws is what it rejects with, and the lease is given back', async () => {
  await using api = await startMemoryApi();
  const options = { client: api.client, clock: api.clock, lease: ref, identity: 'a' };
  const oops = new Error('oops');
  await assert.rejects(
    lead(options, () => Promise.reject(oops), api.never),
    (error) => error === oops,
  );
  assert.equal((await api.client.get(leaseResource, ref, api.never))?.spec.holderIdentity, '');
  await lead(options, async () => {}, api.never);
});
