import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap, Pod, Secret, Volume } from '#api/generated/core-v1.ts';
import { aContainer, aPod } from '#kubelet/fixtures.ts';
import { filesOf, onlyUserOf, type ProjectionFacts, tokenKey, VolumeError } from '#kubelet/volumes/projection.ts';
import { quoted } from '#kubelet/volumes/quoted.ts';
import { type ApiFilesPlan, volumesOf } from '#kubelet/volumes/volumes.ts';

const base64 = (text: string): string => new TextEncoder().encode(text).toBase64();
const configMaps = {
  cm: { data: { a: 'A', b: 'B' }, binaryData: { raw: base64('\0raw') } },
  empty: {},
} as unknown as Readonly<Record<string, ConfigMap>>;
const secrets = { s: { data: { a: base64('secret a'), k: base64('K') } } } as unknown as Readonly<
  Record<string, Secret>
>;

const limited = aContainer('limited', {
  resources: { limits: { cpu: '1250m', memory: '64Mi' }, requests: { cpu: '250m', memory: '32Mi' } },
});
const plain = aPod({ containers: [limited, aContainer('free')] });
const pod: Pod = {
  ...plain,
  metadata: { ...plain.metadata, labels: { b: '2', a: '1' }, annotations: { quote: 'say "x"\n', plain: 'é' } },
};

const facts = (over: Partial<ProjectionFacts> = {}): ProjectionFacts => ({
  pod,
  configMap: (name) => configMaps[name],
  secret: (name) => secrets[name],
  tokens: new Map([
    [tokenKey({ audience: '', seconds: 3600 }), 'TOKEN'],
    [tokenKey({ audience: 'vault', seconds: 600 }), 'VAULT'],
  ]),
  allocatable: { cpu: '4', memory: '1Gi' },
  ...over,
});

function plan(volume: Omit<Volume, 'name'>): ApiFilesPlan {
  const [planned] = volumesOf(aPod({ volumes: [{ name: 'v', ...volume }] }));
  assert.equal(planned?.kind, 'api-files');
  return planned as ApiFilesPlan;
}

/** `path mode text`, sorted by path. */
const shown = (volume: Omit<Volume, 'name'>, over: Partial<ProjectionFacts> = {}): readonly string[] =>
  [...filesOf(plan(volume), facts(over))]
    .map(([path, { bytes, mode }]) => `${path} ${mode.toString(8)} ${new TextDecoder().decode(bytes)}`)
    .toSorted();

const field = (path: string, fieldPath: string, mode?: number): object => ({
  path,
  fieldRef: { fieldPath },
  ...(mode === undefined ? {} : { mode }),
});
const amount = (path: string, resource: string, more: object = {}): object => ({
  path,
  resourceFieldRef: { resource, containerName: 'limited', ...more },
});

const table: readonly (readonly [string, object, readonly string[]])[] = [
  ['every key', { configMap: { name: 'cm' } }, ['a 644 A', 'b 644 B', 'raw 644 \0raw']],
  ['no key', { configMap: { name: 'empty' } }, []],
  ['defaultMode', { secret: { secretName: 's', defaultMode: 0o400 } }, ['a 400 secret a', 'k 400 K']],
  [
    'items: only these, at their paths; their mode comes first',
    {
      configMap: {
        name: 'cm',
        defaultMode: 0o440,
        items: [
          { key: 'a', path: 'x/y/a', mode: 0o600 },
          { key: 'b', path: 'b' },
        ],
      },
    },
    ['b 440 B', 'x/y/a 600 A'],
  ],
  ['an optional object that is not there', { configMap: { name: 'nowhere', optional: true } }, []],
  [
    'an optional key that is not there',
    {
      secret: {
        secretName: 's',
        optional: true,
        items: [
          { key: 'none', path: 'n' },
          { key: 'k', path: 'k' },
        ],
      },
    },
    ['k 644 K'],
  ],
  [
    'fields',
    {
      downwardAPI: {
        items: [
          field('name', 'metadata.name', 0o400),
          field('ns', 'metadata.namespace'),
          field('labels', 'metadata.labels'),
          field('annotations', 'metadata.annotations'),
          field('one', "metadata.labels['a']"),
          field('none', "metadata.annotations['none']"),
        ],
      },
    },
    [
      'annotations 644 plain="é"\nquote="say \\"x\\"\\n"',
      'labels 644 a="1"\nb="2"',
      'name 400 web',
      'none 644 ',
      'ns 644 default',
      'one 644 1',
    ],
  ],
  [
    'resources, rounded up to their divisor',
    {
      downwardAPI: {
        items: [
          amount('cpu', 'limits.cpu'),
          amount('cpu-milli', 'limits.cpu', { divisor: '1m' }),
          amount('cpu-request', 'requests.cpu', { divisor: '0' }),
          amount('memory', 'limits.memory'),
          amount('memory-mi', 'requests.memory', { divisor: '1Mi' }),
          amount('node-cpu', 'limits.cpu', { containerName: 'free' }),
          amount('node-memory', 'limits.memory', { containerName: 'free', divisor: '1Mi' }),
          amount('nothing', 'requests.memory', { containerName: 'free' }),
        ],
      },
    },
    [
      'cpu 644 2',
      'cpu-milli 644 1250',
      'cpu-request 644 1',
      `memory 644 ${64 << 20}`,
      'memory-mi 644 32',
      'node-cpu 644 4',
      'node-memory 644 1024',
      'nothing 644 0',
    ],
  ],
  [
    'projected: all kinds side by side; of the same path the later source',
    {
      projected: {
        defaultMode: 0o600,
        sources: [
          {
            configMap: {
              name: 'cm',
              items: [
                { key: 'a', path: 'a' },
                { key: 'b', path: 'd/b', mode: 0o444 },
              ],
            },
          },
          { secret: { name: 's', items: [{ key: 'a', path: 'a' }] } },
          { downwardAPI: { items: [field('d/name', 'metadata.name')] } },
          { serviceAccountToken: { path: 'token' } },
          { serviceAccountToken: { path: 'd/vault', audience: 'vault', expirationSeconds: 600 } },
        ],
      },
    },
    ['a 600 secret a', 'd/b 444 B', 'd/name 600 web', 'd/vault 600 VAULT', 'token 600 TOKEN'],
  ],
];
for (const [name, volume, wanted] of table) {
  test(`filesOf: ${name}`, () => assert.deepEqual(shown(volume), wanted));
}

