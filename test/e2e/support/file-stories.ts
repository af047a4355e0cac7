/** Which files a volume that comes from the API has, and how: stories of api-volumes.test.ts. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import {
  configMap,
  conform,
  type Conformance,
  field,
  items,
  mapped,
  podWith,
  projected,
  resource,
  secret,
  type Stage,
} from '#test/e2e/support/api-volumes.ts';

const dump = Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff]);

const limits = [
  resource('cpu_limit', 'limits.cpu'),
  resource('cpu_request', 'requests.cpu', { divisor: '1m' }),
  resource('memory_limit', 'limits.memory'),
  resource('memory_request', 'requests.memory', { divisor: '1Mi' }),
  resource('node_cpu', 'limits.cpu', { containerName: 'unlimited' }),
  resource('node_memory', 'limits.memory', { containerName: 'unlimited' }),
];
const downward = [field('podname', 'metadata.name'), field('podname_400', 'metadata.name', { mode: 0o400 }), ...limits];
const downwardMode = { items: [field('podname', 'metadata.name')], defaultMode: 0o400 };

const projectedMap = (more: object = {}): object => projected({ configMap: { name: 'cm', ...more } });
const projectedSecret = (more: object = {}): object => projected({ secret: { name: 's', ...more } });
const projectedMode = (source: object): object => ({ projected: { defaultMode: 0o400, sources: [source] } });

const volumes = {
  cm: { configMap: { name: 'cm' } },
  'cm-again': { configMap: { name: 'cm' } },
  'cm-mode': { configMap: { name: 'cm', defaultMode: 0o400 } },
  'cm-mapped': { configMap: { name: 'cm', items: mapped } },
  'cm-items': { configMap: { name: 'cm', items } },
  s: { secret: { secretName: 's' } },
  's-again': { secret: { secretName: 's' } },
  's-mode': { secret: { secretName: 's', defaultMode: 0o400 } },
  's-mapped': { secret: { secretName: 's', items: mapped } },
  's-items': { secret: { secretName: 's', items } },
  pcm: projectedMap(),
  'pcm-again': projectedMap(),
  'pcm-mode': projectedMode({ configMap: { name: 'cm' } }),
  'pcm-mapped': projectedMap({ items: mapped }),
  'pcm-items': projectedMap({ items }),
  ps: projectedSecret(),
  'ps-again': projectedSecret(),
  'ps-mode': projectedMode({ secret: { name: 's' } }),
  'ps-mapped': projectedSecret({ items: mapped }),
  'ps-items': projectedSecret({ items }),
  d: { downwardAPI: { items: downward } },
  'd-mode': { downwardAPI: downwardMode },
  pd: projected({ downwardAPI: { items: downward } }),
  'pd-mode': projectedMode({ downwardAPI: { items: downwardMode.items } }),
  all: projected(
    { secret: { name: 's', items: [{ key: 'data-1', path: 'secret-data' }] } },
    { configMap: { name: 'cm', items } },
    { downwardAPI: { items: downward } },
  ),
  both: projected({ configMap: { name: 'cm' } }, { secret: { name: 's' } }),
};

/** The names of upstream are not quite alike, nor are they in full anywhere but here: whoever looks for one is to find it. */
const consumable: readonly Conformance[] = [
  ['ConfigMap should be consumable from pods in volume', plain('cm', 'value-1')],
  ['ConfigMap should be consumable from pods in volume with defaultMode set', withMode('cm-mode', 'value-1')],
  ['ConfigMap should be consumable from pods in volume with mappings', withMappings('cm-mapped', 'value-1')],
  [
    'ConfigMap should be consumable from pods in volume with mappings and Item mode set',
    withItem('cm-items', 'value-1'),
  ],
  ['ConfigMap should be consumable in multiple volumes in the same pod', twice('cm', 'value-1')],
  ['ConfigMap binary data should be reflected in volume', { '/cm/dump': { bytes: dump, mode: '644' } }],
  ['Secrets should be consumable from pods in volume', plain('s', 'secret-1')],
  ['Secrets should be consumable from pods in volume with defaultMode set', withMode('s-mode', 'secret-1')],
  ['Secrets should be consumable from pods in volume with mappings', withMappings('s-mapped', 'secret-1')],
  ['Secrets should be consumable from pods in volume with mappings and Item Mode set', withItem('s-items', 'secret-1')],
  ['Secrets should be consumable in multiple volumes in a pod', twice('s', 'secret-1')],
  [
    'Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace',
    plain('s', 'secret-1'),
  ],
  ['Projected configMap should be consumable from pods in volume', plain('pcm', 'value-1')],
  [
    'Projected configMap should be consumable from pods in volume with defaultMode set',
    withMode('pcm-mode', 'value-1'),
  ],
  ['Projected configMap should be consumable from pods in volume with mappings', withMappings('pcm-mapped', 'value-1')],
  [
    'Projected configMap should be consumable from pods in volume with mappings and Item mode set',
    withItem('pcm-items', 'value-1'),
  ],
  ['Projected configMap should be consumable in multiple volumes in the same pod', twice('pcm', 'value-1')],
  ['Projected secret should be consumable from pods in volume', plain('ps', 'secret-1')],
  ['Projected secret should be consumable from pods in volume with defaultMode set', withMode('ps-mode', 'secret-1')],
  ['Projected secret should be consumable from pods in volume with mappings', withMappings('ps-mapped', 'secret-1')],
  [
    'Projected secret should be consumable from pods in volume with mappings and Item Mode set',
    withItem('ps-items', 'secret-1'),
  ],
  ['Projected secret should be consumable in multiple volumes in a pod', twice('ps', 'secret-1')],
  [
    'Projected combined should project all components that make up the projection API',
    {
      '/all/secret-data': { text: 'secret-1', mode: '644' },
      '/all/path/to/data-1': { text: 'value-1', mode: '400' },
      '/all/podname': { text: 'files', mode: '644' },
      '/all/cpu_limit': { text: '2' },
    },
  ],
];

