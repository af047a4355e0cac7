import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { PatchError } from '#api/patch-error.ts';
import { applyStrategicMergePatch } from '#api/strategic-merge-patch.ts';

type Json = { readonly [key: string]: unknown };
const pod = (spec: Json, metadata: Json = {}): { apiVersion: string; kind: string; metadata: Json; spec: Json } => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata,
  spec,
});
const deployment = (strategy: Json): { apiVersion: string; kind: string; spec: Json } => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  spec: { strategy },
});

const nginx = { name: 'nginx', image: 'nginx:1.0' };
const log = { name: 'log', image: 'log-tailer:1.0' };
const side = { name: 'side', image: 'side:1' };

interface Case {
  readonly name: string;
  readonly original: { readonly apiVersion: string; readonly kind: string };
  readonly patch: Json;
  readonly want: unknown;
}
const cases: readonly Case[] = [
  {
    name: 'an element of a merged list is changed by its key',
    original: pod({ containers: [nginx, log] }),
    patch: { spec: { containers: [{ name: 'log', image: 'log:2' }] } },
    want: pod({ containers: [nginx, { name: 'log', image: 'log:2' }] }),
  },
  {
    name: 'a new element comes before those the patch does not name',
    original: pod({ containers: [nginx] }),
    patch: { spec: { containers: [log] } },
    want: pod({ containers: [log, nginx] }),
  },
  {
    name: 'an element is deleted',
    original: pod({ containers: [nginx, log] }),
    patch: { spec: { containers: [{ $patch: 'delete', name: 'nginx' }] } },
    want: pod({ containers: [log] }),
  },
  {
    name: 'a list is replaced',
    original: pod({ containers: [nginx, log] }),
    patch: { spec: { containers: [{ $patch: 'replace' }, side] } },
    want: pod({ containers: [side] }),
  },
  {
    name: 'a list is emptied',
    original: pod({ containers: [nginx, log] }),
    patch: { spec: { containers: [{ $patch: 'replace' }] } },
    want: pod({ containers: [] }),
  },
  {
    name: 'nested merged lists',
    original: pod({
      containers: [
        {
          ...nginx,
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
      ],
    }),
    patch: { spec: { containers: [{ name: 'nginx', env: [{ name: 'B', value: '3' }] }] } },
    want: pod({
      containers: [
        {
          ...nginx,
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '3' },
          ],
        },
      ],
    }),
  },
  {
    name: 'ports are merged by number',
    original: pod({ containers: [{ ...nginx, ports: [{ containerPort: 80, name: 'a' }, { containerPort: 81 }] }] }),
    patch: { spec: { containers: [{ name: 'nginx', ports: [{ containerPort: 81, name: 'b' }] }] } },
    want: pod({
      containers: [
        {
          ...nginx,
          ports: [
            { containerPort: 80, name: 'a' },
            { containerPort: 81, name: 'b' },
          ],
        },
      ],
    }),
  },
  {
    name: 'an atomic list is replaced',
    original: pod({ containers: [{ ...nginx, args: ['a', 'b'] }], tolerations: [{ key: 'a' }] }),
    patch: { spec: { containers: [{ name: 'nginx', args: ['c'] }], tolerations: [{ key: 'b' }] } },
    want: pod({ containers: [{ ...nginx, args: ['c'] }], tolerations: [{ key: 'b' }] }),
  },
  {
    name: 'null deletes a key',
    original: pod({ nodeName: 'n', hostname: 'h' }),
    patch: { spec: { nodeName: null, absent: null } },
    want: pod({ hostname: 'h' }),
  },
  {
    name: 'maps are merged',
    original: pod({}, { labels: { a: '1', b: '2' } }),
    patch: { metadata: { labels: { b: null, c: '3' } } },
    want: pod({}, { labels: { a: '1', c: '3' } }),
  },
  {
    name: 'a map is replaced',
    original: pod({}, { labels: { a: '1', b: '2' } }),
    patch: { metadata: { labels: { $patch: 'replace', c: '3' } } },
    want: pod({}, { labels: { c: '3' } }),
  },
  {
    name: 'a map is emptied',
    original: pod({ securityContext: { runAsUser: 1 } }),
    patch: { spec: { securityContext: { $patch: 'delete' } } },
    want: pod({ securityContext: {} }),
  },
  {
    name: 'scalars are merged, each once',
    original: pod({}, { finalizers: ['a', 'b'] }),
    patch: { metadata: { finalizers: ['c', 'b'] } },
    want: pod({}, { finalizers: ['c', 'a', 'b'] }),
  },
  {
    name: 'scalars are deleted',
    original: pod({}, { finalizers: ['a', 'b', 'c'] }),
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a', 'x', 'c'] } },
    want: pod({}, { finalizers: ['b'] }),
  },
  {
    name: 'the order is set',
    original: pod({ containers: [nginx, log, side] }),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'side' }, { name: 'log' }, { name: 'nginx' }] } },
    want: pod({ containers: [side, log, nginx] }),
  },
  {
    name: 'the order is set with a new element among them',
    original: pod({ containers: [nginx, log] }),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'nginx' }, { name: 'side' }, { name: 'log' }],
        containers: [side],
      },
    },
    want: pod({ containers: [nginx, side, log] }),
  },
  {
    name: 'elements the order does not name keep their place',
    original: pod({ containers: [side, nginx, log] }),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'log' }, { name: 'nginx' }] } },
    want: pod({ containers: [side, log, nginx] }),
  },
  {
    name: 'the order of scalars',
    original: pod({}, { finalizers: ['a', 'b', 'c'] }),
    patch: { metadata: { '$setElementOrder/finalizers': ['c', 'd', 'a'], finalizers: ['d'] } },
    want: pod({}, { finalizers: ['b', 'c', 'd', 'a'] }),
  },
  {
    name: 'deletion and order together',
    original: pod({ containers: [nginx, log, side] }),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'side' }, { name: 'nginx' }],
        containers: [{ $patch: 'delete', name: 'log' }],
      },
    },
    want: pod({ containers: [side, nginx] }),
  },
  {
    name: 'the order of a list that is new',
    original: pod({}),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'log' }, { name: 'nginx' }], containers: [log, nginx] } },
    want: pod({ containers: [log, nginx] }),
  },
  {
    name: 'only named keys are retained',
    original: deployment({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } }),
    patch: { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    want: deployment({ type: 'Recreate' }),
  },
  {
    name: 'a volume changes its kind',
    original: pod({ volumes: [{ name: 'v', emptyDir: {} }] }),
    patch: { spec: { volumes: [{ $retainKeys: ['name', 'hostPath'], name: 'v', hostPath: { path: '/x' } }] } },
    want: pod({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] }),
  },
  {
    name: 'directives and nulls in what is new are left out',
    original: pod({}),
    patch: {
      spec: {
        strategy: { $retainKeys: ['type'], type: 'x', no: null },
        containers: [{ ...nginx, env: [{ $patch: 'delete', name: 'A' }] }],
      },
    },
    want: pod({ strategy: { type: 'x' }, containers: [{ ...nginx, env: [] }] }),
  },
  {
    name: 'conditions are merged by type',
    original: {
      apiVersion: 'v1',
      kind: 'Node',
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'MemoryPressure', status: 'False' },
        ],
      },
    } as Case['original'],
    patch: { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    want: {
      apiVersion: 'v1',
      kind: 'Node',
      status: {
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'MemoryPressure', status: 'False' },
        ],
      },
    },
  },
  {
    name: 'a value of another type takes the place',
    original: pod({ nodeName: 'x' }),
    patch: { spec: { nodeName: { a: 1 } } },
    want: pod({ nodeName: { a: 1 } }),
  },
];
for (const { name, original, patch, want } of cases) {
  test(`strategic merge patch: ${name}`, () => {
    const frozen = deepFreeze(structuredClone(original));
    assert.deepEqual(applyStrategicMergePatch(frozen, deepFreeze(structuredClone(patch))), want);
  });
}

