/**
 * Files that come from the API, in real containers. The comments name the conformance tests whose behaviour a story
 * shows; `*` stands for ConfigMap, Secrets, Projected configMap and Projected secret, whose tests are alike.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import {
  configMap,
  field,
  items,
  mapped,
  podWith,
  projected,
  resource,
  secret,
  type Stage,
} from '#test/e2e/support/api-volumes.ts';
import { containerOf, idle, PodWatch } from '#test/e2e/support/pod-watch.ts';
import { subPaths, wrongSubPaths } from '#test/e2e/support/sub-path-stories.ts';

test('api volumes', { concurrency: 4, timeout: 180_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-api-volumes');
  await using pods = await PodWatch.on(cluster);
  const stage: Stage = {
    cluster,
    pods,
    async create(...manifests) {
      const list = `{"apiVersion":"v1","kind":"List","items":[${manifests.join(',')}]}`;
      const ran = await cluster.kubectlWith({ input: list }, 'create', '-f', '-');
      assert.equal(ran.code, 0, ran.stderr);
    },
    sh: (pod, script) => cluster.ok('exec', pod, '--', 'sh', '-c', script),
  };
  await Promise.all(stories.map(([name, story]) => t.test(`api volumes: ${name}`, () => story(stage))));
});

const stories: readonly (readonly [string, (stage: Stage) => Promise<void>])[] = [
  ['keys are files, with names, modes and bytes as asked for', files],
  ['whoever the containers run as reads them', nonRoot],
  ['what changes in the API changes in the files', updates],
  ['a pod waits for what is missing, by name, and goes on when it is there', waiting],
  ['a part of a volume is a mount of its own', subPaths],
  ['a subPath that makes no sense keeps the container from being made until it does', wrongSubPaths],
  ['every pod has a token, unless it or its account says no', tokens],
  ['many volumes at once do not get in each other’s way, and leave nothing', many],
];

/**
 * * should be consumable from pods in volume; with defaultMode set; with mappings; with mappings and Item mode set; in multiple
 * volumes in the same pod. ConfigMap binary data should be reflected in volume. Downward API volume and Projected downwardAPI:
 * podname only; set DefaultMode on files; set mode on item file; container's cpu limit, cpu request, memory limit, memory request;
 * node allocatable (cpu, memory) as default limit. Projected combined should project all components. Secrets should be able to
 * mount in a volume regardless of a different secret existing with same name in different namespace.
 */
