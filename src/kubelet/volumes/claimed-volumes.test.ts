import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Pod,
} from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { aClaim, aVolume, boundClaim } from '#api/volume-fixtures.ts';
import type { Client } from '#client/client.ts';
import { simulatedHost } from '#host/simulated-host.ts';
import { PodFilesOnHost } from '#kubelet/pod-files.ts';
import { ClaimedVolumes } from '#kubelet/volumes/claimed-volumes.ts';
import { FakeClock } from '#lib/fake-clock.ts';

const never = new AbortController().signal;

const pod = (spec: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid: 'uid-p' },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c' }],
      volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }],
      ...spec,
    },
  }) as unknown as Pod;
const node = { metadata: { name: 'n', labels: { zone: 'east' } } } as unknown as Node;

/** Only reads, and only of these. */
function clientOf(...objects: readonly object[]): Client & { reads: number } {
  const client = {
    reads: 0,
    get: async ({ plural }: { plural: string }, { name }: { name: string }) => {
      client.reads++;
      const found = (objects as readonly KubeObject[]).find(({ metadata }) => metadata.name === name);
      return found && (found.kind === undefined || `${found.kind.toLowerCase()}s` === plural) ? found : undefined;
    },
  };
  return client as unknown as Client & { reads: number };
}

function filesIn(t: TestContext): { files: PodFilesOnHost; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-claims-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const folders = { pods: join(folder, 'pods'), logs: join(folder, 'logs') };
  return { files: new PodFilesOnHost(simulatedHost(), folders, new FakeClock(0)), folder };
}

const own = boundClaim('c', 'v');
const on = (spec: PersistentVolumeSpec): PersistentVolume => {
  const made = aVolume('v', { for: own, phase: 'Bound' });
  const { hostPath: _, ...rest } = made.spec;
  return { ...made, spec: { ...rest, ...spec } };
};
const pvc = (why: string): string => `MountVolume.SetUp failed for volume "d" : error processing PVC default/c: ${why}`;
const plain = (why: string): string => `MountVolume.SetUp failed for volume "d" : ${why}`;

const refusals: readonly {
  readonly name: string;
  readonly claim?: PersistentVolumeClaim;
  readonly volume?: PersistentVolume;
  readonly want: string;
}[] = [
  { name: 'no claim', want: pvc('failed to fetch PVC from API server: persistentvolumeclaims "c" not found') },
  { name: 'a claim that has nothing', claim: aClaim('c'), want: pvc('PVC is not bound') },
  {
    name: 'a claim that is being deleted',
    claim: { ...own, metadata: { ...own.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
    want: pvc('PVC is being deleted'),
  },
  {
    name: 'no volume',
    claim: own,
    want: pvc('failed to fetch PV "v" from API server: persistentvolumes "v" not found'),
  },
  {
    name: 'a volume of another claim',
    claim: own,
    volume: aVolume('v', { for: aClaim('other') }),
    want: pvc('found PV object "v" bound to another claim (default/other)'),
  },
  {
    name: 'a volume elsewhere',
    claim: own,
    volume: aVolume('v', { for: own, zone: 'west' }),
    want: pvc('MountVolume.NodeAffinity check failed for volume "v" : no matching NodeSelectorTerms'),
  },
  {
    name: 'a volume of the network',
    claim: own,
    volume: on({ nfs: { server: 's', path: '/' } }),
    want: plain(
      'persistent volume "v": volumes of type nfs are not supported yet; mount it on the node and use hostPath or local (SCOPE.md)',
    ),
  },
  {
    name: 'a device',
    claim: own,
    volume: on({ local: { path: '/dev/sda' }, volumeMode: 'Block' }),
    want: plain('persistent volume "v": block devices are not supported yet; use volumeMode: Filesystem'),
  },
  {
    name: 'a local volume that is not there',
    claim: own,
    volume: on({ local: { path: '/no/such/place' } }),
    want: plain('path "/no/such/place" does not exist'),
  },
];
for (const { name, claim, volume, want } of refusals) {
  test(`claimed volumes: ${name}`, async (t) => {
    const { files } = filesIn(t);
    const objects = [claim, volume, node].filter((each) => each !== undefined);
    await assert.rejects(new ClaimedVolumes(clientOf(...objects), files).link(pod(), never), { message: want });
    assert.equal(files.isLinked(pod(), 'd'), false);
  });
}

test('claimed volumes: a pod has what its claim is bound to, for as long as it is there, and nothing goes with it', async (t) => {
  const { files, folder } = filesIn(t);
  const path = join(folder, 'disk');
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'kept');
  const client = clientOf(own, on({ local: { path } }), node);
  const claims = new ClaimedVolumes(client, files);
  const wanted = pod({ securityContext: { fsGroup: process.getgid?.() ?? 0 } });
  await claims.link(wanted, never);
  await files.prepare(wanted, new Map(), never);
  assert.equal(files.volumePath(wanted, 'd'), path);
  assert.equal(statSync(path).mode & 0o2000, 0o2000, 'what is made in it is for the group of the pod');
  const { reads } = client;
  await new ClaimedVolumes(clientOf(), new PodFilesOnHost(simulatedHost(), foldersOf(folder), new FakeClock(0))).link(
    wanted,
    never,
  );
  await claims.link(wanted, never);
  assert.equal(client.reads, reads, 'it is looked up once, whatever becomes of the claim and of this process');
  const link = join(folder, 'pods/uid-p/volumes/peapod.dev~claim/d');
  assert.equal(readlinkSync(link), path);
  await files.remove({ uid: 'uid-p', pod: wanted, logs: 'remove' }, never);
  assert.equal(existsSync(link), false);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'kept');
});

const foldersOf = (folder: string): { pods: string; logs: string } => ({
  pods: join(folder, 'pods'),
  logs: join(folder, 'logs'),
});
