/** What may change of a pod that runs, and how its generations tell. */
import assert from 'node:assert/strict';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { containerOf, idle } from '#test/e2e/support/pod-watch.ts';

export const changesStories: readonly Story[] = [
  ['what may change of a pod changes, and its containers go on', changes],
  ['generations count what its owner asks for, and are observed', generations],
  ['five hundred changes are all observed', manyChanges],
  ['a status that others patch, and a life from create to delete', statuses],
];

const within = (): AbortSignal => AbortSignal.timeout(10_000);
const named = (name: string) => ({ namespace: 'default', name });

function patch({ pods }: Stage, name: string, body: object): Promise<Pod> {
  return pods.client.patch(podResource, named(name), { kind: 'strategic', body }, within());
}

const observedAt = (generation: number) => (pod: Pod) =>
  pod.metadata.generation === generation && pod.status?.observedGeneration === generation;

async function changes(stage: Stage): Promise<void> {
  const { cluster, pods, create, remove } = stage;
  await create(
    'changing',
    { containers: [idle('a'), idle('b')], terminationGracePeriodSeconds: 1 },
    { labels: { time: 'one' } },
  );
  const before = await pods.running('changing');
  // Pods should be updated
  await patch(stage, 'changing', { metadata: { labels: { time: 'two' }, annotations: { seen: 'yes' } } });
  assert.match(await cluster.ok('get', 'pods', '-l', 'time=two', '-o', 'name'), /^pod\/changing$/m);
  const tolerations = [...(before.spec.tolerations ?? []), { key: 'k', operator: 'Exists' }];
  await patch(stage, 'changing', { spec: { tolerations } });
  const refused = await cluster.kubectl('patch', 'pod', 'changing', '-p', '{"spec":{"restartPolicy":"Never"}}');
  assert.match(
    refused.stderr,
    /spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
  );
  const settled = await pods.reaches('changing', 'observed', observedAt(2));
  for (const name of ['a', 'b']) assert.deepEqual(containerOf(settled, name), containerOf(before, name));
  // Pods should allow activeDeadlineSeconds to be updated
  await patch(stage, 'changing', { spec: { activeDeadlineSeconds: 5 } });
  const ended = await pods.ended('changing');
  assert.deepEqual([ended.status?.phase, ended.status?.reason], ['Failed', 'DeadlineExceeded']);
  const longer = await cluster.kubectl('patch', 'pod', 'changing', '-p', '{"spec":{"activeDeadlineSeconds":50}}');
  assert.match(
    longer.stderr,
    /spec\.activeDeadlineSeconds: Invalid value: 50: must be less than or equal to previous value/,
  );
  await remove('changing');
}

async function generations(stage: Stage): Promise<void> {
  const { pods, create, remove } = stage;
  // Pod Generation pod generation should start at 1 and increment per update
  await create('counted', { containers: [idle('a'), idle('b')] }, { generation: 100 });
  const first = await pods.reaches('counted', 'observed', observedAt(1));
  for (const { type, observedGeneration } of first.status?.conditions ?? []) assert.equal(observedGeneration, 1, type);
  await patch(stage, 'counted', { metadata: { labels: { no: 'wish' } } });
  await patch(stage, 'counted', { spec: { activeDeadlineSeconds: 5000 } });
  await pods.reaches('counted', 'observed', observedAt(2));
  await patch(stage, 'counted', { spec: { containers: [{ name: 'a', image: 'docker.io/library/busybox:latest' }] } });
  await pods.reaches('counted', 'observed', observedAt(3));
  await patch(stage, 'counted', { spec: { tolerations: [{ key: 'k', operator: 'Exists' }] } });
  const last = await pods.reaches('counted', 'observed', observedAt(4));
  for (const { type, observedGeneration } of last.status?.conditions ?? []) {
    // Only the scheduler says that a pod is scheduled, and it did so once.
    if (type !== 'PodScheduled') assert.equal(observedGeneration, 4, type);
  }
  // Pod Generation custom-set generation on new pods and graceful delete
  await remove('counted');
  await pods.went(
    'counted',
    'deleted',
    ({ metadata }) => metadata.deletionTimestamp !== undefined && metadata.generation === 5,
  );
}

async function manyChanges(stage: Stage): Promise<void> {
  const { pods, create, remove } = stage;
  // Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge
  await create('busy', { containers: [idle()] });
  for (let n = 1; n < 500; n++) await patch(stage, 'busy', { spec: { activeDeadlineSeconds: 9000 - n } });
  await pods.reaches('busy', 'observed', observedAt(500));
  await remove('busy');
}

async function statuses(stage: Stage): Promise<void> {
  const { cluster, pods, create, remove } = stage;
  await create(
    'patched',
    { containers: [idle()], terminationGracePeriodSeconds: 1 },
    { labels: { 'test-pod-static': 'true' } },
  );
  await pods.running('patched');
  // Pods should patch a pod status
  const conditions = [{ type: 'StatusPatched', status: 'True', reason: 'E2E' }];
  await pods.client.patch(
    podResource,
    { ...named('patched'), subresource: 'status' },
    { kind: 'strategic', body: { status: { message: 'Patched by hand', conditions } } },
    within(),
  );
  const has = ({ status }: Pod): boolean => status?.conditions?.some(({ type }) => type === 'StatusPatched') === true;
  const patched = await pods.went('patched', 'patched', has);
  assert.equal(patched.status?.message, 'Patched by hand');
  // Pods should run through the lifecycle of Pods and PodStatus
  await patch(stage, 'patched', {
    metadata: { labels: { 'test-pod': 'patched' } },
    spec: { containers: [{ name: 'c', image: 'docker.io/library/busybox:latest' }] },
  });
  const replaced = await pods.reaches(
    'patched',
    'running its new image',
    (pod) => containerOf(pod)?.restartCount === 1 && containerOf(pod)?.state?.running !== undefined,
  );
  assert.ok(has(replaced), 'what others say of it stays');
  assert.match(await cluster.ok('get', 'pods', '-l', 'test-pod=patched', '-o', 'name'), /^pod\/patched$/m);
  const latest = await pods.client.get(podResource, named('patched'), within());
  const notReady = latest?.status?.conditions?.map((one) =>
    one.type === 'StatusPatched' ? { ...one, status: 'False' as const } : one,
  );
  const input = JSON.stringify({ ...latest, status: { ...latest?.status, conditions: notReady } });
  const put = await cluster.kubectlWith({ input }, 'replace', '--subresource=status', '-f', '-');
  assert.equal(put.code, 0, put.stderr);
  await pods.went(
    'patched',
    'told otherwise',
    ({ status }) => status?.conditions?.find(({ type }) => type === 'StatusPatched')?.status === 'False',
  );
  await remove('patched');
  await pods.gone('patched');
}