async function files({ cluster, pods, create, sh }: Stage): Promise<void> {
  await cluster.ok('create', 'namespace', 'elsewhere');
  await cluster.ok('create', 'secret', 'generic', 's', '-n', 'elsewhere', '--from-literal=data-1=not-this');
  const dump = Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff]);
  await create(
    configMap('cm', { 'data-1': 'value-1', 'data-2': 'value-2\n' }, { binaryData: { dump: dump.toString('base64') } }),
    secret('s', { 'data-1': 'secret-1' }),
  );
  const downward = [
    field('podname', 'metadata.name', { mode: 0o400 }),
    resource('cpu_limit', 'limits.cpu'),
    resource('cpu_request', 'requests.cpu', { divisor: '1m' }),
    resource('memory_limit', 'limits.memory'),
    resource('memory_request', 'requests.memory', { divisor: '1Mi' }),
    resource('node_cpu', 'limits.cpu', { containerName: 'unlimited' }),
    resource('node_memory', 'limits.memory', { containerName: 'unlimited' }),
  ];
  await create(
    podWith('files', {
      cm: { configMap: { name: 'cm' } },
      'cm-again': { configMap: { name: 'cm', defaultMode: 0o400 } },
      'cm-items': { configMap: { name: 'cm', items } },
      'cm-mapped': { configMap: { name: 'cm', items: mapped } },
      s: { secret: { secretName: 's' } },
      's-again': { secret: { secretName: 's', defaultMode: 0o400 } },
      's-items': { secret: { secretName: 's', items } },
      's-mapped': { secret: { secretName: 's', items: mapped } },
      d: { downwardAPI: { items: downward, defaultMode: 0o440 } },
      all: projected(
        { secret: { name: 's', items: [{ key: 'data-1', path: 'secret-data' }] } },
        { configMap: { name: 'cm', items } },
        { downwardAPI: { items: downward } },
      ),
      'p-mode': {
        projected: { defaultMode: 0o400, sources: [{ configMap: { name: 'cm' } }, { secret: { name: 's' } }] },
      },
    }),
  );
  await pods.running('files');
  const { status } = await cluster.get<{ status: { allocatable: { cpu: string } } }>('node', 'e2e-api-volumes-node1');
  const cpus = status.allocatable.cpu;
  const shown = await sh(
    'files',
    "cd /; find cm* s s-* d all p-mode -follow -type f | grep -v '/\\.\\.' | sort | xargs stat -L -c '%n %a'",
  );
  assert.deepEqual(shown.trim().split('\n'), [
    ...['cpu_limit', 'cpu_request', 'memory_limit', 'memory_request', 'node_cpu', 'node_memory'].map(
      (n) => `all/${n} 644`,
    ),
    'all/path/to/data-1 400',
    'all/podname 400',
    'all/secret-data 644',
    'cm-again/data-1 400',
    'cm-again/data-2 400',
    'cm-again/dump 400',
    'cm-items/path/to/data-1 400',
    'cm-mapped/deep/one 644',
    'cm/data-1 644',
    'cm/data-2 644',
    'cm/dump 644',
    ...['cpu_limit', 'cpu_request', 'memory_limit', 'memory_request', 'node_cpu', 'node_memory'].map(
      (n) => `d/${n} 440`,
    ),
    'd/podname 400',
    'p-mode/data-1 400',
    'p-mode/data-2 400',
    'p-mode/dump 400',
    's-again/data-1 400',
    's-items/path/to/data-1 400',
    's-mapped/deep/one 644',
    's/data-1 644',
  ]);
  const contents = {
    '/cm/data-1': 'value-1',
    '/cm/data-2': 'value-2\n',
    '/cm-items/path/to/data-1': 'value-1',
    '/s/data-1': 'secret-1',
    '/s-mapped/deep/one': 'secret-1',
    '/all/secret-data': 'secret-1',
    '/all/path/to/data-1': 'value-1',
    // Of two sources with the same file the later one counts.
    '/p-mode/data-1': 'secret-1',
    '/d/podname': 'files',
    '/d/cpu_limit': '2',
    '/d/cpu_request': '250',
    '/d/memory_limit': String(64 << 20),
    '/d/memory_request': '32',
    '/d/node_cpu': cpus,
    '/all/podname': 'files',
  };
  const read = await sh(
    'files',
    Object.keys(contents)
      .map((path) => `cat ${path}; echo '|'`)
      .join(';'),
  );
  assert.deepEqual(read.split('|\n').slice(0, -1), Object.values(contents));
  assert.match(await sh('files', 'cat /d/node_memory'), /^\d{9,}$/);
  assert.equal(await sh('files', 'base64 < /cm/dump'), `${dump.toString('base64')}\n`);
  const mounts = await sh('files', "grep -E ' /(cm|s|all|d) ' /proc/mounts | cut -d' ' -f2,3,4 | cut -d, -f1 | sort");
  assert.match(mounts, /^\/all tmpfs ro\n\/cm (?!tmpfs)\w+ ro\n\/d (?!tmpfs)\w+ ro\n\/s tmpfs ro\n$/);
  const refused = await cluster.kubectl('exec', 'files', '--', 'touch', '/cm/mine');
  assert.match(refused.stderr, /Read-only file system/);
  await cluster.ok('delete', 'pod', 'files', '--now');
}

