import assert from 'node:assert/strict';
import type { ConfigMap, ContainerState, EventList, Pod } from '#api/generated/core-v1.ts';
import { pushArchive } from '#images/push.ts';
import { type E2eCluster, peapod, type Ran, until } from '#test/e2e/support/cluster.ts';
import { archiveOf } from '#test/e2e/support/image-archive.ts';
import { podOf } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

const never = new AbortController().signal;

/** `http://127.0.0.1:PORT` of the cluster's own registry. */
async function registryOf(cluster: E2eCluster): Promise<string> {
  const ran = await peapod(['status', ...cluster.global, '-o', 'json']);
  const { registry } = (JSON.parse(ran.stdout) as { images: { registry: string | null } }).images;
  assert.ok(registry !== null);
  return registry;
}

const hostOf = (registry: string): string => `localhost:${new URL(registry).port}`;

const says = (word: string): readonly string[] => ['sh', '-c', `echo ${word}; trap 'exit 0' TERM; sleep 1000 & wait`];

async function push(cluster: E2eCluster, name: string, word: string): Promise<void> {
  const archive = archiveOf(cluster, `docker.io/library/${name}:latest`, says(word));
  await pushArchive(archive, await registryOf(cluster), name, never);
}

const stateOf = async (cluster: E2eCluster, name: string): Promise<ContainerState> =>
  (await cluster.get<Pod>('pod', name)).status?.containerStatuses?.[0]?.state ?? {};

const waitsFor = (cluster: E2eCluster, name: string, reason: string): Promise<ContainerState> =>
  until(
    `${name} to be waiting for ${reason}`,
    () => stateOf(cluster, name),
    ({ waiting }) => waiting?.reason === reason,
  );

const ready = (cluster: E2eCluster, name: string, timeout = '40s'): Promise<string> =>
  cluster.ok('wait', '--for=condition=Ready', `pod/${name}`, `--timeout=${timeout}`);

const image = (cluster: E2eCluster, ...args: readonly string[]): Promise<Ran> =>
  peapod(['image', args[0]!, ...cluster.global, ...args.slice(1)]);

