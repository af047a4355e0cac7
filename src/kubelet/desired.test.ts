import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod, PodStatus } from '#api/generated/core-v1.ts';
import { courseOf, desiredOf, evicted, type Heading, headOn, type PodNews, setOut, turnsAt } from '#kubelet/desired.ts';
import { aPod } from '#kubelet/fixtures.ts';

const BEGAN = Date.parse('2026-01-01T00:00:00Z');
const began: PodStatus = { phase: 'Running', startTime: '2026-01-01T00:00:00Z' };
const over: PodStatus = { phase: 'Failed', startTime: '2026-01-01T00:00:00Z' };
const pod = aPod({ terminationGracePeriodSeconds: 10 });
const limited = aPod({ terminationGracePeriodSeconds: 10, activeDeadlineSeconds: 60 });
const deleted = (at: string, of: Pod = pod): Pod => ({ ...of, metadata: { ...of.metadata, deletionTimestamp: at } });
const known = (of: Pod, status: PodStatus | undefined = began): PodNews => ({ pod: of, known: 'yes', status });
const heading = (more: Partial<Heading>): Heading => ({ ...setOut, ...more });
const rejection = { reason: 'OutOfcpu', message: 'no' };

const cases: readonly {
  readonly name: string;
  readonly before?: Heading;
  readonly news: PodNews;
  /** Ms after the pod began. */
  readonly now?: number;
  readonly completed?: boolean;
  readonly want: readonly [kind: string, deadline?: number, cause?: string];
  readonly course?: string;
}[] = [
  { name: 'bound to this node: it is to run', news: known(pod, undefined), want: ['run'], course: 'running' },
  { name: 'within its active deadline', news: known(limited), now: 59_999, want: ['run'] },
  {
    name: 'past its active deadline: it gets its grace period',
    news: known(limited),
    now: 60_000,
    want: ['terminate', 70_000, 'deadline-exceeded'],
    course: 'DeadlineExceeded',
  },
  {
    name: 'a look later the deadline is still the same',
    before: heading({ ending: { cause: 'deadline-exceeded', deadlineAt: BEGAN + 70_000 } }),
    news: known(limited),
    now: 65_000,
    want: ['terminate', 70_000, 'deadline-exceeded'],
  },
  {
    name: 'past it, and ended: what it has goes back',
    before: heading({ ending: { cause: 'deadline-exceeded', deadlineAt: BEGAN + 70_000 } }),
    news: known(limited, over),
    want: ['release'],
  },
  { name: 'ended before its deadline: nothing to end', news: known(limited, over), now: 90_000, want: ['release'] },
  {
    name: 'deleted: whole seconds, rounded down by the API, are not taken from it',
    news: known(deleted('2026-01-01T00:00:05Z')),
    want: ['terminate', 5999, 'deleted'],
    course: 'ending',
  },
  {
    name: 'deleted again with less: nearer',
    before: heading({ ending: { cause: 'deleted', deadlineAt: BEGAN + 30_999 } }),
    news: known(deleted('2026-01-01T00:00:02Z')),
    want: ['terminate', 2999, 'deleted'],
  },
  {
    name: 'a deadline never moves away',
    before: heading({ ending: { cause: 'deleted', deadlineAt: BEGAN + 2999 } }),
    news: known(deleted('2026-01-01T00:00:30Z')),
    want: ['terminate', 2999, 'deleted'],
  },
  {
    name: 'deleted while its deadline ends it: it goes, no later than it would have ended',
    before: heading({ ending: { cause: 'deadline-exceeded', deadlineAt: BEGAN + 3000 } }),
    news: known(deleted('2026-01-01T00:00:30Z', limited)),
    want: ['terminate', 3000, 'deleted'],
  },
  {
    name: 'deleted after it ended: it goes',
    news: known(deleted('2026-01-01T00:00:05Z'), over),
    want: ['terminate', 5999, 'deleted'],
  },
  { name: 'gone from the API: two seconds', news: { pod, known: 'gone', status: began }, want: ['forget', 2000] },
  {
    name: 'gone, and less than that was its grace period',
    news: { pod: aPod({ terminationGracePeriodSeconds: 1 }), known: 'gone', status: began },
    want: ['forget', 1000],
  },
  {
    name: 'found in the runtime alone',
    news: { pod: undefined, known: 'gone', status: undefined },
    want: ['forget', 2000],
  },
  {
    name: 'gone while it was being deleted: no later than that',
    before: heading({ ending: { cause: 'deleted', deadlineAt: BEGAN + 500 } }),
    news: { pod, known: 'gone', status: began },
    want: ['forget', 500],
  },
  {
    name: 'gone for a while: its time does not start anew',
    before: heading({ forgetBy: BEGAN + 100 }),
    news: { pod, known: 'gone', status: began },
    now: 50,
    want: ['forget', 100],
  },
  {
    name: 'turned away: nothing is made for it',
    before: heading({ rejection }),
    news: known(pod, undefined),
    want: ['release'],
    course: 'rejected',
  },
  {
    name: 'turned away and deleted: its object goes',
    before: heading({ rejection }),
    news: known(deleted('2026-01-01T00:00:05Z'), over),
    want: ['terminate', 5999, 'deleted'],
    course: 'rejected',
  },
  {
    name: 'only its sidecars are left: they end in their time',
    news: known(pod),
    now: 10,
    completed: true,
    want: ['terminate', 10_010, 'completed'],
    course: 'ending',
  },
];

for (const { name, before = setOut, news, now = 0, completed = false, want, course } of cases) {
  const at = { now: BEGAN + now, completed };
  test(`desired: ${name}`, () => {
    const next = headOn(before, news, at);
    const desired = desiredOf(next, news);
    const deadline = 'deadlineAt' in desired ? [desired.deadlineAt - BEGAN] : [];
    assert.deepEqual([desired.kind, ...deadline, ...('cause' in desired ? [desired.cause] : [])], want);
    const said = courseOf(next);
    if (course !== undefined) assert.equal(said.kind === 'ending' ? (said.reason ?? said.kind) : said.kind, course);
    assert.deepEqual(headOn(next, news, at), next, 'looking twice changes nothing');
  });
}

test('desired: who keeps too much is evicted, with a second to go; who ends already is not', () => {
  const told = { message: 'too big', now: BEGAN };
  const next = evicted(setOut, known(pod), told);
  assert.deepEqual(courseOf(next), { kind: 'ending', reason: 'Evicted', message: 'too big' });
  assert.deepEqual(desiredOf(next, known(pod)), {
    kind: 'terminate',
    pod,
    cause: 'evicted',
    deadlineAt: BEGAN + 1000,
    why: { reason: 'Evicted', message: 'too big' },
  });
  assert.equal(evicted(next, known(pod), { ...told, now: BEGAN + 500 }), next);
  assert.equal(evicted(setOut, known(pod, over), told), setOut);
  assert.equal(evicted(setOut, known(deleted('2026-01-01T00:00:05Z')), told), setOut);
});

test('desired: the active deadline is when to look again, until the pod ends', () => {
  assert.equal(turnsAt(setOut, known(limited)), BEGAN + 60_000);
  assert.equal(turnsAt(setOut, known(limited, { phase: 'Pending' })), undefined, 'it has not begun');
  assert.equal(turnsAt(setOut, known(limited, over)), undefined);
  assert.equal(turnsAt(setOut, known(pod)), undefined);
  assert.equal(turnsAt(heading({ ending: { cause: 'deleted', deadlineAt: 1 } }), known(limited)), undefined);
});
