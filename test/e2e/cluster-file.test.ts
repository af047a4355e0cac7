/** A cluster as its file has it: nodes with traits, simulated ones beside them, ranges and mirrors. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { E2eCluster, peapod, until } from '#test/e2e/support/cluster.ts';
import { idle, podManifest, PodWatch } from '#test/e2e/support/pod-watch.ts';

const head = 'apiVersion: peapod.dev/v1alpha1\nkind: Cluster\n';
const zone = 'topology.kubernetes.io/zone';

const simulated = `${head}
nodes:
  - labels: { disk: ssd, old: "yes" }
    taints: [{ key: first, effect: NoSchedule }]
    capacity: { cpu: 3, example.com/gpu: 2 }
simulatedNodes:
  - { count: 20, labels: { ${zone}: a }, capacity: { cpu: 32 } }
  - { count: 10, labels: { ${zone}: b }, taints: [{ key: spare, effect: NoSchedule }] }
`;
const changed = `${head}
nodes:
  - labels: { disk: nvme }
    taints: [{ key: second, effect: NoSchedule }]
simulatedNodes:
  - { count: 5, labels: { ${zone}: a } }
`;

test('cluster file: simulated nodes', { timeout: 180_000 }, async (t) => {
  await using cluster = E2eCluster.reserve('e2e-file-sim');
  const file = join(cluster.dataDir, 'cluster.yaml');
  writeFileSync(file, simulated);
  const runtime = ['--runtime', 'simulated'];
  await cluster.up(...runtime, '--config', file);
  const own = `${cluster.name}-node1`;
  const named = (number: number): string => `${cluster.name}-sim${number}`;
  const nodes = async (): Promise<readonly Node[]> =>
    (await cluster.get<{ readonly items: readonly Node[] } & Record<string, never>>('nodes')).items;

  await t.test('cluster file: labels, taints and capacity', async () => {
    const node = await cluster.get<Node & Record<string, never>>('node', own);
    assert.deepEqual([node.metadata.labels?.['disk'], node.spec?.taints?.map(({ key }) => key)], ['ssd', ['first']]);
    const { cpu, 'example.com/gpu': gpu } = node.status?.allocatable ?? {};
    assert.deepEqual([cpu, gpu], ['3', '2']);
  });

  await t.test('cluster file: simulated nodes are Ready, apart in their zones and ranges', async () => {
    const all = (await nodes()).filter(({ metadata }) => metadata.labels?.['peapod.dev/simulated'] === 'true');
    assert.equal(all.length, 30);
    assert.ok(
      all.every(({ status }) => status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')),
    );
    assert.equal(all.filter(({ metadata }) => metadata.labels?.[zone] === 'b').length, 10);
    assert.equal(new Set(all.map(({ spec }) => spec?.podCIDR)).size, 30);
    assert.match((await peapod(['status', ...cluster.global])).stdout, /^simulated +30 nodes, 30 Ready$/m);
  });

  await t.test(
    'cluster file: pods run on them, and their logs are read through the one server they share',
    async () => {
      await using pods = await PodWatch.on(cluster);
      const log = { annotations: { 'simulated.peapod.dev/log': 'hello' } };
      const spec = { containers: [idle('c', { resources: { requests: { cpu: '16' } } })] };
      await cluster.apply(Array.from({ length: 40 }, (_, n) => podManifest(`p${n}`, spec, log)).join('\n---\n'));
      const ran: Pod[] = [];
      for (let n = 0; n < 40; n++) ran.push(await pods.running(`p${n}`));
      const counts = Map.groupBy(ran, ({ spec }) => spec.nodeName);
      assert.deepEqual([...counts.keys()].sort(), Array.from({ length: 20 }, (_, at) => named(at + 1)).sort());
      assert.ok(
        [...counts.values()].every((each) => each.length === 2),
        'two of 16 cpus fit a node of 32',
      );
      assert.equal(new Set(ran.map(({ status }) => status?.podIP)).size, 40);
      assert.equal(await cluster.ok('logs', 'p7'), 'hello\n');
      assert.match(
        (await cluster.kubectl('exec', 'p7', '--', 'true')).stderr,
        /the simulated runtime runs no processes/,
      );
      await cluster.ok('delete', 'pod', '--all', '--now');
    },
  );

  await t.test(
    'cluster file: what was said is remembered; another file takes its own back and nothing else',
    async () => {
      await cluster.ok('label', 'node', own, 'theirs=1');
      await cluster.down();
      await cluster.up(...runtime);
      assert.equal((await nodes()).length, 31);
      await cluster.down();
      writeFileSync(file, changed);
      await cluster.up(...runtime, '--config', file);
      const { metadata, spec, status } = await cluster.get<Node & Record<string, never>>('node', own);
      const { disk, old, theirs } = metadata.labels ?? {};
      assert.deepEqual([disk, old, theirs], ['nvme', undefined, '1']);
      assert.deepEqual(
        spec?.taints?.map(({ key }) => key),
        ['second'],
      );
      assert.equal(status?.allocatable?.['example.com/gpu'], undefined);
      await until('the nodes that are no more go', nodes, (left) => left.length === 6);
    },
  );

  await t.test('cluster file: too late, and what is wrong with it', async () => {
    const pod = join(cluster.dataDir, 'pod.yaml');
    writeFileSync(pod, podManifest('late', { containers: [idle()] }));
    const late = await peapod(['up', ...cluster.global, ...runtime, '-f', pod, '--config', file]);
    assert.equal(late.code, 1);
    assert.match(late.stderr, /runs already, and which nodes it has is decided when it starts/);
    writeFileSync(file, `${head}nodes:\n- lables: {}\n`);
    const wrong = await peapod(['up', ...cluster.global, '--config', file]);
    assert.equal(wrong.code, 1);
    assert.equal(wrong.stderr, `peapod: ${file}:4:11: nodes[0].lables: unknown field\n`);
    const both = await peapod(['up', ...cluster.global, '--config', file, '--nodes', '2']);
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--config and --nodes: the file says which nodes there are/);
  });
});

test('cluster file: two real nodes', { timeout: 180_000 }, async () => {
  await using cluster = E2eCluster.reserve('e2e-file-two');
  const file = join(cluster.dataDir, 'cluster.yaml');
  const text = `${head}
nodes:
  - { name: left, labels: { side: left }, capacity: { cpu: 1, memory: 512Mi } }
  - { name: right, taints: [{ key: closed, effect: NoSchedule }] }
podCIDRs: [10.231.0.0/16, "fd00:10:231::/48"]
registryMirrors: { quay.io: [http://127.0.0.1:9] }
`;
  writeFileSync(file, text);
  await cluster.up('--config', file);
  await using pods = await PodWatch.on(cluster);
  await cluster.apply(podManifest('small', { containers: [idle('c', { resources: { requests: { cpu: '600m' } } })] }));
  await cluster.apply(podManifest('second', { containers: [idle('c', { resources: { requests: { cpu: '600m' } } })] }));
  const small = await pods.running('small');
  assert.equal(small.spec.nodeName, 'left');
  assert.match(small.status?.podIP ?? '', /^10\.231\.1\./);
  assert.match(small.status?.podIPs?.[1]?.ip ?? '', /^fd00:10:231:1::/);
  await pods.told('second', /0\/2 nodes are available: 1 Insufficient cpu, 1 node\(s\) had untolerated taint\(s\)/);
  const hosts = join(cluster.paths.certs, 'quay.io/hosts.toml');
  assert.ok(existsSync(hosts));
  assert.match(readFileSync(hosts, 'utf8'), /http:\/\/10\.231\.0\.1:9/, 'as nodes reach what listens on the loopback');
});
