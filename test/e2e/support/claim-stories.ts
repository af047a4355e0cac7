/** Claims and what they are bound to: stories of volumes.test.ts. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '#test/e2e/support/cluster.ts';
import type { VolumeStage } from '#test/e2e/support/empty-dir-stories.ts';
import { idle, shell } from '#test/e2e/support/pod-watch.ts';

const volume = (name: string, className: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: className, ...spec },
});
const claim = (name: string, storageClassName: string): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '500Mi' } } },
});
const apply = async ({ cluster }: VolumeStage, ...items: readonly object[]): Promise<void> => {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const ran = await cluster.kubectlWith({ input }, 'create', '-f', '-');
  assert.equal(ran.code, 0, ran.stderr);
};
const using = (claimName: string, containers: readonly object[]): object => ({
  terminationGracePeriodSeconds: 0,
  volumes: [{ name: 'd', persistentVolumeClaim: { claimName } }],
  containers,
});
const volumeMounts = [{ name: 'd', mountPath: '/data' }];

/** A claim is bound at once; what its pods write outlives them, and the claim itself. */
export async function boundClaims(stage: VolumeStage): Promise<void> {
  const { cluster, pods, create, exec, folder } = stage;
  const path = join(folder, 'kept');
  await apply(
    stage,
    volume('kept', 'at-once', { hostPath: { path, type: 'DirectoryOrCreate' } }),
    claim('kept', 'at-once'),
  );
  await until(
    'the claim is bound',
    () => cluster.ok('get', 'pvc', 'kept', '-o', 'jsonpath={.status.phase}'),
    (phase) => phase === 'Bound',
  );
  await create('writes', using('kept', [shell('c', 'echo mine > /data/file; sleep 3600', { volumeMounts })]));
  await pods.running('writes');
  await cluster.ok('delete', 'pvc', 'kept', '--wait=false');
  assert.match(await cluster.ok('get', 'pvc', 'kept'), /Terminating/, 'a pod uses it');
  await cluster.ok('delete', 'pod', 'writes');
  await cluster.ok('wait', '--for=delete', 'pvc/kept', '--timeout=20s');
  await until(
    'the volume is released',
    () => cluster.ok('get', 'pv', 'kept', '-o', 'jsonpath={.status.phase}'),
    (phase) => phase === 'Released',
  );
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'mine\n');
  await cluster.ok('delete', 'pv', 'kept');
  await apply(stage, volume('again', 'at-once', { hostPath: { path } }), claim('again', 'at-once'));
  await create('reads', using('again', [idle('c', { volumeMounts: [{ ...volumeMounts[0], readOnly: true }] })]));
  await pods.running('reads');
  assert.equal(
    await exec('reads', 'c', 'cat /data/file; touch /data/more 2>/dev/null || echo refused'),
    'mine\nrefused\n',
  );
  await cluster.ok('delete', 'pod', 'reads');
}

/** A class whose claims wait for their pods: the scheduler finds the volume; a local one belongs to the group of its pod. */
export async function waitingClaims(stage: VolumeStage): Promise<void> {
  const { cluster, pods, create, exec, folder } = stage;
  const path = join(folder, 'local');
  const key = 'kubernetes.io/os';
  const terms = [{ matchExpressions: [{ key, operator: 'In', values: ['linux'] }] }];
  const nodeAffinity = { required: { nodeSelectorTerms: terms } };
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'waits' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  await apply(stage, storageClass, claim('waits', 'waits'));
  await create('waits', { ...using('waits', [idle('c', { volumeMounts })]), securityContext: { fsGroup: 2345 } });
  const refused = await pods.told('waits', /FailedScheduling/);
  assert.match(refused, /1 node\(s\) didn't find available persistent volumes to bind/);
  await apply(stage, volume('waits', 'waits', { local: { path }, nodeAffinity }));
  const missing = await pods.told('waits', /FailedMount/);
  assert.match(missing, /path ".*\/local" does not exist/);
  mkdirSync(path);
  await pods.running('waits');
  assert.equal(await exec('waits', 'c', 'touch /data/file; stat -c %g /data/file'), '2345\n');
  assert.ok(existsSync(join(path, 'file')));
  await cluster.ok('delete', 'pod', 'waits');
}
