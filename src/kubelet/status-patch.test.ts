import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodStatus } from '#api/generated/core-v1.ts';
import { aPod, aSandbox, created, exited, found, observed, running } from '#kubelet/fixtures.ts';
import type { Observed } from '#kubelet/observed.ts';
import { statusOf, type OwnStatus } from '#kubelet/status.ts';
import { publishDelay, sameStatus, statusPatch } from '#kubelet/status-patch.ts';

const of = (seen: Partial<Observed>, now = 0): OwnStatus =>
  statusOf(
    { pod: aPod(), course: { kind: 'running' }, node: { addresses: ['1.2.3.4'], runtimeName: 'test' } },
    observed(seen),
    now,
  );
const up = { sandboxes: [aSandbox()] };
const nothing = of({});
const made = of({ ...up, containers: [found('main', created)] });
const runs = of({ ...up, containers: [found('main', running())] });
const crashed = of({ ...up, containers: [found('main', exited(1), { attempt: 1, restartDelayMs: 10_000 })] }, 1500);
const partly: OwnStatus = {
  ...runs,
  conditions: runs.conditions.map((one) => (one.type === 'Ready' ? { ...one, status: 'False' } : one)),
};
const over: OwnStatus = { ...partly, phase: 'Succeeded' };

const cases: readonly {
  readonly name: string;
  readonly before: PodStatus;
  readonly after: OwnStatus;
  readonly ending?: boolean;
  readonly urgent: boolean;
}[] = [
  { name: 'a sandbox alone can wait', before: nothing, after: made, urgent: false },
  { name: 'the API knows nothing yet: can wait', before: { phase: 'Pending' }, after: nothing, urgent: false },
  { name: 'it runs', before: made, after: runs, urgent: true },
  { name: 'it crashed', before: runs, after: crashed, urgent: true },
  { name: 'it is not ready any more', before: runs, after: partly, urgent: true },
  { name: 'it is ending, and some containers have ended', before: runs, after: partly, ending: true, urgent: false },
  { name: 'it is ending, and all containers have ended', before: partly, after: over, ending: true, urgent: true },
];
for (const c of cases) {
  test(`publishDelay: ${c.name}`, () =>
    assert.equal(publishDelay(c.before, c.after, c.ending ?? false) === 0, c.urgent));
}

test('sameStatus: other writers’ conditions and the order of conditions do not count', () => {
  const others = [{ type: 'example.com/gate', status: 'True' as const }, ...runs.conditions.toReversed()];
  assert.ok(sameStatus({ ...runs, conditions: others }, runs));
  assert.ok(!sameStatus({ ...runs, phase: 'Pending' }, runs));
  assert.ok(!sameStatus({ ...runs, podIP: '10.0.0.1' }, runs));
  assert.ok(!sameStatus(undefined, runs));
});

test('statusPatch: names the pod by UID, replaces addresses, clears what is gone', () => {
  const patch = statusPatch(aPod(), of({ sandboxes: [aSandbox(0, { state: 'not-ready', addresses: [] })] })) as {
    metadata: object;
    status: Record<string, unknown>;
  };
  assert.deepEqual(patch.metadata, { uid: 'uid-1' });
  assert.equal(patch.status['podIP'], null);
  const withAddress = statusPatch(aPod(), runs) as { status: { podIPs: unknown[] } };
  assert.deepEqual(withAddress.status.podIPs.at(-1), { $patch: 'replace' });
});

test('statusPatch: a condition that holds takes back why it did not', () => {
  const { status } = statusPatch(aPod(), runs) as { status: { conditions: Record<string, unknown>[] } };
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.['status'], ready?.['reason'], ready?.['message']], ['True', null, null]);
});