/** * should be consumable from pods in volume as non-root; with mappings as non-root; as non-root with defaultMode and fsGroup set. */
async function nonRoot({ cluster, pods, create, sh }: Stage): Promise<void> {
  await create(configMap('nr', { 'data-1': 'value-1' }), secret('nr', { 'data-1': 'secret-1' }));
  const fsVolumes = {
    s: { secret: { secretName: 'nr', defaultMode: 0o440 } },
    p: { projected: { defaultMode: 0o440, sources: [{ secret: { name: 'nr', items: mapped } }] } },
    e: { emptyDir: {} },
    t: projected({ serviceAccountToken: { path: 'token' } }),
  };
  const groupSecurity = { securityContext: { runAsUser: 1000, fsGroup: 1001 } };
  const plain = {
    cm: { configMap: { name: 'nr' } },
    m: { configMap: { name: 'nr', items: mapped } },
    p: projected({ configMap: { name: 'nr' } }),
  };
  await create(
    podWith('with-group', fsVolumes, groupSecurity),
    podWith(
      'user',
      { ...plain, t: projected({ serviceAccountToken: { path: 'token' } }) },
      { securityContext: { runAsUser: 1000 } },
    ),
  );
  await pods.running('with-group');
  await pods.running('user');
  assert.equal(
    await sh('user', 'id -u; cat /cm/data-1 /m/deep/one /p/data-1; stat -L -c " %a %u" /cm/data-1 /t/token'),
    '1000\nvalue-1value-1value-1 644 0\n 600 1000\n',
  );
  const script =
    'cat /s/data-1 /p/deep/one; stat -L -c " %a %g" /s/data-1 /p/deep/one /e /t/token; touch /e/made; stat -c %g /e/made; test -s /t/token';
  assert.equal(await sh('with-group', script), 'secret-1secret-1 440 1001\n 440 1001\n 2777 1001\n 640 1001\n1001\n');
  await cluster.ok('delete', 'pod', 'with-group', 'user', '--now');
}

/**
 * * updates should be reflected in volume; optional updates should be reflected in volume. Downward API volume and Projected
 * downwardAPI should update labels, annotations on modification. ConfigMap and Secrets should be immutable if `immutable` field is set.
 */
async function updates({ cluster, pods, create, sh }: Stage): Promise<void> {
  await create(
    configMap('up', { 'data-1': 'value-1' }),
    configMap('deleted', { 'data-1': 'value-1' }),
    secret('up', { 'data-1': 'value-1' }),
    configMap('fixed', { 'data-1': 'value-1' }, { immutable: true }),
    secret('fixed', { 'data-1': 'value-1' }, { immutable: true }),
  );
  const optional = true;
  const volumes = {
    cm: { configMap: { name: 'up' } },
    s: { secret: { secretName: 'up' } },
    created: { configMap: { name: 'created', optional } },
    deleted: { configMap: { name: 'deleted', optional } },
    's-created': { secret: { secretName: 'created', optional } },
    p: projected(
      { configMap: { name: 'up', items: [{ key: 'data-1', path: 'cm' }] } },
      { secret: { name: 'created', optional, items: [{ key: 'data-1', path: 's' }] } },
      { downwardAPI: { items: [field('labels', 'metadata.labels')] } },
    ),
    fixed: { configMap: { name: 'fixed' } },
    d: { downwardAPI: { items: [field('labels', 'metadata.labels'), field('annotations', 'metadata.annotations')] } },
  };
  await create(podWith('up', volumes, {}, { labels: { a: '1' }, annotations: { b: 'say "x"' } }));
  await pods.running('up');
  assert.equal(
    await sh('up', 'cat /d/labels; echo; cat /d/annotations /p/cm; ls /created /s-created'),
    'a="1"\nb="say \\"x\\""value-1/created:\n\n/s-created:\n',
  );
  const merge = (kind: string, data: object): Promise<string> =>
    cluster.ok('patch', kind, 'up', '--type=merge', '-p', JSON.stringify(data));
  const began = Date.now();
  await Promise.all([
    merge('configmap', { data: { 'data-1': 'value-2', 'data-3': 'new' } }),
    merge('secret', { stringData: { 'data-1': 'secret-2' } }),
    create(configMap('created', { 'data-1': 'born' }), secret('created', { 'data-1': 'born' })),
    cluster.ok('delete', 'configmap', 'deleted'),
    merge('pod', { metadata: { labels: { c: '3' }, annotations: { b: 'other' } } }),
  ]);
  const wanted = 'value-2newsecret-2bornbornvalue-2born\na="1"\nc="3"\nb="other"\na="1"\nc="3"';
  const read =
    'cd /; ls deleted; cat cm/data-1 cm/data-3 s/data-1 created/data-1 s-created/data-1 p/cm p/s; echo; cat d/labels; echo; cat d/annotations; echo; cat p/labels';
  await until(
    'all files are new',
    () => sh('up', read),
    (text) => text === wanted,
    10_000,
  );
  const took = Date.now() - began;
  assert.ok(took < 5000, `${took} ms, of which most are kubectl's`);
  for (const kind of ['configmap', 'secret']) {
    const field = kind === 'secret' ? 'stringData' : 'data';
    const changed = await cluster.kubectl('patch', kind, 'fixed', '--type=merge', '-p', `{"${field}":{"data-1":"x"}}`);
    assert.match(changed.stderr, /field is immutable when `immutable` is set/);
    await cluster.ok('label', kind, 'fixed', 'still=labelled');
  }
  // A required object that goes takes no file with it: what was there stays.
  await cluster.ok('delete', 'configmap', 'up');
  await cluster.ok('delete', 'configmap', 'fixed');
  assert.equal(await sh('up', 'sleep 1; cat /cm/data-1 /fixed/data-1'), 'value-2value-1');
  await cluster.ok('delete', 'pod', 'up', '--now');
}

