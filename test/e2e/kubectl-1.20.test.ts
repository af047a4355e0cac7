import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap, PodList } from '#api/generated/core-v1.ts';
import type { E2eCluster, Ran } from '#test/e2e/support/cluster.ts';
import { sleeper, sleeperCommand } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

const ok = async (cluster: E2eCluster, ...args: readonly string[]): Promise<string> =>
  done(await cluster.kubectl120(...args));

const apply = async (cluster: E2eCluster, input: string): Promise<string> =>
  done(await cluster.kubectl120With({ input }, 'apply', '-f', '-'));

function done({ code, stdout, stderr }: Ran): string {
  assert.equal(code, 0, stderr);
  return stdout;
}

const configMap = (data: Readonly<Record<string, string>>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old' }, data });

/** Debian's own kubectl is six years older: it validates by the OpenAPI in protobuf, and speaks SPDY alone. */
onCluster('kubectl-old', {
  'it is the old one': async (cluster) => {
    const version = await ok(cluster, 'version', '--short');
    assert.match(version, /^Client Version: v1\.20\.\d+$/m);
    assert.match(version, /^Server Version: v1\.36\.0/m);
  },

  'create and apply': async (cluster) => {
    const file = join(cluster.dataDir, 'old.json');
    writeFileSync(file, sleeper('made'));
    assert.equal(await ok(cluster, 'create', '-f', file), 'pod/made created\n');
    assert.equal(await apply(cluster, configMap({ a: '1', b: '2' })), 'configmap/old created\n');
    assert.equal(await apply(cluster, configMap({ a: '1', b: '2' })), 'configmap/old unchanged\n');
    assert.equal(await apply(cluster, configMap({ a: '3' })), 'configmap/old configured\n');
    assert.deepEqual((await cluster.get<ConfigMap>('configmap', 'old')).data, { a: '3' });
    assert.equal(
      await ok(cluster, 'create', 'configmap', 'literal', '--from-literal=a=b'),
      'configmap/literal created\n',
    );
    assert.equal(await ok(cluster, 'create', 'namespace', 'older'), 'namespace/older created\n');
    assert.equal(await ok(cluster, 'create', 'secret', 'generic', 's', '--from-literal=a=b'), 'secret/s created\n');
    assert.equal(
      await ok(cluster, 'run', 'ran', '--image=busybox', '--', 'sh', '-c', sleeperCommand),
      'pod/ran created\n',
    );
  },

  'it finds wrong fields itself, by the OpenAPI': async (cluster) => {
    const input = sleeper('wrong').replace('"image"', '"imag"');
    const refused = await cluster.kubectl120With({ input }, 'apply', '-f', '-');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /error validating "STDIN": error validating data: ValidationError\(Pod\.spec\.containers\[0\]\): unknown field "imag" in io\.k8s\.api\.core\.v1\.Container/,
    );
  },

  'wait, get and describe': async (cluster) => {
    assert.match(await ok(cluster, 'wait', '--for=condition=Ready', 'pod/made', '--timeout=30s'), /condition met/);
    assert.match(
      await ok(cluster, 'get', 'pods', '-o', 'wide'),
      /^made +1\/1 +Running +0 +\S+ +10\.2\d\d\.1\.\d+ +kubectl-old-node1 +<none> +<none>$/m,
    );
    assert.equal((JSON.parse(await ok(cluster, 'get', 'pods', '-o', 'json')) as PodList).items.length, 2);
    assert.match(await ok(cluster, 'get', 'nodes'), /^kubectl-old-node1 +Ready +<none> +\S+ +v1\.36\.0$/m);
    assert.match(await ok(cluster, 'get', 'events'), /Successfully assigned default\/made to kubectl-old-node1/);
    const pod = await ok(cluster, 'describe', 'pod', 'made');
    assert.match(pod, /^Status: +Running$/m);
    assert.match(pod, /default-scheduler +Successfully assigned default\/made/);
    assert.match(await ok(cluster, 'describe', 'node', 'kubectl-old-node1'), /^  Ready +True .*KubeletReady/m);
    assert.match(await ok(cluster, 'api-resources'), /^pods +po +v1 +true +Pod$/m);
    assert.equal(await ok(cluster, 'auth', 'can-i', 'create', 'pods'), 'yes\n');
  },

  explain: async (cluster) => {
    const text = await ok(cluster, 'explain', 'pod.spec.containers');
    assert.match(text, /^KIND: +Pod\nVERSION: +v1\n\nRESOURCE: containers <\[\]Object>\n/);
    assert.match(text, /^   image\t<string>$/m);
  },

  'patch, label, edit, diff': async (cluster) => {
    assert.equal(
      await ok(cluster, 'patch', 'configmap', 'old', '-p', '{"data":{"c":"four"}}'),
      'configmap/old patched\n',
    );
    assert.equal(await ok(cluster, 'label', 'pod', 'made', 'age=old'), 'pod/made labeled\n');
    const edited = await cluster.kubectl120With({ env: { EDITOR: 'sed -i s/four/five/' } }, 'edit', 'configmap', 'old');
    assert.equal(edited.stdout, 'configmap/old edited\n', edited.stderr);
    assert.equal((await cluster.get<ConfigMap>('configmap', 'old')).data!['c'], 'five');
    const diff = await cluster.kubectl120With({ input: configMap({ a: '6' }) }, 'diff', '-f', '-');
    assert.equal(diff.code, 1, diff.stderr);
    assert.match(diff.stdout, /^\+  a: "6"$/m);
  },

  'logs and exec': async (cluster) => {
    await ok(
      cluster,
      'run',
      'said',
      '--image=busybox',
      '--restart=Never',
      '--',
      'sh',
      '-c',
      `echo said; ${sleeperCommand}`,
    );
    await ok(cluster, 'wait', '--for=condition=Ready', 'pod/said', '--timeout=30s');
    assert.equal(await ok(cluster, 'logs', 'said'), 'said\n');
    const exit = await cluster.kubectl120('exec', 'made', '--', 'sh', '-c', 'echo out; echo err >&2; exit 4');
    assert.deepEqual([exit.code, exit.stdout], [4, 'out\n']);
    assert.match(exit.stderr, /^err\ncommand terminated with exit code 4\n$/);
    const echoed = await cluster.kubectl120With({ input: 'through\n' }, 'exec', '-i', 'made', '--', 'cat');
    assert.equal(echoed.stdout, 'through\n');
    await ok(cluster, 'cp', 'made:/etc/group', join(cluster.dataDir, 'group'));
  },

  delete: async (cluster) => {
    assert.equal(await ok(cluster, 'delete', 'pod', 'made'), 'pod "made" deleted\n');
    const forced = await cluster.kubectl120('delete', 'pod', 'ran', 'said', '--force', '--grace-period=0');
    assert.match(forced.stdout, /pod "ran" force deleted/);
    assert.equal(
      await ok(cluster, 'delete', 'configmap', 'old', 'literal'),
      'configmap "old" deleted\nconfigmap "literal" deleted\n',
    );
    assert.equal(await ok(cluster, 'delete', 'namespace', 'older', '--timeout=30s'), 'namespace "older" deleted\n');
    const missing = await cluster.kubectl120('get', 'pod', 'made');
    assert.equal(missing.stderr, 'Error from server (NotFound): pods "made" not found\n');
  },
});
