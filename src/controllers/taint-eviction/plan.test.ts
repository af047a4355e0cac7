import assert from 'node:assert/strict';
import test from 'node:test';
import type { Taint, Toleration } from '#api/generated/core-v1.ts';
import { pod } from '#controllers/fixtures.ts';
import { type EvictionFacts, planEviction } from '#controllers/taint-eviction/plan.ts';

const now = 1_000_000;
const unreachable: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
const own: Taint = { key: 'gpu', value: 'yes', effect: 'NoExecute' };
const tolerates = (taint: Taint, tolerationSeconds?: number): Toleration => ({
  key: taint.key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
/** Since 10 s, to go in 290 s. */
const scheduled = { uid: 'web', since: now - 10_000, dueAt: now + 290_000 };

const cases: readonly ({ name: string; want: string } & Partial<Omit<EvictionFacts, 'now'>>)[] = [
  { name: 'no taints', want: 'nothing' },
  { name: 'taints that only repel', taints: [{ ...own, effect: 'NoSchedule' }], want: 'nothing' },
  { name: 'not tolerated', taints: [own], want: 'evict' },
  {
    name: 'one of two not tolerated',
    taints: [unreachable, own],
    pod: pod({ tolerations: [tolerates(own)] }),
    want: 'evict',
  },
  { name: 'tolerated for ever', taints: [own], pod: pod({ tolerations: [tolerates(own)] }), want: 'nothing' },
  {
    name: 'everything is tolerated, as by static pods',
    taints: [unreachable, own],
    pod: pod({ tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] }),
    want: 'nothing',
  },
  {
    name: 'tolerated for a while',
    taints: [unreachable],
    pod: pod({ tolerations: [tolerates(unreachable, 300)] }),
    want: 'wait 300',
  },
  {
    name: 'the shortest counts, of all that match',
    taints: [unreachable, own],
    pod: pod({
      tolerations: [tolerates(unreachable, 300), { operator: 'Exists', tolerationSeconds: 60 }, tolerates(own)],
    }),
    want: 'wait 60',
  },
  { name: 'for no time', taints: [own], pod: pod({ tolerations: [tolerates(own, 0)] }), want: 'evict' },
  { name: 'for a negative time', taints: [own], pod: pod({ tolerations: [tolerates(own, -5)] }), want: 'evict' },
  {
    name: 'told for no reason: the time runs on',
    taints: [unreachable],
    pod: pod({ tolerations: [tolerates(unreachable, 300)] }),
    scheduled,
    want: 'wait 290',
  },
  {
    name: 'another taint: the time runs on',
    taints: [own],
    pod: pod({ tolerations: [tolerates(own, 100)] }),
    scheduled,
    want: 'wait 90',
  },
  {
    name: 'a toleration that is over by now',
    taints: [own],
    pod: pod({ tolerations: [tolerates(own, 10)] }),
    scheduled,
    want: 'evict',
  },
  { name: 'the taint has gone in time', taints: [], scheduled, want: 'cancel' },
  { name: 'the node has gone: somebody else sees to that', taints: undefined, scheduled, want: 'cancel' },
  {
    name: 'a toleration without an end has come in time',
    taints: [own],
    pod: pod({ tolerations: [tolerates(own)] }),
    scheduled,
    want: 'cancel',
  },
  { name: 'ends already', taints: [own], pod: pod({ ending: true }), scheduled, want: 'nothing' },
  { name: 'gone', taints: [own], pod: undefined, scheduled, want: 'nothing' },
  {
    name: 'a namesake has a time of its own',
    taints: [own],
    pod: pod({ uid: 'other', tolerations: [tolerates(own, 100)] }),
    scheduled,
    want: 'wait 100',
  },
  { name: 'a namesake was never about to go', taints: [], pod: pod({ uid: 'other' }), scheduled, want: 'nothing' },
  { name: 'has ended: it goes all the same', taints: [own], pod: pod({ phase: 'Succeeded' }), want: 'evict' },
];
for (const { name, want, ...facts } of cases)
  test(`planEviction: ${name}`, () => {
    const plan = planEviction({ pod: pod(), taints: [], scheduled: undefined, now, ...facts });
    assert.equal(plan.kind === 'wait' ? `wait ${(plan.scheduled.dueAt - now) / 1000}` : plan.kind, want);
  });
