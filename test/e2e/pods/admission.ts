/** What a node turns away, and what it lets pods set. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '#api/generated/core-v1.ts';
import { nodePaths } from '#host/data-dir.ts';
import { type Stage, type Story } from '#test/e2e/pods/stage.ts';
import { idle, podManifest } from '#test/e2e/support/pod-watch.ts';

export const admissionStories: readonly Story[] = [
  ['a node turns away what does not fit it', turnedAway],
  ['safe sysctls are set, others are not', sysctls],
];

async function turnedAway({ cluster, pods, create, remove }: Stage): Promise<void> {
  const nodeName = `${cluster.name}-node1`;
  const { cpu } = (await cluster.get<{ status: { allocatable: { cpu: string } } }>('node', nodeName)).status
    .allocatable;
  const ports = [{ containerPort: 80, hostPort: 28_431 }];
  await create('has-port', { nodeName, containers: [idle('c', { ports })] });
  await pods.running('has-port');
  const asked = Number(cpu) + 1;
  const rejected: readonly (readonly [name: string, spec: object, reason: string, message: RegExp])[] = [
    [
      'no-cpu',
      { containers: [idle('c', { resources: { requests: { cpu: String(asked) } } })] },
      'OutOfcpu',
      new RegExp(`^Node didn't have enough resource: cpu, requested: ${asked}000, used: \\d+, capacity: ${cpu}000$`),
    ],
    [
      'no-disk',
      { nodeSelector: { disk: 'golden' } },
      'NodeAffinity',
      /^Predicate NodeAffinity failed: node\(s\) didn't match Pod's node affinity\/selector$/,
    ],
    [
      'no-port',
      { containers: [idle('c', { ports })] },
      'NodePorts',
      /^Predicate NodePorts failed: node\(s\) didn't have free ports for the requested pod ports$/,
    ],
    ['no-windows', { os: { name: 'windows' } }, 'PodOSNotSupported', /^Failed to admit pod as the OS field doesn't/],
  ];
  await Promise.all(
    rejected.map(async ([name, spec, reason, message]) => {
      await create(name, { nodeName, containers: [idle()], ...spec });
      const pod = await pods.ended(name);
      assert.deepEqual([pod.status?.phase, pod.status?.reason], ['Failed', reason]);
      assert.match(pod.status?.message?.replace(/^Pod was rejected: /, '') ?? '', message);
      assert.equal(pod.status?.containerStatuses, undefined);
      const event = await pods.told(name, new RegExp(`^Warning ${reason} `));
      assert.match(event.slice(`Warning ${reason} `.length), message);
      assert.ok(
        !(await pods.events(name)).some((one) => /Created|Pulled|Sandbox/.test(one)),
        'nothing was made for it',
      );
      assert.ok(!existsSync(join(nodePaths(cluster.paths, nodeName).pods, pod.metadata.uid)));
    }),
  );
  assert.match(await cluster.ok('get', 'pod', 'no-cpu'), /no-cpu +0\/1 +OutOfcpu +0/);
  // RuntimeClass should reject a Pod requesting a non-existent RuntimeClass
  const input = podManifest('no-class', { runtimeClassName: 'nonexistent', containers: [idle()] });
  const refused = await cluster.kubectlWith({ input }, 'create', '-f', '-');
  assert.match(refused.stderr, /pods "no-class" is forbidden: pod rejected: RuntimeClass "nonexistent" not found/);
  await remove('has-port', ...rejected.map(([name]) => name));
}

async function sysctls({ cluster, pods, create, remove }: Stage): Promise<void> {
  const setting = (...names: readonly string[]): object => ({
    containers: [idle()],
    securityContext: { sysctls: names.map((name) => ({ name, value: '1' })) },
  });
  // Sysctls should support sysctls
  await create('safe', setting('kernel.shm_rmid_forced'));
  await pods.running('safe');
  assert.equal(await cluster.ok('exec', 'safe', '--', 'cat', '/proc/sys/kernel/shm_rmid_forced'), '1\n');
  // Sysctls should reject invalid sysctls
  const input = podManifest('invalid', setting('foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..'));
  const refused = await cluster.kubectlWith({ input }, 'create', '-f', '-');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /spec\.securityContext\.sysctls\[0\]\.name: Invalid value: "foo-"/);
  assert.match(refused.stderr, /spec\.securityContext\.sysctls\[3\]\.name: Invalid value: "bar\.\."/);
  assert.doesNotMatch(refused.stderr, /kernel\.shmmax|safe-and-unsafe/);
  await create('unsafe', setting('kernel.msgmax'));
  const pod: Pod = await pods.ended('unsafe');
  assert.deepEqual(
    [pod.status?.reason, pod.status?.message],
    ['SysctlForbidden', 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'],
  );
  await remove('safe', 'unsafe');
}
