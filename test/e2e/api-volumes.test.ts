/** Files that come from the API, in real containers. Where a behaviour has a conformance test of upstream, its name is there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { E2eCluster } from '#test/e2e/support/cluster.ts';
import { configMap, podWith, projected, secret, type Stage, stageOn } from '#test/e2e/support/api-volumes.ts';
import { files, nonRoot } from '#test/e2e/support/file-stories.ts';
import { containerOf, idle, PodWatch } from '#test/e2e/support/pod-watch.ts';
import { subPaths, wrongSubPaths } from '#test/e2e/support/sub-path-stories.ts';
import { updates, within } from '#test/e2e/support/update-stories.ts';

test('api volumes', { concurrency: 4, timeout: 180_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-api-volumes');
  await using pods = await PodWatch.on(cluster);
  const stage = stageOn(cluster, pods);
  await Promise.all(stories.map(([name, story]) => t.test(`api volumes: ${name}`, (inner) => story(stage, inner))));
});

const stories: readonly (readonly [string, (stage: Stage, t: TestContext) => Promise<void>])[] = [
  ['keys are files, with names, modes and bytes as asked for', files],
  ['whoever the containers run as reads them', nonRoot],
  ['what changes in the API changes in the files', updates],
  ['a change is in the files within two seconds', within],
  ['a pod waits for what is missing, by name, and goes on when it is there', waiting],
  ['a part of a volume is a mount of its own', subPaths],
  ['a subPath that makes no sense keeps the container from being made until it does', wrongSubPaths],
  ['every pod has a token, unless it or its account says no', tokens],
  ['many volumes at once do not get in each other’s way, and leave nothing', many],
];

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
  await pods.running('waits', 15_000);
  await pods.running('waits-key', 15_000);
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
 * ServiceAccounts should mount an API token into pods
 * ServiceAccounts should mount projected service account token
 * ServiceAccounts should allow opting out of API token automount
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

/**
 * EmptyDir wrapper volumes should not conflict
 * EmptyDir wrapper volumes should not cause race condition when used for configmaps
 */
async function many({ cluster, pods, create }: Stage): Promise<void> {
  const names = Array.from({ length: 50 }, (_, n) => `many-${n}`);
  await create(...names.map((name) => configMap(name, { 'data-1': name })), secret('many', { 'data-1': 'x' }));
  const volumes = Object.fromEntries(names.map((name) => [name, { configMap: { name } }]));
  const numbers = [1, 2, 3, 4, 5];
  const pod = (n: number): string =>
    podWith(
      `many-${n}`,
      { ...volumes, s: { secret: { secretName: 'many' } } },
      { containers: [idle('c', { volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })) })] },
    );
  await create(...numbers.map(pod));
  const uids: string[] = [];
  for (const n of numbers) uids.push((await pods.running(`many-${n}`)).metadata.uid);
  assert.equal(await cluster.ok('exec', 'many-2', '--', 'cat', '/many-0/data-1', '/many-49/data-1'), 'many-0many-49');
  const mounted = (): readonly string[] =>
    uids.filter((uid) => readFileSync('/proc/self/mountinfo', 'utf8').includes(uid));
  assert.equal(mounted().length, 5);
  await cluster.ok('delete', 'pod', '--now', ...numbers.map((n) => `many-${n}`));
  assert.deepEqual(mounted(), []);
}
