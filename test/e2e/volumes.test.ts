/** What a pod's volumes are on its node: files of real containers, real mounts. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { podPath, nodePaths } from '#host/data-dir.ts';
import { boundClaims, waitingClaims } from '#test/e2e/support/claim-stories.ts';
import { E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { emptyDirModes, evicted, memory, type VolumeStage } from '#test/e2e/support/empty-dir-stories.ts';
import { containerOf, idle, podManifest, PodWatch, shell } from '#test/e2e/support/pod-watch.ts';

test('volumes', { concurrency: 4, timeout: 180_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-e2e-volumes-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await using cluster = await E2eCluster.start('e2e-volumes');
  await using pods = await PodWatch.on(cluster);
  const stage: VolumeStage = {
    cluster,
    pods,
    folder,
    async create(name, spec) {
      const ran = await cluster.kubectlWith({ input: podManifest(name, spec) }, 'create', '-f', '-');
      assert.equal(ran.code, 0, ran.stderr);
    },
    exec: (pod, container, script) => cluster.ok('exec', pod, '-c', container, '--', 'sh', '-c', script),
  };
  await Promise.all(stories.map(([name, story]) => t.test(`volumes: ${name}`, (inner) => story(stage, inner))));
});

const stories: readonly (readonly [string, (stage: VolumeStage, t: TestContext) => Promise<void>])[] = [
  ['who keeps more on the disk than it may is evicted', evicted],
  ['an emptyDir is shared, open to all, survives restarts and goes with its pod', emptyDir],
  ['an emptyDir takes files of any mode from anyone', emptyDirModes],
  ['an emptyDir in memory is a tmpfs of the size asked for', memory],
  ['a hostPath shows what the host has; read-only means it', hostPath],
  ['a hostPath of the right kind is mounted, one of the wrong kind is not', hostPathTypes],
  ['a pod waits for its hostPath, and starts when it is there', hostPathLater],
  ['a kind of volume that is not supported is refused by name', unsupported],
  ['a claim is bound, kept while it is used, and its data outlives it', boundClaims],
  ['a claim that waits for its pod gets a local volume where the pod goes', waitingClaims],
];

/** EmptyDir volumes pod should support shared volumes between containers */
async function emptyDir({ cluster, pods, create, exec }: VolumeStage): Promise<void> {
  const volumeMounts = [{ name: 'shared', mountPath: '/shared' }];
  const readOnly = [{ name: 'shared', mountPath: '/seen', readOnly: true }];
  await create('shared', {
    volumes: [{ name: 'shared', emptyDir: {} }],
    containers: [
      idle('a', { volumeMounts, securityContext: { runAsUser: 1234 } }),
      idle('b', { volumeMounts: readOnly }),
    ],
  });
  const { metadata } = await pods.running('shared');
  assert.equal(await exec('shared', 'a', 'stat -c %a /shared; echo from a > /shared/file'), '777\n');
  assert.equal(await exec('shared', 'b', 'cat /seen/file'), 'from a\n');
  const refused = await cluster.kubectl('exec', 'shared', '-c', 'b', '--', 'touch', '/seen/more');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /Read-only file system/);
  // The container ends under the command that ends it.
  await cluster.kubectl('exec', 'shared', '-c', 'a', '--', 'kill', '1');
  await pods.reaches('shared', 'restarted', (pod) => {
    const a = containerOf(pod, 'a');
    return a?.restartCount === 1 && a.state?.running !== undefined;
  });
  assert.equal(await exec('shared', 'a', 'cat /shared/file'), 'from a\n');
  const folder = podPath(nodePaths(cluster.paths, `${cluster.name}-node1`), metadata.uid);
  assert.ok(statSync(folder).isDirectory());
  await cluster.ok('delete', 'pod', 'shared', '--now');
  assert.throws(() => statSync(folder), { code: 'ENOENT' });
}

async function hostPath({ cluster, pods, create, exec, folder }: VolumeStage): Promise<void> {
  const path = join(folder, 'plain');
  mkdirSync(path);
  writeFileSync(join(path, 'note'), 'of the host\n');
  await create('host-path', {
    volumes: [{ name: 'h', hostPath: { path } }],
    containers: [
      idle('rw', { volumeMounts: [{ name: 'h', mountPath: '/h' }] }),
      idle('ro', { volumeMounts: [{ name: 'h', mountPath: '/h', readOnly: true }] }),
    ],
  });
  await pods.running('host-path');
  assert.equal(await exec('host-path', 'ro', 'cat /h/note'), 'of the host\n');
  await exec('host-path', 'rw', 'echo of the pod > /h/note');
  assert.equal(readFileSync(join(path, 'note'), 'utf8'), 'of the pod\n');
  assert.notEqual((await cluster.kubectl('exec', 'host-path', '-c', 'ro', '--', 'rm', '/h/note')).code, 0);
  await cluster.ok('delete', 'pod', 'host-path', '--now');
  assert.equal(readFileSync(join(path, 'note'), 'utf8'), 'of the pod\n', 'what is the host’s stays');
}