/** Where images come from, and what happens when they do not. */
onCluster('images', {
  'the registry is announced where tools look for it': async (cluster) => {
    const { data } = await cluster.get<ConfigMap>('configmap', 'local-registry-hosting', '-n', 'kube-public');
    assert.match(
      data!['localRegistryHosting.v1']!,
      new RegExp(`^host: "${hostOf(await registryOf(cluster))}"\nhelp: ".+"\n$`),
    );
  },

  'an image that is pushed to it runs at once': async (cluster) => {
    await push(cluster, 'mine', 'pushed');
    const name = `${hostOf(await registryOf(cluster))}/library/mine`;
    await cluster.apply(podOf('pushed', { image: name }));
    await ready(cluster, 'pushed');
    assert.equal(await cluster.ok('logs', 'pushed'), 'pushed\n');
    const { containerStatuses } = (await cluster.get<Pod>('pod', 'pushed')).status!;
    assert.match(containerStatuses![0]!.imageID!, new RegExp(`^${name}@sha256:[0-9a-f]{64}$`));
  },

  'image list, pull and load': async (cluster) => {
    const list = async (): Promise<string> => (await image(cluster, 'list')).stdout;
    assert.match(await list(), /^IMAGE +ID +SIZE\n/);
    assert.match(await list(), /^registry\.k8s\.io\/pause:3\.6 +[0-9a-f]{12} +\d+\.\d MB$/m);
    assert.doesNotMatch(await list(), /^docker\.io\/library\/nginx/m);
    const pulled = await image(cluster, 'pull', 'nginx');
    assert.deepEqual(
      [pulled.code, /^pulled nginx: sha256:[0-9a-f]{64}$/m.test(pulled.stdout)],
      [0, true],
      pulled.stderr,
    );
    assert.match(await list(), /^docker\.io\/library\/nginx:latest /m);
    const archive = archiveOf(cluster, 'example.test/loaded:1', says('loaded'));
    const loaded = await image(cluster, 'load', archive);
    assert.deepEqual([loaded.code, loaded.stdout], [0, 'loaded example.test/loaded:1\n'], loaded.stderr);
    await cluster.apply(podOf('loaded', { image: 'example.test/loaded:1', imagePullPolicy: 'Never' }));
    await ready(cluster, 'loaded');
    assert.equal(await cluster.ok('logs', 'loaded'), 'loaded\n');
    const json = JSON.parse((await image(cluster, 'list', '-o', 'json')).stdout) as readonly {
      repoTags: readonly string[];
    }[];
    assert.ok(json.some(({ repoTags }) => repoTags.includes('example.test/loaded:1')));
  },

  'image pull and load: what cannot be': async (cluster) => {
    const missing = await image(cluster, 'pull', 'no-such-image');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^peapod: cannot pull no-such-image: .*not found\n$/);
    const file = await image(cluster, 'load', cluster.kubeconfig);
    assert.equal(file.code, 1);
    assert.match(file.stderr, /^peapod: ".*kubeconfig" is not a tar archive\n$/);
    const nothing = await image(cluster, 'load', '/no/such/file');
    assert.deepEqual([nothing.code, nothing.stderr], [1, 'peapod: the path "/no/such/file" does not exist\n']);
  },

  'an image that does not exist: ErrImagePull, back-off, and recovery once it is there': async (cluster) => {
    await cluster.apply(podOf('late', { image: 'late' }));
    await until(
      'a first failure',
      () => stateOf(cluster, 'late'),
      ({ waiting }) => waiting?.reason === 'ErrImagePull' || waiting?.reason === 'ImagePullBackOff',
    );
    const { waiting } = await waitsFor(cluster, 'late', 'ImagePullBackOff');
    assert.match(
      waiting!.message!,
      /^Back-off pulling image "late": ErrImagePull: .*docker\.io\/library\/late:latest.*not found/,
    );
    assert.match(await cluster.ok('get', 'pod', 'late'), /^late +0\/1 +(ImagePullBackOff|ErrImagePull) /m);
    const { items } = await cluster.get<EventList>('events', '--field-selector', 'involvedObject.name=late');
    const messages = items.map(({ type, reason, message }) => `${type} ${reason} ${message}`).join('\n');
    assert.match(messages, /^Normal Pulling Pulling image "late"$/m);
    assert.match(messages, /^Warning Failed Failed to pull image "late": .*not found$/m);
    assert.match(messages, /^Warning Failed Error: ErrImagePull$/m);
    assert.match(messages, /^Normal BackOff Back-off pulling image "late"$/m);
    await push(cluster, 'late', 'here');
    await ready(cluster, 'late');
    assert.equal(await cluster.ok('logs', 'late'), 'here\n');
  },

  'imagePullPolicy: Never does not, IfNotPresent once, Always every time': async (cluster) => {
    const pulls = async (pod: string): Promise<readonly string[]> =>
      (await cluster.get<EventList>('events', '--field-selector', `involvedObject.name=${pod}`)).items
        .filter(({ reason }) => reason === 'Pulling' || reason === 'Pulled')
        .map(({ reason, message }) => `${reason}: ${message!.replace(/ in .*/, '')}`)
        .toSorted();
    await cluster.apply(podOf('never', { image: 'policed:1', imagePullPolicy: 'Never' }));
    const { waiting } = await waitsFor(cluster, 'never', 'ErrImageNeverPull');
    assert.equal(waiting!.message, 'Container image "policed:1" is not present with pull policy of Never');
    const archive = archiveOf(cluster, 'docker.io/library/policed:1', says('one'));
    await pushArchive(archive, await registryOf(cluster), 'policed:1', never);
    for (const [name, policy] of [
      ['always-1', 'Always'],
      ['once', 'IfNotPresent'],
      ['always-2', 'Always'],
    ] as const) {
      await cluster.apply(podOf(name, { image: 'policed:1', imagePullPolicy: policy }));
      await ready(cluster, name);
    }
    const pulled = ['Pulled: Successfully pulled image "policed:1"', 'Pulling: Pulling image "policed:1"'];
    await until(
      'events of always-1',
      () => pulls('always-1'),
      (seen) => seen.length === 2,
    );
    assert.deepEqual(await pulls('always-1'), pulled);
    await until(
      'events of always-2',
      () => pulls('always-2'),
      (seen) => seen.length === 2,
    );
    assert.deepEqual(await pulls('always-2'), pulled);
    const present = 'Pulled: Container image "policed:1" already present on machine';
    const once = await until(
      'events of once',
      () => pulls('once'),
      (seen) => seen.length > 0,
    );
    assert.equal(once.length, 1);
    assert.ok(once[0]!.startsWith(present), once.join());
    // What was never to be pulled is there now, by others' doing.
    await ready(cluster, 'never');
    const pushed = await cluster.get<Pod>('pod', 'pushed');
    assert.equal(pushed.spec.containers[0]!.imagePullPolicy, 'Always', 'the default for :latest');
    assert.equal((await cluster.get<Pod>('pod', 'loaded')).spec.containers[0]!.imagePullPolicy, 'Never');
  },

  'Always sees what is new under an old name': async (cluster) => {
    await push(cluster, 'mine', 'anew');
    const name = `${hostOf(await registryOf(cluster))}/library/mine`;
    await cluster.apply(podOf('anew', { image: name }));
    await ready(cluster, 'anew');
    assert.equal(await cluster.ok('logs', 'anew'), 'anew\n');
  },

  'a name that is none': async (cluster) => {
    await cluster.apply(podOf('misnamed', { image: 'Not/A/Name' }));
    const { waiting } = await waitsFor(cluster, 'misnamed', 'InvalidImageName');
    assert.match(
      waiting!.message!,
      /^Failed to apply default image tag "Not\/A\/Name": couldn't parse image name "Not\/A\/Name": invalid reference format: repository name must be lowercase$/,
    );
    const list = await cluster.ok(
      'get',
      'events',
      '--field-selector',
      'involvedObject.name=misnamed,reason=InspectFailed',
    );
    assert.match(list, /Failed to apply default image tag/);
  },
});