const refusals: readonly {
  readonly name: string;
  readonly original?: Case['original'];
  readonly patch: unknown;
  readonly code: number;
  readonly message: RegExp;
}[] = [
  {
    name: 'a custom resource',
    original: { apiVersion: 'example.com/v1', kind: 'Foo' },
    patch: {},
    code: 400,
    message: /^strategic merge patch format is not supported$/,
  },
  { name: 'no object', patch: [], code: 400, message: /^invalid JSON document$/ },
  {
    name: 'no merge key',
    patch: { spec: { containers: [{ image: 'x' }] } },
    code: 500,
    message: /does not contain declared merge key: name$/,
  },
  {
    name: 'an unknown directive',
    patch: { spec: { $patch: 'x' } },
    code: 500,
    message: /^unknown patch type: x in map/,
  },
  {
    name: 'merge as a directive of a list',
    patch: { spec: { containers: [{ $patch: 'merge', name: 'nginx' }] } },
    code: 500,
    message: /^merging lists cannot yet be specified in the patch$/,
  },
  {
    name: 'keys beside those retained',
    patch: { spec: { $retainKeys: ['nodeName'], hostname: 'x' } },
    code: 400,
    message: /^invalid patch format of retainKeys$/,
  },
  {
    name: 'elements the order does not name',
    patch: { spec: { '$setElementOrder/containers': [{ name: 'nginx' }], containers: [log] } },
    code: 500,
    message: /^The order in patch list:/,
  },
  {
    name: 'an order that is no list',
    patch: { spec: { '$setElementOrder/containers': {} } },
    code: 400,
    message: /^invalid patch format of setElementOrder list$/,
  },
  {
    name: 'mixed elements',
    patch: { spec: { containers: ['x'] } },
    code: 500,
    message: /^list element types are not identical/,
  },
  {
    name: 'lists of lists',
    patch: { spec: { containers: [[]] } },
    code: 422,
    message: /^lists of lists are not supported$/,
  },
];
for (const { name, original, patch, code, message } of refusals) {
  test(`strategic merge patch: refused: ${name}`, () => {
    const wanted = (e: unknown): boolean => e instanceof PatchError && e.code === code && message.test(e.message);
    assert.throws(() => applyStrategicMergePatch(original ?? pod({ containers: [nginx] }), patch), wanted);
  });
}