async function hostPathTypes({ cluster, pods, create, folder }: VolumeStage): Promise<void> {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('directory'));
  writeFileSync(at('file'), '');
  const socket = createServer().listen(at('socket'));
  const table = [
    { name: 'dir', path: at('directory'), type: 'Directory', fails: undefined },
    { name: 'dir-made', path: at('made/deep'), type: 'DirectoryOrCreate', fails: undefined },
    { name: 'file', path: at('file'), type: 'File', fails: undefined },
    { name: 'file-made', path: at('made-file'), type: 'FileOrCreate', fails: undefined },
    { name: 'socket', path: at('socket'), type: 'Socket', fails: undefined },
    { name: 'char', path: '/dev/null', type: 'CharDevice', fails: undefined },
    { name: 'dir-is-file', path: at('file'), type: 'Directory', fails: 'is not a directory' },
    { name: 'dir-missing', path: at('nowhere'), type: 'Directory', fails: 'does not exist' },
    { name: 'file-is-dir', path: at('directory'), type: 'File', fails: 'is not a file' },
    { name: 'file-missing', path: at('nowhere'), type: 'File', fails: 'does not exist' },
    { name: 'file-no-parent', path: at('nowhere/file'), type: 'FileOrCreate', fails: 'no such file or directory' },
    { name: 'socket-is-file', path: at('file'), type: 'Socket', fails: 'is not a socket' },
    { name: 'char-is-file', path: at('file'), type: 'CharDevice', fails: 'is not a character device' },
    { name: 'block-is-char', path: '/dev/null', type: 'BlockDevice', fails: 'is not a block device' },
  ];
  try {
    const names = table.map(({ name }) => `type-${name}`);
    const manifests = table.map(({ name, path, type }) =>
      podManifest(`type-${name}`, {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'h', hostPath: { path, type } }],
        containers: [idle('c', { volumeMounts: [{ name: 'h', mountPath: '/h' }] })],
      }),
    );
    const list = `{"apiVersion":"v1","kind":"List","items":[${manifests.join(',')}]}`;
    assert.equal((await cluster.kubectlWith({ input: list }, 'create', '-f', '-')).code, 0);
    for (const { name, fails } of table) {
      if (fails === undefined) {
        await pods.running(`type-${name}`);
        continue;
      }
      const event = await pods.told(`type-${name}`, /FailedMount/);
      assert.ok(event.startsWith('Warning FailedMount ') && event.includes(fails), `${name}: ${event}`);
      const { status } = pods.get(`type-${name}`)!;
      assert.equal(status?.phase, 'Pending');
      assert.equal(status?.containerStatuses?.[0]?.state?.waiting?.reason, 'ContainerCreating');
    }
    await cluster.ok('delete', 'pod', '--now', ...names);
    assert.ok(statSync(at('made/deep')).isDirectory());
    assert.ok(statSync(at('made-file')).isFile());
  } finally {
    socket.close();
  }
  await create('unused', { containers: [shell('c', 'exit 0')] });
  await cluster.ok('delete', 'pod', 'unused', '--now');
}

async function hostPathLater({ cluster, pods, create, folder }: VolumeStage): Promise<void> {
  const path = join(folder, 'later');
  await create('later', {
    volumes: [{ name: 'h', hostPath: { path, type: 'Directory' } }],
    containers: [idle('c', { volumeMounts: [{ name: 'h', mountPath: '/h' }] })],
  });
  await pods.told('later', /FailedMount/);
  await until(
    'kubectl shows that it waits',
    () => cluster.ok('get', 'pod', 'later', '--no-headers'),
    (row) => /^later +0\/1 +ContainerCreating +0 /.test(row),
  );
  mkdirSync(path);
  await pods.running('later');
  await cluster.ok('delete', 'pod', 'later', '--now');
}

async function unsupported({ cluster, pods, create }: VolumeStage): Promise<void> {
  await create('unsupported', {
    volumes: [{ name: 'n', nfs: { server: 'files.example', path: '/' } }],
    containers: [idle('c', { volumeMounts: [{ name: 'n', mountPath: '/n' }] })],
  });
  const event = await pods.told('unsupported', /FailedMount/);
  assert.match(event, /volume "n": volumes of type nfs are not supported/);
  const shown = await until(
    'describe shows it',
    () => cluster.ok('describe', 'pod', 'unsupported'),
    (text) => text.includes('FailedMount'),
  );
  assert.match(shown, /volumes of type nfs are not supported/);
  await cluster.ok('delete', 'pod', 'unsupported', '--now');
}