const problems: readonly (readonly [string, object, string])[] = [
  ['no ConfigMap', { configMap: { name: 'y' } }, 'configmap "y" not found'],
  ['no Secret', { secret: { secretName: 'y' } }, 'secret "y" not found'],
  [
    'no key of a ConfigMap',
    { configMap: { name: 'cm', items: [{ key: 'z', path: 'z' }] } },
    'configmap references non-existent config key: z',
  ],
  [
    'no key of a Secret',
    { secret: { secretName: 's', items: [{ key: 'z', path: 'z' }] } },
    'references non-existent secret key: z',
  ],
  [
    'several at once',
    { projected: { sources: [{ configMap: { name: 'y' } }, { secret: { name: 'y' } }] } },
    '[configmap "y" not found, secret "y" not found]',
  ],
  [
    'a file where another needs a folder',
    {
      projected: {
        sources: [
          { configMap: { name: 'cm', items: [{ key: 'a', path: 'd' }] } },
          { secret: { name: 's', items: [{ key: 'k', path: 'd/e/k' }] } },
        ],
      },
    },
    'conflicting paths: "d" cannot be a file and hold "d/e/k"',
  ],
  [
    'a way out',
    { configMap: { name: 'cm', items: [{ key: 'a', path: 'x/../../a' }] } },
    'invalid path: "x/../../a" leaves the volume',
  ],
  [
    'the writer’s own names',
    { configMap: { name: 'cm', items: [{ key: 'a', path: '..data' }] } },
    'invalid path: "..data" leaves the volume',
  ],
  [
    'an unknown container',
    { downwardAPI: { items: [amount('x', 'limits.cpu', { containerName: 'who' })] } },
    'container who not found',
  ],
];
for (const [name, volume, message] of problems) {
  test(`filesOf refuses: ${name}`, () =>
    assert.throws(
      () => shown(volume),
      (error: unknown) => {
        assert.ok(error instanceof VolumeError);
        assert.equal(error.message, message);
        return true;
      },
    ));
}

test('filesOf: a token is for the pod’s one user alone, or for its group', () => {
  const token = plan({ projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } });
  const as = (spec: Partial<Pod['spec']>): object => {
    const { mode, owner } = filesOf(token, facts({ pod: aPod(spec) })).get('token')!;
    return { mode, owner };
  };
  assert.deepEqual(as({}), { mode: 0o644, owner: undefined });
  assert.deepEqual(as({ securityContext: { runAsUser: 7 } }), { mode: 0o600, owner: 7 });
  assert.deepEqual(as({ securityContext: { fsGroup: 9 } }), { mode: 0o600, owner: undefined });
});

test('onlyUserOf: all containers, init containers too, or nobody', () => {
  const as = (name: string, runAsUser: number): object => ({ ...aContainer(name), securityContext: { runAsUser } });
  assert.equal(onlyUserOf(aPod({ containers: [as('a', 1), as('b', 1)] as never })), 1);
  assert.equal(onlyUserOf(aPod({ containers: [as('a', 1), as('b', 2)] as never })), undefined);
  assert.equal(onlyUserOf(aPod({ containers: [as('a', 1)] as never, initContainers: [aContainer('i')] })), undefined);
  assert.equal(
    onlyUserOf(aPod({ securityContext: { runAsUser: 3 }, containers: [as('a', 3), aContainer('b')] as never })),
    3,
  );
});

for (const [text, wanted] of [
  ['plain é 世', '"plain é 世"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\n\r\t\v\f\b\u0007', '"\\n\\r\\t\\v\\f\\b\\a"'],
  ['\u0001\u007f', '"\\x01\\x7f"'],
  ['\u00a0\u200b', '"\\u00a0\\u200b"'],
  ['\u{e0001}', '"\\U000e0001"'],
] as const) {
  test(`quoted: ${wanted}`, () => assert.equal(quoted(text), wanted));
}
