import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node } from '#api/generated/core-v1.ts';
import { node } from '#controllers/fixtures.ts';
import { usualNodeLifecycle as settings } from '#controllers/node-lifecycle/settings.ts';
import { Turns, zoneOf, zoneRate, Zones, type ZoneState, zoneState } from '#controllers/node-lifecycle/zones.ts';

const states: readonly { name: string; ready: number; notReady: number; want: ZoneState; rate: number }[] = [
  { name: 'all well', ready: 3, notReady: 0, want: 'normal', rate: 0.1 },
  { name: 'one of three', ready: 2, notReady: 1, want: 'normal', rate: 0.1 },
  { name: 'two of three: no more than two are no outage', ready: 1, notReady: 2, want: 'normal', rate: 0.1 },
  { name: 'three of five: 60 percent of a small zone', ready: 2, notReady: 3, want: 'partly disrupted', rate: 0 },
  { name: 'three of six: 50 percent', ready: 3, notReady: 3, want: 'normal', rate: 0.1 },
  { name: '55 of 100: at the threshold, large', ready: 45, notReady: 55, want: 'partly disrupted', rate: 0.01 },
  { name: '54 of 100', ready: 46, notReady: 54, want: 'normal', rate: 0.1 },
  { name: '30 of 50: as small as it may be', ready: 20, notReady: 30, want: 'partly disrupted', rate: 0 },
  { name: '30 of 51', ready: 21, notReady: 30, want: 'partly disrupted', rate: 0.01 },
  { name: 'all of a zone, others being well', ready: 0, notReady: 100, want: 'fully disrupted', rate: 0.1 },
  { name: 'its only node', ready: 0, notReady: 1, want: 'fully disrupted', rate: 0.1 },
  { name: 'nothing there', ready: 0, notReady: 0, want: 'normal', rate: 0.1 },
];
for (const { name, want, rate, ...counts } of states)
  test(`zoneState: ${name}`, () => {
    assert.equal(zoneState(counts, settings), want);
    assert.equal(zoneRate(counts, settings), rate);
  });

test('zoneOf: region and zone, the labels of old too', () => {
  const labels = { 'topology.kubernetes.io/region': 'r', 'topology.kubernetes.io/zone': 'z' };
  assert.equal(zoneOf(node({ labels })), 'r:z');
  assert.equal(zoneOf(node({ labels: { 'failure-domain.beta.kubernetes.io/zone': 'z' } })), ':z');
  assert.equal(zoneOf(node()), ':');
});

const inZone = (
  name: string,
  zone: string,
  ready: 'True' | 'False',
  more: Readonly<Record<string, string>> = {},
): Node => node({ name, ready, labels: { 'topology.kubernetes.io/zone': zone, ...more } });

test('Zones: when all of all zones are gone nobody is evicted, as soon as one is back it goes on', () => {
  const zones = new Zones(settings);
  const change = (
    name: string,
    zone: string,
    before: 'True' | 'False' | undefined,
    after: 'True' | 'False' | undefined,
  ) => zones.change(before && inZone(name, zone, before), after && inZone(name, zone, after));
  assert.equal(change('a', '1', undefined, 'True'), 'rates');
  assert.equal(change('b', '2', undefined, 'True'), 'rates');
  assert.equal(change('b', '2', 'True', 'True'), 'none');
  assert.equal(change('b', '2', 'True', 'False'), 'none');
  assert.equal(zones.rateOf(inZone('b', '2', 'False')), 0.1, 'a whole zone');
  assert.equal(change('a', '1', 'True', 'False'), 'all disrupted');
  assert.equal(zones.allDisrupted, true);
  assert.equal(zones.rateOf(inZone('b', '2', 'False')), 0);
  assert.equal(change('a', '1', 'False', 'True'), 'all disrupted no more');
  assert.equal(change('a', '1', 'True', undefined), 'all disrupted');
  assert.equal(change('b', '2', 'False', undefined), 'all disrupted no more', 'there is none');
});

test('Zones: a zone of which much is gone is told of; who is excluded does not count', () => {
  const zones = new Zones(settings);
  for (const name of ['a', 'b', 'c', 'd', 'e']) zones.change(undefined, inZone(name, '1', 'True'));
  const lose = (name: string) => zones.change(inZone(name, '1', 'True'), inZone(name, '1', 'False'));
  assert.deepEqual(['a', 'b', 'c'].map(lose), ['none', 'none', 'rates']);
  assert.equal(zones.rateOf(inZone('a', '1', 'False')), 0);
  const excluded = { 'node.kubernetes.io/exclude-disruption': '' };
  assert.equal(zones.change(inZone('a', '1', 'False'), inZone('a', '1', 'False', excluded)), 'rates');
  assert.equal(zones.rateOf(inZone('b', '1', 'False')), 0.1);
});

test('Turns: one at once, then one every ten seconds, by zone', () => {
  const turns = new Turns();
  assert.equal(turns.take('1', 0.1, 0), 0);
  assert.equal(turns.take('1', 0.1, 0), 10_000);
  assert.equal(turns.take('2', 0.1, 0), 0);
  assert.equal(turns.take('1', 0.1, 4_000), 6_000);
  assert.equal(turns.take('1', 0, 5_000), Infinity);
  assert.equal(turns.take('1', 0.1, 10_000), 0);
  assert.equal(turns.take('1', 0.1, 1_000_000), 0);
  assert.equal(turns.take('1', 0.1, 1_000_000), 10_000, 'no more than one is saved up');
  turns.giveBack('1');
  assert.equal(turns.take('1', 0.1, 1_000_000), 0);
  assert.equal(turns.take('1', 0.1, 1_000_000), 10_000);
});
