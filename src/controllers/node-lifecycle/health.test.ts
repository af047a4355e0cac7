import assert from 'node:assert/strict';
import test from 'node:test';
import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node } from '#api/generated/core-v1.ts';
import type { ObjectKey } from '#api/meta.ts';
import { node } from '#controllers/fixtures.ts';
import { NodeHealths } from '#controllers/node-lifecycle/health.ts';
import { FakeClock } from '#lib/fake-clock.ts';

const key = 'n1' as ObjectKey;
const said = (status: 'True' | 'Unknown', lastHeartbeatTime: string): Node =>
  node({ ready: undefined, conditions: [{ type: 'Ready', status, lastHeartbeatTime }] });
const lease = (renewTime: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'n1', namespace: 'kube-node-lease' } as never,
  spec: { renewTime },
});

test('NodeHealths: counts from when it saw a change, whatever the node takes the time to be', async () => {
  const clock = new FakeClock(1_000_000);
  const healths = new NodeHealths(clock);
  const after = async (seconds: number, change: () => void): Promise<unknown> => {
    await clock.advance(seconds * 1000);
    change();
    const health = healths.of('n1');
    return health && [clock.now() - health.heardAt, clock.now() - health.readySince].map((ms) => ms / 1000);
  };
  const saw = (before: Node | undefined, now: Node | undefined) => () =>
    healths.nodeChanged({ key, before, after: now });
  const first = said('True', '1999');
  assert.deepEqual(
    await after(5, () => healths.leaseChanged({ key, before: undefined, after: lease('a') })),
    undefined,
  );
  assert.deepEqual(await after(5, saw(undefined, first)), [0, 0], 'first seen now, though it spoke long ago');
  assert.deepEqual(await after(5, saw(first, said('True', '1999'))), [5, 5], 'a change that is no sign of life');
  assert.deepEqual(await after(5, saw(first, said('True', '2000'))), [0, 10]);
  assert.deepEqual(await after(5, saw(said('True', '2000'), said('Unknown', '2000'))), [5, 0], 'what we said of it');
  assert.deepEqual(await after(5, saw(said('Unknown', '2000'), said('True', '1980'))), [0, 0], 'its clock went back');
  assert.deepEqual(await after(5, () => healths.leaseChanged({ key, before: lease('b'), after: lease('b') })), [5, 5]);
  assert.deepEqual(await after(5, () => healths.leaseChanged({ key, before: lease('b'), after: lease('a') })), [0, 10]);
  assert.deepEqual(await after(5, () => healths.beginAnew()), [0, 0]);
  assert.deepEqual(await after(5, saw(said('True', '1980'), undefined)), undefined);
  assert.deepEqual(await after(5, saw(undefined, first)), [0, 0], 'a namesake');
});