const downwardFiles = (cpus: string, memory: string): readonly Conformance[] => [
  ['Downward API volume should provide podname only', { '/d/podname': { text: 'files', mode: '644' } }],
  ['Downward API volume should set DefaultMode on files', { '/d-mode/podname': { text: 'files', mode: '400' } }],
  ['Downward API volume should set mode on item file', { '/d/podname_400': { text: 'files', mode: '400' } }],
  ["Downward API volume should provide container's cpu limit", { '/d/cpu_limit': { text: '2' } }],
  ["Downward API volume should provide container's cpu request", { '/d/cpu_request': { text: '250' } }],
  ["Downward API volume should provide container's memory limit", { '/d/memory_limit': { text: String(64 << 20) } }],
  ["Downward API volume should provide container's memory request", { '/d/memory_request': { text: '32' } }],
  [
    'Downward API volume should provide node allocatable (cpu) as default cpu limit if the limit is not set',
    { '/d/node_cpu': { text: cpus } },
  ],
  [
    'Downward API volume should provide node allocatable (memory) as default memory limit if the limit is not set',
    { '/d/node_memory': { text: memory } },
  ],
  ['Projected downwardAPI should provide podname only', { '/pd/podname': { text: 'files', mode: '644' } }],
  ['Projected downwardAPI should set DefaultMode on files', { '/pd-mode/podname': { text: 'files', mode: '400' } }],
  ['Projected downwardAPI should set mode on item file', { '/pd/podname_400': { text: 'files', mode: '400' } }],
  ["Projected downwardAPI should provide container's cpu limit", { '/pd/cpu_limit': { text: '2' } }],
  ["Projected downwardAPI should provide container's cpu request", { '/pd/cpu_request': { text: '250' } }],
  ["Projected downwardAPI should provide container's memory limit", { '/pd/memory_limit': { text: String(64 << 20) } }],
  ["Projected downwardAPI should provide container's memory request", { '/pd/memory_request': { text: '32' } }],
  [
    'Projected downwardAPI should provide node allocatable (cpu) as default cpu limit if the limit is not set',
    { '/pd/node_cpu': { text: cpus } },
  ],
  [
    'Projected downwardAPI should provide node allocatable (memory) as default memory limit if the limit is not set',
    { '/pd/node_memory': { text: memory } },
  ],
];

function plain(volume: string, text: string): Conformance[1] {
  return { [`/${volume}/data-1`]: { text, mode: '644' } };
}
function withMode(volume: string, text: string): Conformance[1] {
  return { [`/${volume}/data-1`]: { text, mode: '400' } };
}
/** Only what was asked for is there. */
function withMappings(volume: string, text: string): Conformance[1] {
  return { [`/${volume}/deep/one`]: { text, mode: '644' }, [`/${volume}/data-1`]: { absent: true } };
}
function withItem(volume: string, text: string): Conformance[1] {
  return { [`/${volume}/path/to/data-1`]: { text, mode: '400' } };
}
function twice(volume: string, text: string): Conformance[1] {
  return { ...plain(volume, text), ...plain(`${volume}-again`, text) };
}

