import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap, Namespace, Pod, PodList, Secret } from '#api/generated/core-v1.ts';
import { type E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { podOf, sleeper } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

/** Everything that changes something, by kubectl as it is today. */
onCluster('kubectl-write', {
  'apply: creates, changes, leaves alone': async (cluster) => {
    const manifest = configMap('applied', { one: '1', two: '2' });
    assert.equal(await cluster.apply(manifest), 'configmap/applied created\n');
    const first = await cluster.get<ConfigMap>('configmap', 'applied');
    assert.equal(await cluster.apply(manifest), 'configmap/applied unchanged\n');
    assert.equal(
      (await cluster.get<ConfigMap>('configmap', 'applied')).metadata.resourceVersion,
      first.metadata.resourceVersion,
    );
    await cluster.ok('patch', 'configmap', 'applied', '-p', '{"data":{"by-hand":"kept"}}');
    assert.equal(await cluster.apply(configMap('applied', { one: '11' })), 'configmap/applied configured\n');
    // What the manifest no longer has goes; what it never had stays.
    assert.deepEqual((await cluster.get<ConfigMap>('configmap', 'applied')).data, { one: '11', 'by-hand': 'kept' });
  },

  'apply: several objects at once, a pod among them; only what may change does': async (cluster) => {
    const both = `${configMap('beside', { a: 'b' })}\n---\n${sleeper('applied', { app: 'one' })}`;
    assert.equal(await cluster.apply(both), 'configmap/beside created\npod/applied created\n');
    await cluster.ok('wait', '--for=condition=Ready', 'pod/applied', '--timeout=30s');
    assert.equal(await cluster.apply(sleeper('applied', { app: 'two' })), 'pod/applied configured\n');
    assert.equal(await cluster.apply(sleeper('applied', { app: 'two' })), 'pod/applied unchanged\n');
    const renamed = sleeper('applied', { app: 'two' }).replace('"main"', '"other"');
    const refused = await cluster.kubectlWith({ input: renamed }, 'apply', '-f', '-');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^The Pod "applied" is invalid: [^]*spec: Forbidden: pod updates may not change fields/,
    );
    assert.match(await cluster.ok('get', 'pod', 'applied', '-o', 'jsonpath={.metadata.generation}'), /^1$/);
  },

  'create: of files, once': async (cluster) => {
    const file = join(cluster.dataDir, 'created.yaml');
    writeFileSync(file, configMap('created', { from: 'a file' }));
    assert.equal(await cluster.ok('create', '-f', file), 'configmap/created created\n');
    const again = await cluster.kubectl('create', '-f', file);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^Error from server \(AlreadyExists\): .*configmaps "created" already exists$/m);
  },

  'create: kinds whose bodies kubectl sends as protobuf': async (cluster) => {
    assert.equal(await cluster.ok('create', 'namespace', 'made'), 'namespace/made created\n');
    assert.equal(
      await cluster.ok('create', 'configmap', 'made', '-n', 'made', '--from-literal=key=värde'),
      'configmap/made created\n',
    );
    const literal = '--from-literal=password=p4ss';
    assert.equal(
      await cluster.ok('create', 'secret', 'generic', 'made', '-n', 'made', literal),
      'secret/made created\n',
    );
    assert.equal(await cluster.ok('create', 'serviceaccount', 'made', '-n', 'made'), 'serviceaccount/made created\n');
    assert.deepEqual((await cluster.get<ConfigMap>('configmap', 'made', '-n', 'made')).data, { key: 'värde' });
    const secret = await cluster.get<Secret>('secret', 'made', '-n', 'made');
    assert.deepEqual([secret.type, secret.data], ['Opaque', { password: btoa('p4ss') }]);
    const claims = claimsOf(await cluster.ok('create', 'token', 'made', '-n', 'made', '--duration=20m'));
    assert.equal(claims['sub'], 'system:serviceaccount:made:made');
    assert.equal(Number(claims['exp']) - Number(claims['iat']), 1200);
    assert.match((await cluster.kubectl('create', 'token', 'nobody')).stderr, /serviceaccounts "nobody" not found/);
  },

  'a token that was created tells who one is': async (cluster) => {
    const token = (await cluster.ok('create', 'token', 'default')).trim();
    const own = join(cluster.dataDir, 'token.kubeconfig');
    writeFileSync(own, readFileSync(cluster.kubeconfig, 'utf8'));
    await cluster.ok('config', 'set-credentials', 'bearer', `--token=${token}`, '--kubeconfig', own);
    await cluster.ok('config', 'set-context', '--current', '--user=bearer', '--kubeconfig', own);
    assert.match(await cluster.ok('auth', 'whoami', '--kubeconfig', own), /system:serviceaccount:default:default/);
    const refused = await cluster.kubectl('get', 'secrets', '--kubeconfig', own);
    assert.match(
      refused.stderr,
      /^Error from server \(Forbidden\): secrets is forbidden: User "system:serviceaccount:default:default" cannot list resource "secrets" in API group "" in the namespace "default"/,
    );
  },

  'a namespace comes with its label, its service account and the certificate, and goes with all that is in it': async (
    cluster,
  ) => {
    await cluster.ok('create', 'namespace', 'shortlived');
    const { metadata } = await cluster.get<Namespace>('namespace', 'shortlived');
    assert.equal(metadata.labels?.['kubernetes.io/metadata.name'], 'shortlived');
    await until(
      'what every namespace has',
      () => cluster.kubectl('get', 'sa/default', 'cm/kube-root-ca.crt', '-n', 'shortlived'),
      ({ code }) => code === 0,
    );
    await cluster.kubectlWith({ input: sleeper('inside') }, 'apply', '-n', 'shortlived', '-f', '-');
    await cluster.ok('wait', '--for=condition=Ready', 'pod/inside', '-n', 'shortlived', '--timeout=30s');
    await cluster.ok('delete', 'namespace', 'shortlived', '--timeout=30s');
    assert.match((await cluster.kubectl('get', 'namespace', 'shortlived')).stderr, /\(NotFound\)/);
    assert.equal((await cluster.get<PodList>('pods', '-n', 'shortlived')).items.length, 0);
  },

  'replace: all of it, and only on top of what one has seen': async (cluster) => {
    await cluster.apply(configMap('replaced', { a: '1', b: '2' }));
    const seen = await cluster.ok('get', 'configmap', 'replaced', '-o', 'json');
    const input = configMap('replaced', { c: '3' });
    assert.equal((await cluster.kubectlWith({ input }, 'replace', '-f', '-')).stdout, 'configmap/replaced replaced\n');
    assert.deepEqual((await cluster.get<ConfigMap>('configmap', 'replaced')).data, { c: '3' });
    const late = await cluster.kubectlWith({ input: seen }, 'replace', '-f', '-');
    assert.match(
      late.stderr,
      /^Error from server \(Conflict\): .*Operation cannot be fulfilled on configmaps "replaced": the object has been modified; please apply your changes to the latest version and try again/,
    );
    const missing = await cluster.kubectlWith({ input: configMap('missing', {}) }, 'replace', '-f', '-');
    assert.match(missing.stderr, /\(NotFound\): .*configmaps "missing" not found/);
    // Deleted and made anew: the way to change what may not be changed.
    await cluster.apply(sleeper('forced'));
    const { metadata } = await cluster.get<Pod>('pod', 'forced');
    const forced = ['replace', '--force', '--grace-period=0', '-f', '-'];
    const ran = await cluster.kubectlWith({ input: sleeper('forced', { made: 'anew' }) }, ...forced);
    assert.equal(ran.code, 0, ran.stderr);
    assert.notEqual((await cluster.get<Pod>('pod', 'forced')).metadata.uid, metadata.uid);
  },

  'patch: strategic, merge and json': async (cluster) => {
    await cluster.apply(sleeper('patched'));
    const patch = (type: string, body: unknown): Promise<string> =>
      cluster.ok('patch', 'pod', 'patched', '--type', type, '-p', JSON.stringify(body));
    const image = 'docker.io/library/busybox:latest';
    // By name, although it is a list: that is what makes it strategic.
    assert.equal(
      await patch('strategic', { spec: { containers: [{ name: 'main', image }] } }),
      'pod/patched patched\n',
    );
    assert.equal(await patch('merge', { metadata: { labels: { a: '1', b: '2' } } }), 'pod/patched patched\n');
    assert.equal(await patch('merge', { metadata: { labels: { a: null } } }), 'pod/patched patched\n');
    await patch('json', [{ op: 'add', path: '/metadata/labels/c', value: '3' }]);
    const pod = await cluster.get<Pod>('pod', 'patched');
    assert.equal(pod.spec.containers[0]!.image, image);
    assert.equal(pod.spec.containers[0]!.command!.length, 3);
    assert.deepEqual(pod.metadata.labels, { b: '2', c: '3' });
    assert.equal(await patch('merge', { metadata: { labels: { b: '2' } } }), 'pod/patched patched (no change)\n');
    const test = JSON.stringify([{ op: 'test', path: '/metadata/labels/c', value: '4' }]);
    const refused = await cluster.kubectl('patch', 'pod', 'patched', '--type', 'json', '-p', test);
    assert.deepEqual([refused.code, /test failed/.test(refused.stderr)], [1, true]);
  },

  'edit: what the editor leaves behind': async (cluster) => {
    await cluster.apply(configMap('edited', { colour: 'green' }));
    const edit = (script: string): ReturnType<E2eCluster['kubectl']> =>
      cluster.kubectlWith({ env: { EDITOR: `sed -i ${script}` } }, 'edit', 'configmap', 'edited');
    assert.equal((await edit('s/colour:.green/colour:\\ blue/')).stdout, 'configmap/edited edited\n');
    assert.deepEqual((await cluster.get<ConfigMap>('configmap', 'edited')).data, { colour: 'blue' });
    assert.match((await edit('s/nothing/at-all/')).stderr, /Edit cancelled, no changes made/);
  },

  'label and annotate': async (cluster) => {
    await cluster.apply(configMap('labelled', {}));
    const on = async (...args: readonly string[]): Promise<string> =>
      (await cluster.kubectl(args[0]!, 'configmap', 'labelled', ...args.slice(1))).stdout;
    assert.equal(await on('label', 'tier=one'), 'configmap/labelled labeled\n');
    assert.match((await cluster.kubectl('label', 'configmap', 'labelled', 'tier=two')).stderr, /already has a value/);
    assert.equal(await on('label', 'tier=two', '--overwrite'), 'configmap/labelled labeled\n');
    assert.equal(await on('annotate', 'note=any thing'), 'configmap/labelled annotated\n');
    assert.match(await cluster.ok('get', 'configmaps', '-l', 'tier in (two)', '-o', 'name'), /^configmap\/labelled$/m);
    assert.equal(await on('label', 'tier-'), 'configmap/labelled unlabeled\n');
    const wrong = await cluster.kubectl('annotate', 'configmap', 'labelled', 'a b=c');
    assert.match(
      wrong.stderr,
      /^The ConfigMap "labelled" is invalid: metadata\.annotations: Invalid value: "a b": name part must consist of/,
    );
  },

  'delete: by name, by label, of files, by force': async (cluster) => {
    const pods = ['gone-1', 'gone-2', 'gone-3', 'gone-4'];
    for (const name of pods) await cluster.apply(sleeper(name, { gone: name === 'gone-2' ? 'two' : 'no' }));
    await cluster.ok('wait', '--for=condition=Ready', ...pods.map((name) => `pod/${name}`), '--timeout=30s');
    assert.equal(await cluster.ok('delete', 'pod', 'gone-1'), 'pod "gone-1" deleted from default namespace\n');
    assert.equal(await cluster.ok('delete', 'pods', '-l', 'gone=two'), 'pod "gone-2" deleted from default namespace\n');
    const byFile = await cluster.kubectlWith({ input: sleeper('gone-3') }, 'delete', '-f', '-');
    assert.equal(byFile.stdout, 'pod "gone-3" deleted from default namespace\n');
    const forced = await cluster.kubectl('delete', 'pod', 'gone-4', '--force', '--grace-period=0');
    assert.match(forced.stderr, /Warning: Immediate deletion does not wait for confirmation/);
    assert.match(forced.stdout, /pod "gone-4" force deleted/);
    for (const name of pods)
      assert.equal(
        (await cluster.kubectl('get', 'pod', name)).stderr,
        `Error from server (NotFound): pods "${name}" not found\n`,
      );
    const missing = await cluster.kubectl('delete', 'pod', 'gone-1');
    assert.deepEqual([missing.code, missing.stderr], [1, 'Error from server (NotFound): pods "gone-1" not found\n']);
    assert.equal((await cluster.kubectl('delete', 'pod', 'gone-1', '--ignore-not-found')).code, 0);
  },

  'delete without waiting, and a wait for the end of it': async (cluster) => {
    // It takes its time, so that there is something to wait for.
    await cluster.apply(podOf('ending', { command: ['sh', '-c', "trap 'sleep 1; exit 0' TERM; sleep 1000 & wait"] }));
    await cluster.ok('wait', '--for=condition=Ready', 'pod/ending', '--timeout=30s');
    await cluster.ok('delete', 'pod', 'ending', '--wait=false', '--grace-period=10');
    assert.equal(await cluster.ok('wait', '--for=delete', 'pod/ending', '--timeout=30s'), 'pod/ending condition met\n');
  },

  'wait: for a condition, for a value, for too long': async (cluster) => {
    await cluster.apply(sleeper('waited'));
    assert.equal(
      await cluster.ok('wait', '--for=condition=Ready', 'pod/waited', '--timeout=30s'),
      'pod/waited condition met\n',
    );
    await cluster.ok('wait', '--for=jsonpath={.status.phase}=Running', 'pod/waited', '--timeout=10s');
    const late = await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Failed', 'pod/waited', '--timeout=1s');
    assert.deepEqual([late.code, late.stderr], [1, 'error: timed out waiting for the condition on pods/waited\n']);
  },

  'dry runs change nothing': async (cluster) => {
    const input = configMap('dry', { a: 'b' });
    const server = await cluster.kubectlWith({ input }, 'create', '--dry-run=server', '-f', '-', '-o', 'json');
    assert.match((JSON.parse(server.stdout) as ConfigMap).metadata.uid, /^[0-9a-f-]{36}$/);
    assert.match((await cluster.kubectl('get', 'configmap', 'dry')).stderr, /NotFound/);
    await cluster.apply(input);
    assert.match(await cluster.ok('delete', 'configmap', 'dry', '--dry-run=server'), /\(server dry run\)/);
    await cluster.ok('get', 'configmap', 'dry');
  },

  'diff: tells what apply would do, and whether anything': async (cluster) => {
    await cluster.apply(configMap('differing', { a: 'b' }));
    const same = await cluster.kubectlWith({ input: configMap('differing', { a: 'b' }) }, 'diff', '-f', '-');
    assert.deepEqual([same.code, same.stdout], [0, ''], same.stderr);
    const other = await cluster.kubectlWith({ input: configMap('differing', { a: 'c' }) }, 'diff', '-f', '-');
    assert.equal(other.code, 1);
    assert.match(other.stdout, /^-  a: b\n\+  a: c$/m);
    assert.deepEqual((await cluster.get<ConfigMap>('configmap', 'differing')).data, { a: 'b' });
  },

  'run, and a copy of files out of a container': async (cluster) => {
    const ran = await cluster.ok('run', 'once', '--image=busybox', '--restart=Never', '--', 'sh', '-c', 'echo ran');
    assert.equal(ran, 'pod/once created\n');
    await cluster.ok('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/once', '--timeout=30s');
    assert.equal(await cluster.ok('logs', 'once'), 'ran\n');
    await cluster.apply(sleeper('copied'));
    await cluster.ok('wait', '--for=condition=Ready', 'pod/copied', '--timeout=30s');
    const file = join(cluster.dataDir, 'passwd');
    await cluster.ok('cp', 'copied:/etc/passwd', file);
    assert.ok(existsSync(file));
    assert.match(readFileSync(file, 'utf8'), /^root:x:0:0:/);
    await cluster.ok('cp', file, 'copied:/tmp/back');
    assert.equal(await cluster.ok('exec', 'copied', '--', 'cat', '/tmp/back'), readFileSync(file, 'utf8'));
  },
});

const configMap = (name: string, data: Readonly<Record<string, string>>): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Readonly<Record<string, unknown>>;