test('strategic merge patch: a patch that changes nothing gives the very original', () => {
  const original = pod({ nodeName: 'n', containers: [nginx] });
  assert.equal(applyStrategicMergePatch(original, { spec: { nodeName: 'n', absent: null } }), original);
  assert.equal(applyStrategicMergePatch(original, {}), original);
});

const containers = fc.uniqueArray(
  fc.record(
    { name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), image: fc.constantFrom('x', 'y') },
    { noNullPrototype: true },
  ),
  { selector: (one) => one.name, maxLength: 5 },
);

test('strategic merge patch: what kubectl apply sends to turn one list of containers into another does so', () => {
  fc.assert(
    fc.property(containers, containers, (before, after) => {
      const deletions = before
        .filter(({ name }) => !after.some((one) => one.name === name))
        .map(({ name }) => ({ $patch: 'delete', name }));
      const patch = {
        spec: {
          '$setElementOrder/containers': after.map(({ name }) => ({ name })),
          containers: [...after, ...deletions],
        },
      };
      const result = applyStrategicMergePatch(deepFreeze(pod({ containers: before })), deepFreeze(patch));
      assert.deepEqual(result.spec['containers'], after);
    }),
  );
});

test('strategic merge patch: applied twice is applied once, and every named element is as the patch says', () => {
  fc.assert(
    fc.property(containers, containers, (before, patched) => {
      const patch = { spec: { containers: patched } };
      const once = applyStrategicMergePatch(pod({ containers: before }), patch);
      assert.deepEqual(applyStrategicMergePatch(once, patch), once);
      const result = once.spec['containers'] as readonly { readonly name: string }[];
      for (const one of patched)
        assert.deepEqual(
          result.find(({ name }) => name === one.name),
          one,
        );
      const untouched = ({ name }: { readonly name: string }): boolean => !patched.some((one) => one.name === name);
      assert.deepEqual(result.filter(untouched), before.filter(untouched));
    }),
  );
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
