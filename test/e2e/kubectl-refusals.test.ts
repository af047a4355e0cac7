import assert from 'node:assert/strict';
import type { E2eCluster, Ran } from '#test/e2e/support/cluster.ts';
import { administrator, askApi, statusIn } from '#test/e2e/support/api-request.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';
import { createCa, issue } from '#wire/certificates.ts';

const create = (cluster: E2eCluster, input: string): Promise<Ran> =>
  cluster.kubectlWith({ input }, 'create', '-f', '-');

const pod = (spec: string, metadata = 'name: wrong'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {${metadata}}\nspec:\n${spec.replaceAll(/^/gm, '  ')}\n`;

const json = { 'content-type': 'application/json' };

/** Everything the server will not do, and how it says so. */
onCluster('kubectl-refusals', {
  'nobody in particular: health and version, nothing else': async (cluster) => {
    for (const path of ['/healthz', '/livez', '/readyz'])
      assert.deepEqual([(await askApi(cluster, { path })).status, (await askApi(cluster, { path })).text], [200, 'ok']);
    const version = await askApi(cluster, { path: '/version' });
    assert.match((JSON.parse(version.text) as { gitVersion: string }).gitVersion, /^v1\.36\.0/);
    for (const path of ['/api', '/apis', '/api/v1/pods', '/openapi/v2', '/metrics', '/nowhere']) {
      const refused = await askApi(cluster, { path });
      assert.equal(refused.status, 403, path);
      assert.equal(statusIn(refused).reason, 'Forbidden');
      assert.match(statusIn(refused).message!, /User "system:anonymous" cannot/);
    }
    const pods = statusIn(await askApi(cluster, { path: '/api/v1/namespaces/default/pods' }));
    assert.equal(
      pods.message,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    );
  },

  'somebody it does not know: 401': async (cluster) => {
    for (const token of ['nonsense', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA']) {
      const refused = await askApi(cluster, {
        path: '/api/v1/pods',
        headers: { authorization: `Bearer ${token}` },
      });
      assert.deepEqual([refused.status, statusIn(refused).reason], [401, 'Unauthorized']);
      assert.equal(statusIn(refused).message, 'Unauthorized');
    }
    // Health is for everyone, but not with a lie.
    const lying = await askApi(cluster, { path: '/healthz', headers: { authorization: 'Bearer nonsense' } });
    assert.equal(lying.status, 401);
  },

  'a certificate of somebody else’s authority: 401': async (cluster) => {
    const as = await stranger();
    const refused = await askApi(cluster, { path: '/api/v1/pods', as });
    assert.deepEqual([refused.status, statusIn(refused).reason], [401, 'Unauthorized']);
    const known = await askApi(cluster, { path: '/api/v1/pods', as: await administrator(cluster) });
    assert.equal(known.status, 200);
  },

  'fields that are unknown or there twice, in the words of kubectl': async (cluster) => {
    const unknown = await create(cluster, pod('containers: [{name: a, image: b, imag: c}]\nhostNetwrk: true'));
    assert.equal(unknown.code, 1);
    assert.equal(
      unknown.stderr,
      'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imag", unknown field "spec.hostNetwrk"\n',
    );
    const body =
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"twice"},"spec":{"containers":[{"name":"a","image":"b","image":"c"}]}}';
    const as = await administrator(cluster);
    const path = '/api/v1/namespaces/default/pods';
    const strict = await askApi(cluster, {
      method: 'POST',
      path: `${path}?fieldValidation=Strict&dryRun=All`,
      body,
      headers: json,
      as,
    });
    assert.deepEqual([strict.status, statusIn(strict).reason], [400, 'BadRequest']);
    assert.match(statusIn(strict).message!, /strict decoding error: duplicate field "spec\.containers\[0\]\.image"$/);
    const warned = await askApi(cluster, {
      method: 'POST',
      path: `${path}?fieldValidation=Warn&dryRun=All`,
      body,
      headers: json,
      as,
    });
    assert.equal(warned.status, 201);
    assert.match(String(warned.headers['warning']), /^299 - "duplicate field \\"spec\.containers\[0\]\.image\\""$/);
    const ignored = await askApi(cluster, {
      method: 'POST',
      path: `${path}?fieldValidation=Ignore&dryRun=All`,
      body,
      headers: json,
      as,
    });
    assert.deepEqual([ignored.status, ignored.headers['warning']], [201, undefined]);
  },

  'values of the wrong type': async (cluster) => {
    const number = await create(cluster, pod('containers: [{name: a, image: 3}]'));
    assert.match(
      number.stderr,
      /Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Container\.spec\.containers\.image of type string/,
    );
    const list = await create(cluster, pod('containers: {name: a}'));
    assert.match(
      list.stderr,
      /json: cannot unmarshal object into Go struct field PodSpec\.spec\.containers of type \[\]/,
    );
    const quantity = await create(
      cluster,
      pod('containers: [{name: a, image: b, resources: {requests: {cpu: much}}}]'),
    );
    assert.match(quantity.stderr, /quantities must match the regular expression/);
  },

  'text that is no YAML, or no JSON': async (cluster) => {
    const yaml = await create(cluster, 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n   labels: {}\n');
    assert.equal(yaml.code, 1);
    assert.match(yaml.stderr, /error parsing STDIN: error converting YAML to JSON: yaml: line 5: /);
    const as = await administrator(cluster);
    const body = '{"apiVersion":"v1","kind":"ConfigMap",';
    const path = '/api/v1/namespaces/default/configmaps';
    const half = await askApi(cluster, { method: 'POST', path, body, headers: json, as });
    assert.deepEqual([half.status, statusIn(half).reason], [400, 'BadRequest']);
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    const notProtobuf = await askApi(cluster, { method: 'POST', path, body: '{}', headers, as });
    assert.ok([400, 415].includes(notProtobuf.status), notProtobuf.text);
    const strange = await askApi(cluster, {
      method: 'POST',
      path,
      body: '{}',
      headers: { 'content-type': 'text/csv' },
      as,
    });
    assert.deepEqual([strange.status, statusIn(strange).reason], [415, 'UnsupportedMediaType']);
  },

  'values that are not allowed, all of them at once, each with its path': async (cluster) => {
    const refused = await create(
      cluster,
      pod(
        [
          'restartPolicy: Sometimes',
          'containers:',
          '- {name: A_b, image: busybox, imagePullPolicy: Perhaps}',
          '- {name: a, image: busybox, ports: [{containerPort: 70000}]}',
          '- {name: a, resources: {requests: {cpu: 2}, limits: {cpu: 1}}, volumeMounts: [{name: none, mountPath: /x}]}',
          'volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]',
        ].join('\n'),
      ),
    );
    assert.equal(refused.code, 1);
    for (const line of [
      'The Pod "wrong" is invalid: ',
      '* spec.volumes[1].name: Duplicate value: "v"',
      `* spec.containers[0].name: Invalid value: "A_b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
      '* spec.containers[0].imagePullPolicy: Unsupported value: "Perhaps": supported values: "Always", "IfNotPresent", "Never"',
      '* spec.containers[1].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
      '* spec.containers[2].name: Duplicate value: "a"',
      '* spec.containers[2].image: Required value',
      '* spec.containers[2].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      '* spec.containers[2].volumeMounts[0].name: Not found: "none"',
      '* spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ])
      assert.ok(refused.stderr.split('\n').includes(line), `${line}\nis missing in\n${refused.stderr}`);
  },

  names: async (cluster) => {
    const bad = await create(cluster, pod('containers: [{name: a, image: b}]', 'name: Wrong_'));
    assert.match(
      bad.stderr,
      /^The Pod "Wrong_" is invalid: metadata\.name: Invalid value: "Wrong_": a lowercase RFC 1123 subdomain must consist of/,
    );
    const none = await create(cluster, pod('containers: []'));
    assert.equal(none.stderr, 'The Pod "wrong" is invalid: spec.containers: Required value\n');
    const as = await administrator(cluster);
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} });
    const path = '/api/v1/namespaces/default/configmaps';
    const nameless = statusIn(await askApi(cluster, { method: 'POST', path, body, headers: json, as }));
    assert.equal(nameless.code, 422);
    assert.match(nameless.message!, /metadata\.name: Required value: name or generateName is required/);
    const generated = await askApi(cluster, {
      method: 'POST',
      path,
      headers: json,
      as,
      body: JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { generateName: 'some-' },
      }),
    });
    assert.match((JSON.parse(generated.text) as { metadata: { name: string } }).metadata.name, /^some-[a-z0-9]{5}$/);
  },

  'kinds, versions and namespaces that do not exist': async (cluster) => {
    const version = await create(cluster, 'apiVersion: v9\nkind: Pod\nmetadata: {name: a}\n');
    assert.match(version.stderr, /no matches for kind "Pod" in version "v9"/);
    const nowhere = await create(cluster, pod('containers: [{name: a, image: b}]', 'name: a, namespace: nowhere'));
    assert.equal(
      nowhere.stderr,
      'Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n',
    );
    const configMap = await cluster.kubectl('create', 'configmap', 'a', '-n', 'nowhere');
    assert.equal(configMap.stderr, 'error: failed to create configmap: namespaces "nowhere" not found\n');
    const elsewhere = await cluster.kubectlWith(
      { input: pod('containers: [{name: a, image: b}]', 'name: a, namespace: default') },
      'create',
      '-n',
      'kube-system',
      '-f',
      '-',
    );
    assert.match(
      elsewhere.stderr,
      /the namespace from the provided object "default" does not match the namespace "kube-system"/,
    );
  },

  'what is there already, and what has changed meanwhile': async (cluster) => {
    await cluster.ok('create', 'configmap', 'contended', '--from-literal=a=b');
    const again = await cluster.kubectl('create', 'configmap', 'contended');
    assert.equal(again.stderr, 'error: failed to create configmap: configmaps "contended" already exists\n');
    const stale = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'contended', resourceVersion: '1' } };
    const as = await administrator(cluster);
    const path = '/api/v1/namespaces/default/configmaps/contended';
    const conflict = statusIn(
      await askApi(cluster, { method: 'PUT', path, body: JSON.stringify(stale), headers: json, as }),
    );
    assert.deepEqual([conflict.code, conflict.reason], [409, 'Conflict']);
    assert.equal(
      conflict.message,
      'Operation cannot be fulfilled on configmaps "contended": the object has been modified; please apply your changes to the latest version and try again',
    );
    const body = JSON.stringify({ preconditions: { uid: '00000000-0000-0000-0000-000000000000' } });
    const another = statusIn(await askApi(cluster, { method: 'DELETE', path, body, headers: json, as }));
    assert.deepEqual([another.code, another.reason], [409, 'Conflict']);
    assert.match(another.message!, /Precondition failed: UID in precondition: 00000000-/);
  },

  'what belongs to the cluster stays': async (cluster) => {
    const refused = await cluster.kubectl('delete', 'namespace', 'default');
    assert.equal(
      refused.stderr,
      'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
    );
    const moved = await cluster.kubectl(
      'patch',
      'node',
      'kubectl-refusals-node1',
      '-p',
      '{"metadata":{"name":"other"}}',
    );
    assert.equal(moved.code, 1);
  },

  'methods and paths that are none': async (cluster) => {
    const as = await administrator(cluster);
    const missing = statusIn(await askApi(cluster, { path: '/api/v1/unicorns', as }));
    assert.deepEqual(
      [missing.code, missing.reason, missing.message],
      [404, 'NotFound', 'the server could not find the requested resource'],
    );
    const method = await askApi(cluster, {
      method: 'POST',
      path: '/api/v1/namespaces/default/pods/a',
      body: '{}',
      headers: json,
      as,
    });
    assert.deepEqual([method.status, statusIn(method).reason], [405, 'MethodNotAllowed']);
  },
});

/** With a certificate that says it is the administrator's, signed by an authority of the same name that is not ours. */
const stranger = async (): Promise<{ readonly certificate: string; readonly key: string }> =>
  issue(
    await createCa('peapod', Date.now()),
    { kind: 'client', commonName: 'kubernetes-admin', organizations: ['system:masters'] },
    Date.now(),
  );
