/** A pod's life as its API tells it: made, watched, changed, ended. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { podResource } from '#client/resources.ts';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { until } from '#test/e2e/support/cluster.ts';
import { conditionOf, containerOf, idle, isReady, shell } from '#test/e2e/support/pod-watch.ts';

export const apiLifeStories: readonly Story[] = [
  // [sig-node] Pods should be submitted and removed
  // [sig-node] Pods should get a host IP
  ['submitted, seen, ended and gone', submittedAndRemoved],
  // [sig-node] Pods should be updated
  // [sig-node] Pods should allow activeDeadlineSeconds to be updated
  ['labels and the deadline of a pod that runs are changed', updated],
  // [sig-node] Pods should delete a collection of pods
  ['a collection is deleted', deletedTogether],
  // [sig-node] Pods should patch a pod status
  // [sig-node] Pods should run through the lifecycle of Pods and PodStatus
  ['its status has other writers too', statusWritten],
];

const later = (): AbortSignal => AbortSignal.timeout(20_000);
const DAY_MS = 86_400_000;

async function submittedAndRemoved({ cluster, pods, create }: Stage): Promise<void> {
  const selector = 'time=of-this-one';
  assert.equal(await cluster.ok('get', 'pods', '-l', selector, '-o', 'name'), '');
  const { resourceVersion } = (await pods.client.list<Pod>(podResource, { namespace: 'default' }, later())).metadata;
  const since = { namespace: 'default', labelSelector: selector, resourceVersion: resourceVersion! };
  const seen: string[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of pods.client.watch<Pod>(podResource, since, stop.signal)) {
      if (event.type === 'BOOKMARK') continue;
      const { type, object } = event;
      if (type !== 'MODIFIED') seen.push(type);
      else if (object.metadata.deletionTimestamp !== undefined && !seen.includes('ending')) seen.push('ending');
      if (type === 'DELETED') return;
    }
  })();
  await create('submitted', { containers: [idle()] }, { labels: { time: 'of-this-one' } });
  const { status } = await pods.running('submitted');
  assert.ok(isIP(status?.hostIP ?? '') > 0, String(status?.hostIP));
  assert.ok(status?.hostIPs?.some(({ ip }) => ip === status.hostIP));
  assert.equal(await cluster.ok('get', 'pods', '-l', selector, '-o', 'name'), 'pod/submitted\n');
  await cluster.ok('delete', 'pod', 'submitted', '--grace-period=20');
  await watching;
  stop.abort();
  assert.deepEqual(seen, ['ADDED', 'ending', 'DELETED']);
  assert.equal(await cluster.ok('get', 'pods', '-l', selector, '-o', 'name'), '');
}

async function updated({ cluster, pods, create, remove }: Stage): Promise<void> {
  const spec = { terminationGracePeriodSeconds: 1, containers: [idle()] };
  await create('updated', spec, { labels: { time: 'first' } });
  const before = await pods.running('updated');
  await cluster.ok('label', 'pod', 'updated', 'time=second', '--overwrite');
  assert.equal(await cluster.ok('get', 'pods', '-l', 'time=second', '-o', 'name'), 'pod/updated\n');
  assert.equal(containerOf(pods.get('updated'))?.containerID, containerOf(before)?.containerID);
  await cluster.ok('patch', 'pod', 'updated', '-p', '{"spec":{"activeDeadlineSeconds":1}}');
  const { status } = await pods.ended('updated');
  assert.deepEqual([status?.phase, status?.reason], ['Failed', 'DeadlineExceeded']);
  await pods.told('updated', /^Normal DeadlineExceeded Pod was active on the node longer than the specified deadline$/);
  await remove('updated');
}

async function deletedTogether({ cluster, pods, create }: Stage): Promise<void> {
  const names = ['together-1', 'together-2', 'together-3'];
  const labels = { type: 'together' };
  await Promise.all(
    names.map((name) => create(name, { terminationGracePeriodSeconds: 1, containers: [idle()] }, { labels })),
  );
  assert.equal((await cluster.ok('get', 'pods', '-l', 'type=together', '-o', 'name')).trim().split('\n').length, 3);
  const selection = { namespace: 'default', labelSelector: 'type=together' };
  await pods.client.deleteCollection(podResource, selection, {}, later());
  await Promise.all(names.map((name) => pods.gone(name)));
}

async function statusWritten({ cluster, pods, create, remove }: Stage): Promise<void> {
  await create('written', { containers: [idle()] }, { labels: { life: 'one' } });
  await pods.running('written');
  const own = (reason: string): string =>
    JSON.stringify({ status: { conditions: [{ type: 'example.org/Told', status: 'True', reason }], message: 'told' } });
  await cluster.ok('patch', 'pod', 'written', '--subresource=status', '-p', own('ByPatch'));
  const patch = { metadata: { labels: { life: 'two' } }, spec: { terminationGracePeriodSeconds: 30 } };
  await cluster.ok('patch', 'pod', 'written', '-p', JSON.stringify(patch));
  const put = async (): Promise<Pod | undefined> => {
    const now = await pods.client.get<Pod>(podResource, { namespace: 'default', name: 'written' }, later());
    assert.equal(now?.metadata.labels?.['life'], 'two');
    assert.ok(conditionOf(now?.status, 'example.org/Told'));
    const conditions = now!.status!.conditions!.map((one) =>
      one.type === 'example.org/Told' ? { ...one, reason: 'ByPut' } : one,
    );
    // As every client has to: when the kubelet was in between, once more.
    return pods.client
      .updateStatus<Pod>(podResource, { ...now!, status: { ...now!.status!, conditions } }, later())
      .catch((error: unknown) => {
        if (!hasReason(error, 'Conflict')) throw error;
        return undefined;
      });
  };
  const replaced = await until('the status put', put, (pod) => pod !== undefined);
  assert.equal(conditionOf(replaced?.status, 'example.org/Told')?.reason, 'ByPut');
  // The kubelet goes on writing its part, and leaves what is not its own.
  // With the container's first process go all others, maybe the one that asked before it could say that it did.
  await cluster.kubectl('exec', 'written', '--', 'sh', '-c', 'kill -TERM 1');
  await pods.reaches('written', 'restarted', (pod) => isReady(pod) && containerOf(pod)?.restartCount === 1);
  assert.equal(conditionOf(pods.get('written')?.status, 'example.org/Told')?.reason, 'ByPut');
  await remove('written');
  await pods.gone('written');
}

export const commandStories: readonly Story[] = [
  // [sig-node] Containers should use the image defaults if command and args are blank
  // [sig-node] Containers should be able to override the image's default arguments (container cmd)
  // [sig-node] Containers should be able to override the image's default command (container entrypoint)
  // [sig-node] Containers should be able to override the image's default command and arguments
  ['entrypoint and arguments of the image, and what goes before them', commands],
  // [sig-node] Kubelet when scheduling a busybox command in a pod should print the output to logs
  // [sig-node] Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason
  // [sig-node] Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete
  ['what a command says, and one that always fails', saysAndFails],
];

async function commands({ cluster, pods, create, remove }: Stage): Promise<void> {
  // The image's entrypoint is `testserver`, its arguments `serve`.
  const image = { image: 'peapod/testserver', imagePullPolicy: 'IfNotPresent' };
  const containers = [
    { name: 'neither', ...image },
    { name: 'args', ...image, args: ['args', 'a', 'b c'] },
    { name: 'command', ...image, command: ['echo'] },
    { name: 'both', ...image, command: ['echo', 'one'], args: ['two'] },
  ];
  await create('commands', { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers });
  const ended = (name: string) => (pod: Pod) => containerOf(pod, name)?.state?.terminated !== undefined;
  for (const name of ['args', 'command', 'both']) await pods.reaches('commands', `${name} has ended`, ended(name));
  const log = (name: string): Promise<string> => cluster.ok('logs', 'commands', '-c', name);
  assert.deepEqual(await Promise.all(['args', 'command', 'both'].map(log)), ['a\nb c\n', '\n', 'one two\n']);
  await pods.reaches('commands', 'serving', (pod) => containerOf(pod, 'neither')?.state?.running !== undefined);
  await using serving = cluster.kubectlInBackground('logs', '-f', 'commands', '-c', 'neither');
  await serving.printed(/^serving$/m);
  await remove('commands');
}

async function saysAndFails({ cluster, pods, create }: Stage): Promise<void> {
  await create('says', { restartPolicy: 'Never', containers: [shell('c', 'echo out; echo err >&2')] });
  await create('always-fails', { restartPolicy: 'OnFailure', containers: [shell('c', 'false')] });
  await pods.ended('says');
  const lines = (await cluster.ok('logs', 'says')).trim().split('\n');
  assert.deepEqual(lines.toSorted(), ['err', 'out']);
  const failed = await pods.went('always-fails', 'terminated', (pod) => {
    const { state, lastState } = containerOf(pod) ?? {};
    return (state?.terminated ?? lastState?.terminated)?.reason === 'Error';
  });
  const { state, lastState } = containerOf(failed)!;
  const ended = state?.terminated ?? lastState?.terminated;
  assert.equal(ended?.exitCode, 1);
  assert.ok(Date.now() - Date.parse(ended.finishedAt!) < DAY_MS && Date.parse(ended.startedAt!) > 0);
  await cluster.ok('delete', 'pod', 'says', 'always-fails', '--timeout=30s');
  await pods.gone('always-fails');
}