async function waiting({ cluster, pods, create, sh }: Stage): Promise<void> {
  await create(
    podWith('waits', { x: { configMap: { name: 'y' } } }),
    podWith('waits-key', { x: { secret: { secretName: 'z', items: [{ key: 'k', path: 'k' }] } } }),
    secret('z', { other: '1' }),
  );
  const event = await pods.told('waits', /FailedMount/);
  assert.equal(event, 'Warning FailedMount MountVolume.SetUp failed for volume "x" : configmap "y" not found');
  assert.match(
    await pods.told('waits-key', /references/),
    /FailedMount MountVolume.SetUp failed for volume "x" : references non-existent secret key: k$/,
  );
  await pods.reaches('waits', 'waiting', (pod) => {
    return containerOf(pod, 'c')?.state?.waiting?.reason === 'ContainerCreating';
  });
  await create(configMap('y', { here: 'now' }));
  await cluster.ok('patch', 'secret', 'z', '-p', '{"stringData":{"k":"v"}}');
  await pods.running('waits', 5000);
  await pods.running('waits-key', 5000);
  assert.equal(await sh('waits', 'cat /x/here'), 'now');
  await create(podWith('never', { x: { configMap: { name: 'nowhere' } } }));
  await pods.told('never', /FailedMount/);
  await cluster.ok('delete', 'pod', 'waits', 'waits-key', 'never', '--now');
}

interface Claims {
  readonly iat: number;
  readonly exp: number;
  readonly aud: readonly string[];
  readonly 'kubernetes.io': { readonly pod: object };
}

/**
 * ServiceAccounts should mount an API token into pods; should mount projected service account token; should allow opting out of API token
 * automount.
 */
