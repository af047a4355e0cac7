/** Pods from files. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { until } from '#test/e2e/support/cluster.ts';
import { containerOf, idle, isReady } from '#test/e2e/support/pod-watch.ts';

export const staticStories: readonly Story[] = [['a static pod follows its file, and its mirror shows it', staticPod]];

const manifest = (word: string): string => `
apiVersion: v1
kind: Pod
metadata:
  name: fixed
  labels: {app: fixed}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - ${JSON.stringify(idle('c', { env: [{ name: 'WORD', value: word }] }))}
`;

const hashOf = ({ metadata }: Pod): string | undefined => metadata.annotations?.['kubernetes.io/config.mirror'];

async function staticPod({ cluster, pods }: Stage): Promise<void> {
  const name = `fixed-${cluster.name}-node1`;
  const file = join(cluster.paths.manifests, 'fixed.yaml');
  const says = (): Promise<string> => cluster.ok('exec', name, '--', 'sh', '-c', 'echo $WORD');
  writeFileSync(file, manifest('one'));
  const mirror = await pods.running(name);
  assert.equal(await says(), 'one\n');
  assert.equal(mirror.metadata.ownerReferences?.[0]?.kind, 'Node');
  await cluster.ok('exec', name, '--', 'sh', '-c', 'echo said > /proc/1/fd/1');
  await until(
    'its log',
    () => cluster.ok('logs', name),
    (log) => log === 'said\n',
  );
  assert.match(await cluster.ok('describe', 'pod', name), /Normal +Started/);

  // Deleting the mirror recreates it; the container does not notice.
  await cluster.ok('delete', 'pod', name);
  const again = await pods.reaches(
    name,
    'shown again',
    (pod) => pod.metadata.uid !== mirror.metadata.uid && isReady(pod),
  );
  assert.equal(containerOf(again)?.containerID, containerOf(mirror)?.containerID);
  await cluster.ok('label', 'pod', name, 'changed=yes');

  writeFileSync(join(cluster.paths.manifests, 'broken.yaml'), 'apiVersion: v1\nkind: Pod\nspec: {');
  await pods.told(`${cluster.name}-node1`, /^Warning InvalidStaticPod static pod .*broken\.yaml: /);
  rmSync(join(cluster.paths.manifests, 'broken.yaml'));

  writeFileSync(file, manifest('two'));
  await pods.reaches(name, 'another pod', (pod) => hashOf(pod) !== hashOf(mirror) && isReady(pod));
  assert.equal(await says(), 'two\n');
  rmSync(file);
  await pods.gone(name);
}
