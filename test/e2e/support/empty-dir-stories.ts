/** What containers make themselves, on disk and in memory: stories of volumes.test.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { E2eCluster } from '#test/e2e/support/cluster.ts';
import { idle, type PodWatch, shell } from '#test/e2e/support/pod-watch.ts';

export interface VolumeStage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  /** A directory of the host that goes with the test. */
  readonly folder: string;
  create(name: string, spec: object): Promise<void>;
  exec(pod: string, container: string, script: string): Promise<string>;
}

/** Who writes (the container), with which mode, where (the volume), by the name of the conformance test. */
const modes = [
  ['EmptyDir volumes should support (root,0644,default)', 'root', '644', 'disk'],
  ['EmptyDir volumes should support (root,0666,default)', 'root', '666', 'disk'],
  ['EmptyDir volumes should support (root,0777,default)', 'root', '777', 'disk'],
  ['EmptyDir volumes should support (root,0644,tmpfs)', 'root', '644', 'tmpfs'],
  ['EmptyDir volumes should support (root,0666,tmpfs)', 'root', '666', 'tmpfs'],
  ['EmptyDir volumes should support (root,0777,tmpfs)', 'root', '777', 'tmpfs'],
  ['EmptyDir volumes should support (non-root,0644,default)', 'user', '644', 'disk'],
  ['EmptyDir volumes should support (non-root,0666,default)', 'user', '666', 'disk'],
  ['EmptyDir volumes should support (non-root,0777,default)', 'user', '777', 'disk'],
  ['EmptyDir volumes should support (non-root,0644,tmpfs)', 'user', '644', 'tmpfs'],
  ['EmptyDir volumes should support (non-root,0666,tmpfs)', 'user', '666', 'tmpfs'],
  ['EmptyDir volumes should support (non-root,0777,tmpfs)', 'user', '777', 'tmpfs'],
] as const;

/** Each container has volumes of its own: the other's files are not in its way. */
const volumesFor = (user: string): readonly object[] => [
  { name: `${user}-disk`, emptyDir: {} },
  { name: `${user}-tmpfs`, emptyDir: { medium: 'Memory' } },
];
const mountsFor = (user: string): readonly object[] => [
  { name: `${user}-disk`, mountPath: '/disk' },
  { name: `${user}-tmpfs`, mountPath: '/tmpfs' },
];

export async function emptyDirModes({ cluster, pods, create, exec }: VolumeStage, t: TestContext): Promise<void> {
  await create('modes', {
    terminationGracePeriodSeconds: 1,
    volumes: ['root', 'user'].flatMap(volumesFor),
    containers: [
      idle('root', { volumeMounts: mountsFor('root') }),
      idle('user', { volumeMounts: mountsFor('user'), securityContext: { runAsUser: 1001 } }),
    ],
  });
  await pods.running('modes');
  const script = `cat /proc/mounts | grep -E " /(disk|tmpfs) " | cut -d" " -f2,3 | tr "\\n" ";"; stat -c %a /disk /tmpfs | tr "\\n" ";"
    for d in disk tmpfs; do for m in 644 666 777; do echo content $m > /$d/$m; chmod $m /$d/$m; stat -c "$d %a %u" /$d/$m; cat /$d/$m; done; done`;
  const shown = Object.fromEntries(
    await Promise.all(['root', 'user'].map(async (user) => [user, await exec('modes', user, script)] as const)),
  );
  const own = { root: 0, user: 1001 };
  for (const [codename, user, mode, medium] of modes) {
    await t.test(codename, () => {
      const text = shown[user]!;
      assert.ok(text.includes(`${medium} ${mode} ${own[user]}\ncontent ${mode}\n`), text);
      assert.equal(text.includes(`/${medium} tmpfs;`), medium === 'tmpfs', text);
    });
  }
  await t.test('EmptyDir volumes volume on default medium should have the correct mode', () =>
    assert.match(shown['root']!, /\/disk (?!tmpfs)\w+;.*777;777;/),
  );
  await t.test('EmptyDir volumes volume on tmpfs should have the correct mode', () =>
    assert.match(shown['user']!, /\/tmpfs tmpfs;.*777;777;/),
  );
  await cluster.ok('delete', 'pod', 'modes', '--now');
}

export async function memory({ cluster, pods, create, exec }: VolumeStage): Promise<void> {
  await create('memory', {
    volumes: [{ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }],
    containers: [idle('c', { volumeMounts: [{ name: 'm', mountPath: '/m' }] })],
  });
  const { metadata } = await pods.running('memory');
  const [mount] = (await exec('memory', 'c', 'grep " /m " /proc/mounts')).split('\n');
  assert.match(mount ?? '', /^tmpfs \/m tmpfs rw/);
  assert.equal(await exec('memory', 'c', 'stat -c %a /m; df -k /m | tail -1 | awk "{print \\$2}"'), '777\n8192\n');
  const full = await cluster.kubectl('exec', 'memory', '--', 'dd', 'if=/dev/zero', 'of=/m/big', 'bs=1M', 'count=9');
  assert.match(full.stderr, /No space left on device/);
  assert.ok(mountinfo().includes(metadata.uid));
  await cluster.ok('delete', 'pod', 'memory', '--now');
  assert.ok(!mountinfo().includes(metadata.uid), 'the mount went with its pod');
}

const mountinfo = (): string => readFileSync('/proc/self/mountinfo', 'utf8');

/** Pods that keep more on the disk than they may, each in its way, and one that does not; with what upstream says of it. */
export async function evicted({ cluster, pods, create }: VolumeStage): Promise<void> {
  const disk = (limit: string): object => ({ resources: { limits: { 'ephemeral-storage': limit } } });
  const writes = (megabytes: number, path: string): string =>
    `trap 'exit 0' TERM; dd if=/dev/zero of=${path} bs=1M count=${megabytes}; while :; do sleep 1; done`;
  const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '10Mi' } }];
  const volumeMounts = [{ name: 'cache', mountPath: '/cache' }];
  await create('within', { volumes, containers: [shell('c', writes(8, '/cache/file'), { volumeMounts })] });
  await create('full', { volumes, containers: [shell('c', writes(12, '/cache/file'), { volumeMounts })] });
  await create('layer', {
    containers: [shell('a', writes(12, '/file'), disk('10Mi')), idle('b', disk('10Mi'))],
  });
  await create('logs', {
    restartPolicy: 'Never',
    containers: [shell('c', 'trap "exit 0" TERM; yes | head -c 4000000; while :; do sleep 1; done', disk('2Mi'))],
  });
  const table = [
    ['full', 'Usage of EmptyDir volume "cache" exceeds the limit "10Mi". '],
    ['layer', 'Container a exceeded its local ephemeral storage limit "10Mi". '],
    ['logs', 'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. '],
  ] as const;
  for (const [name, message] of table) {
    const { status } = await pods.ended(name, 60_000);
    assert.deepEqual([status?.phase, status?.reason, status?.message], ['Failed', 'Evicted', message]);
    assert.equal(await pods.told(name, /Evicted/), `Warning Evicted ${message}`);
  }
  assert.equal(pods.get('within')?.status?.phase, 'Running');
  await cluster.ok('delete', 'pod', 'within', ...table.map(([name]) => name), '--now');
}