async function tokens({ cluster, pods, create, sh }: Stage): Promise<void> {
  const account = (name: string, more: object): string =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' }, ...more });
  await create(
    account('mute', { automountServiceAccountToken: false }),
    account('pulls', { imagePullSecrets: [{ name: 'registry' }] }),
  );
  // What the server makes of a pod can be seen without running it.
  const schedulingGates = [{ name: 'not.yet/ever' }];
  const own = projected({ serviceAccountToken: { path: 'token', audience: 'somebody', expirationSeconds: 600 } });
  await create(podWith('token', { own }), podWith('mute', {}, { serviceAccountName: 'mute' }));
  await create(
    podWith('loud', {}, { serviceAccountName: 'mute', automountServiceAccountToken: true, schedulingGates }),
    podWith('own-no', {}, { automountServiceAccountToken: false, schedulingGates }),
    podWith('pulls', {}, { serviceAccountName: 'pulls', schedulingGates }),
  );
  const volumesOf = (name: string): readonly string[] =>
    (pods.get(name)?.spec.volumes ?? []).map((volume) => volume.name ?? '');
  const { metadata, spec } = await pods.running('token');
  assert.match(volumesOf('token').join(), /^own,kube-api-access-\w{5}$/);
  assert.equal(spec.containers[0]?.volumeMounts?.[1]?.mountPath, '/var/run/secrets/kubernetes.io/serviceaccount');
  const at = '/var/run/secrets/kubernetes.io/serviceaccount';
  assert.equal(
    await sh('token', `ls ${at}; cat ${at}/namespace; stat -L -c ' %a' ${at}/token`),
    'ca.crt\nnamespace\ntoken\ndefault 644\n',
  );
  const root = await cluster.get<{ data: Record<string, string> }>('configmap', 'kube-root-ca.crt');
  assert.equal(await sh('token', `cat ${at}/ca.crt`), root.data['ca.crt']);
  const claims = async (path: string): Promise<Claims> =>
    JSON.parse(Buffer.from((await sh('token', `cat ${path}`)).split('.')[1]!, 'base64url').toString()) as Claims;
  const given = await claims(`${at}/token`);
  assert.equal(given.exp - given.iat, 3607);
  assert.deepEqual(given['kubernetes.io'].pod, { name: 'token', uid: metadata.uid });
  const asked = await claims('/own/token');
  assert.deepEqual([asked.aud, asked.exp - asked.iat], [['somebody'], 600]);
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: await sh('token', `cat ${at}/token`) },
  };
  const reviewed = async (): Promise<{ authenticated?: boolean; user?: { username?: string } }> => {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const ran = await cluster.kubectlWith({ input: JSON.stringify(review) }, 'create', '--raw', path, '-f', '-');
    assert.equal(ran.code, 0, ran.stderr);
    return (JSON.parse(ran.stdout) as { status: { authenticated?: boolean } }).status;
  };
  const { authenticated, user } = await reviewed();
  assert.deepEqual([authenticated, user?.username], [true, 'system:serviceaccount:default:default']);
  await pods.running('mute');
  assert.notEqual((await cluster.kubectl('exec', 'mute', '--', 'ls', at)).code, 0);
  assert.deepEqual([volumesOf('mute').length, volumesOf('loud').length, volumesOf('own-no').length], [0, 1, 0]);
  assert.deepEqual(pods.get('pulls')?.spec.imagePullSecrets, [{ name: 'registry' }]);
  const nobody = await cluster.kubectlWith(
    { input: podWith('nobody', {}, { serviceAccountName: 'nobody' }) },
    'create',
    '-f',
    '-',
  );
  assert.match(
    nobody.stderr,
    /pods "nobody" is forbidden: error looking up service account default\/nobody: serviceaccount "nobody" not found/,
  );
  await cluster.ok('delete', 'pod', 'token', 'mute', 'loud', 'own-no', 'pulls', '--now');
  assert.notEqual((await reviewed()).authenticated, true, 'a token dies with its pod');
}

/** EmptyDir wrapper volumes should not conflict; should not cause race condition when used for configmaps. */
async function many({ cluster, pods, create }: Stage): Promise<void> {
  const names = Array.from({ length: 50 }, (_, n) => `many-${n}`);
  await create(...names.map((name) => configMap(name, { 'data-1': name })), secret('many', { 'data-1': 'x' }));
  const volumes = Object.fromEntries(names.map((name) => [name, { configMap: { name } }]));
  const pod = (n: number): string =>
    podWith(
      `many-${n}`,
      { ...volumes, s: { secret: { secretName: 'many' } } },
      { containers: [idle('c', { volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })) })] },
    );
  await create(...[1, 2, 3].map(pod));
  const uids: string[] = [];
  for (const n of [1, 2, 3]) uids.push((await pods.running(`many-${n}`)).metadata.uid);
  assert.equal(await cluster.ok('exec', 'many-2', '--', 'cat', '/many-0/data-1', '/many-49/data-1'), 'many-0many-49');
  const mounted = (): readonly string[] =>
    uids.filter((uid) => readFileSync('/proc/self/mountinfo', 'utf8').includes(uid));
  assert.equal(mounted().length, 3);
  await cluster.ok('delete', 'pod', '--now', ...[1, 2, 3].map((n) => `many-${n}`));
  assert.deepEqual(mounted(), []);
}
