/** Which namespaces of the kernel the containers of a pod have, and share. */
import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { idle } from '#test/e2e/support/pod-watch.ts';

export const namespacesStories: readonly Story[] = [
  ["hostNetwork, hostPID and hostIPC are the host's own", ofHost],
  ['shareProcessNamespace lets containers see each other', shared],
];

const kinds = ['net', 'pid', 'ipc', 'uts'] as const;
type Kind = (typeof kinds)[number];
type Namespaces = Readonly<Record<Kind, string>>;

const namespacesOfHost = (): Namespaces => namespacesOf((kind) => readlinkSync(`/proc/self/ns/${kind}`));

async function namespacesIn({ cluster }: Stage, pod: string, container = 'c'): Promise<Namespaces> {
  const script = kinds.map((kind) => `readlink /proc/self/ns/${kind}`).join('; ');
  const lines = (await cluster.ok('exec', pod, '-c', container, '--', 'sh', '-c', script)).trim().split('\n');
  return namespacesOf((kind) => lines[kinds.indexOf(kind)] ?? '');
}

const namespacesOf = (read: (kind: Kind) => string): Namespaces => ({
  net: read('net'),
  pid: read('pid'),
  ipc: read('ipc'),
  uts: read('uts'),
});

async function ofHost(stage: Stage): Promise<void> {
  const { pods, create, remove } = stage;
  const host = namespacesOfHost();
  const specs = {
    'ns-net': { hostNetwork: true },
    'ns-pid': { hostPID: true },
    'ns-ipc': { hostIPC: true },
    'ns-none': {},
  };
  const names = Object.keys(specs);
  await Promise.all(Object.entries(specs).map(([name, spec]) => create(name, { ...spec, containers: [idle()] })));
  await Promise.all(names.map((name) => pods.running(name)));
  const shares: Readonly<Record<string, readonly Kind[]>> = {
    'ns-net': ['net', 'uts'],
    'ns-pid': ['pid'],
    'ns-ipc': ['ipc'],
  };
  for (const name of names) {
    const own = await namespacesIn(stage, name);
    assert.deepEqual(
      kinds.filter((kind) => own[kind] === host[kind]),
      shares[name] ?? [],
      name,
    );
  }
  await remove(...names);
}

async function shared(stage: Stage): Promise<void> {
  const { cluster, pods, create, remove } = stage;
  const containers = [idle('a'), idle('b')];
  await create('sharing', { shareProcessNamespace: true, containers });
  await create('apart', { containers });
  await Promise.all([pods.running('sharing'), pods.running('apart')]);
  const [a, b] = [await namespacesIn(stage, 'sharing', 'a'), await namespacesIn(stage, 'sharing', 'b')];
  assert.deepEqual(a, b);
  assert.notEqual(a.pid, namespacesOfHost().pid);
  const [c, d] = [await namespacesIn(stage, 'apart', 'a'), await namespacesIn(stage, 'apart', 'b')];
  assert.deepEqual({ ...c, pid: '' }, { ...d, pid: '' });
  assert.notEqual(c.pid, d.pid);
  // The first process is the sandbox's, which reaps what others leave behind.
  const first = await cluster.ok('exec', 'sharing', '-c', 'a', '--', 'cat', '/proc/1/comm');
  assert.match(first, /^(pause|catatonit)\n$/);
  await remove('sharing', 'apart');
}