export async function files(stage: Stage, t: TestContext): Promise<void> {
  const { cluster, pods, create, sh } = stage;
  await cluster.ok('create', 'namespace', 'elsewhere');
  await cluster.ok('create', 'secret', 'generic', 's', '-n', 'elsewhere', '--from-literal=data-1=not-this');
  const binaryData = { dump: dump.toString('base64') };
  await create(
    configMap('cm', { 'data-1': 'value-1', 'data-2': 'value-2\n' }, { binaryData }),
    secret('s', { 'data-1': 'secret-1' }),
    podWith('files', volumes),
  );
  await pods.running('files');
  const node = await cluster.get<{ status: { allocatable: { cpu: string; memory: string } } }>(
    'node',
    `${cluster.name}-node1`,
  );
  const { cpu, memory } = node.status.allocatable;
  await conform(t, stage, 'files', [
    ...consumable,
    ...downwardFiles(cpu, bytesOf(memory)),
    ['of two sources with the same file the later one counts', { '/both/data-1': { text: 'secret-1' } }],
    ['a text that ends in a newline keeps it', { '/cm/data-2': { text: 'value-2\n' } }],
  ]);
  const mounts = await sh('files', "grep -E ' /(cm|s|all|d) ' /proc/mounts | cut -d' ' -f2,3,4 | cut -d, -f1 | sort");
  assert.match(mounts, /^\/all tmpfs ro\n\/cm (?!tmpfs)\w+ ro\n\/d (?!tmpfs)\w+ ro\n\/s tmpfs ro\n$/);
  const refused = await cluster.kubectl('exec', 'files', '--', 'touch', '/cm/mine');
  assert.match(refused.stderr, /Read-only file system/);
  await cluster.ok('delete', 'pod', 'files', '--now');
}

/** A node reports its memory in bytes or in Ki. */
const bytesOf = (memory: string): string =>
  memory.endsWith('Ki') ? String(Number(memory.slice(0, -2)) * 1024) : memory;

export async function nonRoot(stage: Stage, t: TestContext): Promise<void> {
  const { cluster, pods, create, sh } = stage;
  await create(configMap('nr', { 'data-1': 'value-1' }), secret('nr', { 'data-1': 'secret-1' }));
  const token = projected({ serviceAccountToken: { path: 'token' } });
  const user = {
    cm: { configMap: { name: 'nr' } },
    m: { configMap: { name: 'nr', items: mapped } },
    p: projected({ configMap: { name: 'nr' } }),
    pm: projected({ configMap: { name: 'nr', items: mapped } }),
    t: token,
  };
  const group = {
    s: { secret: { secretName: 'nr', defaultMode: 0o440 } },
    p: { projected: { defaultMode: 0o440, sources: [{ secret: { name: 'nr', items: mapped } }] } },
    e: { emptyDir: {} },
    t: token,
  };
  await create(
    podWith('user', user, { securityContext: { runAsUser: 1000 } }),
    podWith('with-group', group, { securityContext: { runAsUser: 1000, fsGroup: 1001 } }),
  );
  await Promise.all([pods.running('user'), pods.running('with-group')]);
  await conform(t, stage, 'user', [
    ['ConfigMap should be consumable from pods in volume as non-root', plain('cm', 'value-1')],
    ['ConfigMap should be consumable from pods in volume with mappings as non-root', withMappings('m', 'value-1')],
    ['Projected configMap should be consumable from pods in volume as non-root', plain('p', 'value-1')],
    [
      'Projected configMap should be consumable from pods in volume with mappings as non-root',
      withMappings('pm', 'value-1'),
    ],
  ]);
  const shared = { text: 'secret-1', mode: '440', group: 1001 };
  await conform(t, stage, 'with-group', [
    [
      'Secrets should be consumable from pods in volume as non-root with defaultMode and fsGroup set',
      { '/s/data-1': shared },
    ],
    [
      'Projected secret should be consumable from pods in volume as non-root with defaultMode and fsGroup set',
      { '/p/deep/one': shared },
    ],
    ['a token is the group’s to read', { '/t/token': { text: /^ey/, mode: '640', group: 1001 } }],
    ['an emptyDir is the group’s', { '/e': { mode: '2777', group: 1001 } }],
  ]);
  assert.equal(await sh('user', 'id -u; stat -L -c "%a %u" /t/token'), '1000\n600 1000\n');
  assert.equal(await sh('with-group', 'touch /e/made; stat -c %g /e/made'), '1001\n');
  await cluster.ok('delete', 'pod', 'with-group', 'user', '--now');
}
