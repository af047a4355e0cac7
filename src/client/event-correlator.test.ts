import assert from 'node:assert/strict';
import test from 'node:test';
import { EventCorrelator, type NewEvent } from '#client/event-correlator.ts';

let made = 0;
const event = (over: Partial<NewEvent> = {}, object = 'web'): NewEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${object}.${++made}`, namespace: 'default' },
  involvedObject: { kind: 'Pod', namespace: 'default', name: object, uid: `uid-${object}`, apiVersion: 'v1' },
  type: 'Warning',
  reason: 'BackOff',
  message: 'Back-off restarting failed container',
  source: { component: 'kubelet', host: 'n1' },
  firstTimestamp: `at ${made}`,
  lastTimestamp: `at ${made}`,
  count: 1,
  ...over,
});
const MINUTE = 60_000;

test('EventCorrelator: the same event again is counted onto the first one', () => {
  const correlator = new EventCorrelator();
  const first = event();
  assert.deepEqual(correlator.correlate(first, 0), { kind: 'create', event: first });
  const again = event();
  const answer = correlator.correlate(again, 1_000);
  assert.equal(answer.kind, 'count');
  assert.ok(answer.kind === 'count');
  assert.equal(answer.event.metadata.name, first.metadata.name);
  assert.equal(answer.event.count, 2);
  assert.equal(answer.event.firstTimestamp, first.firstTimestamp);
  assert.equal(answer.event.lastTimestamp, again.lastTimestamp);
});

const others: readonly { name: string; over: Partial<NewEvent>; object?: string }[] = [
  { name: 'another message', over: { message: 'other' } },
  { name: 'another reason', over: { reason: 'Failed' } },
  { name: 'another type', over: { type: 'Normal' } },
  { name: 'another object', over: {}, object: 'db' },
  {
    name: 'another container',
    over: { involvedObject: { ...event().involvedObject, fieldPath: 'spec.containers{b}' } },
  },
];
for (const { name, over, object } of others) {
  test(`EventCorrelator: ${name} makes an event of its own`, () => {
    const correlator = new EventCorrelator();
    correlator.correlate(event(), 0);
    assert.equal(correlator.correlate(event(over, object), 0).kind, 'create');
  });
}

test('EventCorrelator: from the tenth similar message on, they are combined into one', () => {
  const correlator = new EventCorrelator();
  for (let n = 1; n < 10; n++) assert.equal(correlator.correlate(event({ message: `m${n}` }), n).kind, 'create');
  const tenth = correlator.correlate(event({ message: 'm10' }), 10);
  assert.ok(tenth.kind === 'create');
  assert.equal(tenth.event.message, '(combined from similar events): m10');
  const next = correlator.correlate(event({ message: 'm11' }), 11);
  assert.ok(next.kind === 'count');
  assert.equal(next.event.message, '(combined from similar events): m11');
  assert.equal(next.event.count, 2);
  assert.equal(next.event.metadata.name, tenth.event.metadata.name);
});

test('EventCorrelator: after ten quiet minutes similar messages are told apart again', () => {
  const correlator = new EventCorrelator();
  for (let n = 1; n <= 10; n++) correlator.correlate(event({ message: `m${n}` }), n);
  const later = correlator.correlate(event({ message: 'm11' }), 10 + 10 * MINUTE + 1);
  assert.ok(later.kind === 'create');
  assert.equal(later.event.message, 'm11');
});

test('EventCorrelator: 25 at once for each object, then one every five minutes', () => {
  const correlator = new EventCorrelator();
  const kinds = (count: number, now: number, object?: string): string[] =>
    Array.from({ length: count }, () => correlator.correlate(event({}, object), now).kind);
  assert.deepEqual(kinds(26, 0), ['create', ...Array<string>(24).fill('count'), 'drop']);
  assert.deepEqual(kinds(1, 0, 'db'), ['create']);
  assert.deepEqual(kinds(1, 5 * MINUTE - 1), ['drop']);
  assert.deepEqual(kinds(2, 5 * MINUTE), ['count', 'drop']);
  assert.deepEqual(kinds(26, 1_000 * MINUTE), [...Array<string>(25).fill('count'), 'drop']);
});
