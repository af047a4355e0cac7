import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseManifests, readManifests } from '#cli/manifests.ts';
import { UserError } from '#cli/user-error.ts';

const pod = (name: string): string => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n`;

const readable: readonly { name: string; text: string; want: readonly (readonly [string, string])[] }[] = [
  { name: 'one document', text: pod('a'), want: [['a', 'f:1']] },
  {
    name: 'several, some empty',
    text: `---\n${pod('a')}---\n# nothing\n---\n\n---\n${pod('b')}...\n`,
    want: [
      ['a', 'f:2'],
      ['b', 'f:11'],
    ],
  },
  { name: 'nothing at all', text: '', want: [] },
  { name: 'comments only', text: '# a\n---\n# b\n', want: [] },
  { name: 'JSON', text: '{"apiVersion":"v1",\n\t"kind":"Pod","metadata":{"name":"a"}}', want: [['a', 'f:1']] },
  {
    name: 'a list',
    text: 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n',
    want: [
      ['a', 'f:4'],
      ['b', 'f:5'],
    ],
  },
  { name: 'an empty list', text: 'apiVersion: v1\nkind: PodList\nitems: []\n', want: [] },
  { name: 'a byte order mark', text: `\uFEFF${pod('a')}`, want: [['a', 'f:1']] },
];

for (const { name, text, want } of readable) {
  test(`manifests: reads ${name}`, async () => {
    const { manifests, problems } = await parseManifests('f', text);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      manifests.map(({ object, where }) => [object.metadata.name, where]),
      want,
    );
  });
}

const wrong: readonly { name: string; text: string; want: readonly (string | RegExp)[] }[] = [
  {
    name: 'YAML that does not parse: line, column, the line itself',
    text: 'apiVersion: v1\nkind: Pod: x\n',
    want: ['f:2:7: Nested mappings are not allowed in compact mappings\n    2 | kind: Pod: x\n      |       ^'],
  },
  {
    name: 'a tab as indentation',
    text: 'metadata:\n\tname: a\n',
    want: [/^f:2:1: Tabs are not allowed as indentation\n {4}2 \| \tname: a\n {6}\| \^$/],
  },
  {
    name: 'a key that stands twice',
    text: `${pod('a')}spec:\n  nodeName: x\n  nodeName: y\n`,
    want: [/^f:7:3: Map keys must be unique\n {4}7 \| {3}nodeName: y\n {6}\| {3}\^$/],
  },
  {
    name: 'all errors of a file, and no manifest of it',
    text: `${pod('a')}---\na: 1\na: 2\n---\nb: {\n`,
    want: [/^f:7:1: Map keys must be unique/, /^f:10:1: /],
  },
  {
    name: 'a text',
    text: 'hello\n',
    want: ['f:1: an object with apiVersion, kind and metadata is wanted here, this is the string "hello"'],
  },
  { name: 'a list of objects without kind', text: '\n- a\n', want: [/^f:2: an object .* this is a list$/] },
  { name: 'no apiVersion', text: 'kind: Pod\nmetadata: {name: a}\n', want: ['f:1: apiVersion not set'] },
  { name: 'neither', text: 'metadata: {name: a}\n', want: ['f:1: apiVersion not set, kind not set'] },
  { name: 'an empty kind', text: 'apiVersion: v1\nkind: ""\n', want: ['f:1: kind not set'] },
  { name: 'no metadata', text: 'apiVersion: v1\nkind: Pod\n', want: ['f:1: Pod: metadata not set'] },
  {
    name: 'no name',
    text: 'apiVersion: v1\nkind: Pod\nmetadata: {labels: {}}\n',
    want: ['f:1: Pod: metadata.name not set (resource name may not be empty)'],
  },
  {
    name: 'a name that is a number',
    text: 'apiVersion: v1\nkind: Pod\nmetadata: {name: 12}\n',
    want: ['f:1: Pod: metadata.name must be text, this is 12 (put it in quotes)'],
  },
  { name: 'an alias of nothing', text: 'apiVersion: v1\nkind: *pod\n', want: [/^f:\d+(:\d+)?: .*pod/] },
  {
    name: 'an item of a list',
    text: 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {kind: Pod}\n',
    want: ['f:5: apiVersion not set'],
  },
];

for (const { name, text, want } of wrong) {
  test(`manifests: says what is wrong with ${name}`, async () => {
    const { problems } = await parseManifests('f', text);
    assert.equal(problems.length, want.length, problems.join('\n'));
    for (const [index, one] of want.entries()) {
      if (typeof one === 'string') assert.equal(problems[index], one);
      else assert.match(problems[index]!, one);
    }
  });
}

test('manifests: a file with an error gives nothing; without, what is right goes on beside what is not', async () => {
  assert.equal((await parseManifests('f', `${pod('a')}---\na: {\n`)).manifests.length, 0);
  const { manifests, problems } = await parseManifests('f', `${pod('a')}---\nkind: Pod\n`);
  assert.deepEqual([manifests.length, problems.length], [1, 1]);
});

const scalars: readonly { text: string; want: unknown }[] = [
  { text: '0644', want: 420 },
  { text: '0o644', want: '0o644' },
  { text: 'yes', want: true },
  { text: 'off', want: false },
  { text: '"yes"', want: 'yes' },
  { text: '12:30', want: '12:30' },
  { text: '22:22:22', want: '22:22:22' },
  { text: '2026-01-31', want: '2026-01-31' },
  { text: '2026-01-31T10:00:00Z', want: '2026-01-31T10:00:00Z' },
  { text: '1e3', want: 1000 },
  { text: '500m', want: '500m' },
  { text: '~', want: null },
];

for (const { text, want } of scalars) {
  test(`manifests: ${text} is ${JSON.stringify(want)}, as to kubectl`, async () => {
    const { manifests } = await parseManifests('f', `${pod('a')}value: ${text}\n`);
    assert.deepEqual(manifests[0]?.object['value'], want);
  });
}

test('manifests: merge keys and anchors are resolved', async () => {
  const { manifests } = await parseManifests('f', `${pod('a')}one: &one {a: 1, b: 2}\ntwo: {<<: *one, b: 3}\n`);
  assert.deepEqual(manifests[0]?.object['two'], { a: 1, b: 3 });
});

test('manifests: files, directories by name, standard input', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'peapod-manifests-'));
  try {
    mkdirSync(join(directory, 'inner.yaml'));
    for (const [file, name] of [
      ['b.yaml', 'b'],
      ['a.yml', 'a'],
      ['c.json', 'c'],
      ['d.txt', 'd'],
    ] as const)
      writeFileSync(join(directory, file), pod(name));
    const { manifests } = await readManifests(['-', directory, join(directory, 'd.txt')], () => pod('in'));
    assert.deepEqual(
      manifests.map(({ object }) => object.metadata.name),
      ['in', 'a', 'b', 'c', 'd'],
    );
    assert.equal(manifests[0]?.where, 'stdin:1');
    await assert.rejects(readManifests([join(directory, 'none')]), UserError);
    await assert.rejects(readManifests([join(directory, 'inner.yaml')]), /no \.yaml, \.yml, \.json file in/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
