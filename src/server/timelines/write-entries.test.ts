import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { changedFields } from '#server/timelines/changed-fields.ts';
import { writeEntries } from '#server/timelines/write-entries.ts';

const fieldCases: readonly { name: string; before: unknown; after: unknown; want: readonly string[] }[] = [
  { name: 'nothing', before: { a: [1, { name: 'x' }] }, after: { a: [1, { name: 'x' }] }, want: [] },
  { name: 'a value', before: { spec: { a: 1, b: 2 } }, after: { spec: { a: 1, b: 3 } }, want: ['spec.b'] },
  {
    name: 'of an element that has a name',
    before: { containers: [{ name: 'a', image: '1' }, { name: 'b' }] },
    after: { containers: [{ name: 'b' }, { name: 'a', image: '2' }] },
    want: ['containers[a].image'],
  },
  {
    name: 'elements that came and went',
    before: { list: [{ name: 'a' }, { name: 'b' }] },
    after: { list: [{ name: 'c' }, { name: 'a' }] },
    want: ['list[c]', 'list[b]'],
  },
  {
    name: 'plain lists by what they hold',
    before: { f: ['a', 'b'] },
    after: { f: ['b', 'c'] },
    want: ['f[c]', 'f[a]'],
  },
  {
    name: 'namesakes by their place',
    before: {
      t: [
        { key: 'k', effect: 'x' },
        { key: 'k', effect: 'y' },
      ],
    },
    after: {
      t: [
        { key: 'k', effect: 'x' },
        { key: 'k', effect: 'z' },
      ],
    },
    want: ['t[1].effect'],
  },
  {
    name: 'labels, whose names have dots',
    before: { metadata: { labels: { 'a.b/c': '1' } } },
    after: { metadata: { labels: { plain: '2' } } },
    want: ['metadata.labels[plain]', 'metadata.labels[a.b/c]'],
  },
  { name: 'a part that was added', before: { spec: {} }, after: { spec: { deep: { er: 1 } } }, want: ['spec.deep'] },
];
for (const { name, before, after, want } of fieldCases) {
  test(`changed fields: ${name}`, () => assert.deepEqual(changedFields(before, after), want));
}

const by = { user: 'jane', agent: 'kubectl' };
const pod = (metadata: object = {}, spec: object = {}): Pod =>
  ({ metadata: { name: 'web', ...metadata }, spec: { containers: [], ...spec } }) as unknown as Pod;
const stamped = { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 };
const targeted = (status: 'True' | 'False'): Pod => ({
  ...pod(),
  status: { conditions: [{ type: 'DisruptionTarget', status, message: 'making room for vip' }] },
});

type Case = Parameters<typeof writeEntries>[0] & { readonly name: string; readonly want: readonly object[] };
const writes: readonly Omit<Case, 'by'>[] = [
  { name: 'made', before: undefined, after: pod(), subresource: undefined, want: [{ type: 'Created', by }] },
  {
    name: 'made with its node',
    before: undefined,
    after: pod({}, { nodeName: 'n' }),
    subresource: undefined,
    want: [
      { type: 'Created', by },
      { type: 'Bound', by, node: 'n' },
    ],
  },
  { name: 'its status', before: pod(), after: pod({ labels: { a: 'b' } }), subresource: 'status', want: [] },
  {
    name: 'asked to go',
    before: pod(),
    after: pod(stamped),
    subresource: undefined,
    want: [{ type: 'DeletionAsked', by, graceSeconds: 30 }],
  },
  {
    name: 'asked to go sooner',
    before: pod(stamped),
    after: pod({ ...stamped, deletionGracePeriodSeconds: 1 }),
    subresource: undefined,
    want: [{ type: 'DeletionAsked', by, graceSeconds: 1 }],
  },
  {
    name: 'evicted',
    before: pod(),
    after: pod(stamped),
    subresource: 'eviction',
    want: [{ type: 'DeletionAsked', by, graceSeconds: 30, evicted: true }],
  },
  {
    name: 'asked to go for others',
    before: targeted('True'),
    after: pod(stamped),
    subresource: undefined,
    want: [{ type: 'DeletionAsked', by, graceSeconds: 30, because: 'making room for vip' }],
  },
  {
    name: 'asked to go, once meant to for others',
    before: targeted('False'),
    after: pod(stamped),
    subresource: undefined,
    want: [{ type: 'DeletionAsked', by, graceSeconds: 30 }],
  },
  { name: 'marked for it', before: pod(), after: pod(), subresource: 'eviction', want: [] },
  {
    name: 'evicted at once',
    before: pod(),
    after: undefined,
    subresource: 'eviction',
    want: [
      { type: 'DeletionAsked', by, graceSeconds: 0, evicted: true },
      { type: 'Gone', by },
    ],
  },
  { name: 'gone', before: pod(stamped), after: undefined, subresource: undefined, want: [{ type: 'Gone', by }] },
  {
    name: 'gone at once',
    before: pod(),
    after: undefined,
    subresource: undefined,
    want: [
      { type: 'DeletionAsked', by, graceSeconds: 0 },
      { type: 'Gone', by },
    ],
  },
  {
    name: 'many labels',
    before: pod(),
    after: pod({ labels: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`l${n}`, ''])) }),
    subresource: undefined,
    want: [
      { type: 'Changed', by, fields: Array.from({ length: 16 }, (_, n) => `metadata.labels[l${n}]`), moreFields: 4 },
    ],
  },
];
for (const { name, want, ...write } of writes) {
  test(`entries of a write: ${name}`, () => assert.deepEqual(writeEntries({ ...write, by }), want));
}
