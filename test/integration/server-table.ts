import assert from 'node:assert/strict';
import type { Subject, Reply } from '#test/integration/support/server-subject.ts';

/** What the API server does, whichever way it is reached: `server.test.ts` runs all of it over every transport. */
export interface Case {
  readonly name: string;
  readonly run: (subject: Subject) => Promise<void>;
}

export const NS = '/api/v1/namespaces/default';
export const pod = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...(more as { metadata?: object }).metadata },
  spec: { containers: [{ name: 'c', image: 'busybox' }], ...(more as { spec?: object }).spec },
});
export const configMap = (name: string, data: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});
export const rv = (object: Reply): number => Number(object.metadata.resourceVersion);
export const names = (list: Reply): string[] => list['items'].map((item: Reply) => item.metadata.name);

export const cases: readonly Case[] = [
  {
    name: 'a cluster begins with its namespaces, its priority classes and the kubernetes Service',
    async run({ admin }) {
      assert.deepEqual(names(await admin.get('/api/v1/namespaces')), [
        'default',
        'kube-node-lease',
        'kube-public',
        'kube-system',
      ]);
      const { metadata, status } = await admin.get('/api/v1/namespaces/default');
      assert.deepEqual([metadata.labels, status], [{ 'kubernetes.io/metadata.name': 'default' }, { phase: 'Active' }]);
      assert.deepEqual(names(await admin.get('/apis/scheduling.k8s.io/v1/priorityclasses')), [
        'system-cluster-critical',
        'system-node-critical',
      ]);
      assert.equal((await admin.get(`${NS}/services/kubernetes`))['spec'].clusterIP, '10.96.0.1');
    },
  },
  {
    name: 'what the server decides of a new object, nobody else does',
    async run({ admin }) {
      const metadata = {
        uid: 'mine',
        resourceVersion: '',
        generation: 7,
        creationTimestamp: '2001-01-01T00:00:00Z',
        managedFields: [{ manager: 'x' }],
      };
      const made = await admin.post(`${NS}/configmaps`, configMap('a', { k: 'v' }, metadata));
      assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
      assert.notEqual(made.metadata.creationTimestamp, metadata.creationTimestamp);
      assert.equal(made.metadata.generation, undefined);
      assert.equal(made.metadata.managedFields, undefined);
      assert.ok(rv(made) > 1);
      assert.deepEqual(await admin.get(`${NS}/configmaps/a`), made);
    },
  },
  {
    name: 'generateName gives a name of its own each time',
    async run({ admin }) {
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } };
      const [one, two] = [await admin.post(`${NS}/configmaps`, body), await admin.post(`${NS}/configmaps`, body)];
      assert.match(one.metadata.name, /^x-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      assert.notEqual(one.metadata.name, two.metadata.name);
    },
  },
  {
    name: 'failures have the reasons and messages clients know',
    async run({ admin }) {
      await admin.post(`${NS}/configmaps`, configMap('a'));
      const failures: readonly (readonly [Promise<unknown>, number, string, string])[] = [
        [admin.get(`${NS}/pods/nope`), 404, 'NotFound', 'pods "nope" not found'],
        [admin.post(`${NS}/configmaps`, configMap('a')), 409, 'AlreadyExists', 'configmaps "a" already exists'],
        [
          admin.post('/api/v1/namespaces/nope/configmaps', configMap('a')),
          404,
          'NotFound',
          'namespaces "nope" not found',
        ],
        [admin.get(`${NS}/gadgets`), 404, 'NotFound', 'the server could not find the requested resource'],
        [
          admin.post(`${NS}/configmaps`, configMap('b', {}, { namespace: 'other' })),
          400,
          'BadRequest',
          'the namespace of the provided object does not match the namespace sent on the request',
        ],
        [
          admin.post(`${NS}/configmaps`, configMap('b', {}, { resourceVersion: '1' })),
          400,
          'BadRequest',
          'resourceVersion should not be set on objects to be created',
        ],
        [
          admin.put(`${NS}/configmaps/a`, configMap('b')),
          400,
          'BadRequest',
          'the name of the object (b) does not match the name on the URL (a)',
        ],
        [
          admin.post(`${NS}/configmaps`, configMap('A_B')),
          422,
          'Invalid',
          'ConfigMap "A_B" is invalid: metadata.name: Invalid value: "A_B": a lowercase RFC 1123',
        ],
        [
          admin.delete('/api/v1/namespaces/default'),
          403,
          'Forbidden',
          'namespaces "default" is forbidden: this namespace may not be deleted',
        ],
      ];
      for (const [request, code, reason, message] of failures) {
        const error = await admin.failure(request);
        assert.deepEqual([error.code, error.reason, error.message.slice(0, message.length)], [code, reason, message]);
      }
      const { details } = await admin.failure(admin.get(`${NS}/pods/nope`));
      assert.deepEqual(details, { name: 'nope', kind: 'pods' });
    },
  },
  {
    name: 'an update is refused when it is based on an older version',
    async run({ admin }) {
      const first = await admin.post(`${NS}/configmaps`, configMap('a'));
      await admin.put(`${NS}/configmaps/a`, { ...first, data: { x: '1' } });
      const error = await admin.failure(admin.put(`${NS}/configmaps/a`, { ...first, data: { x: '2' } }));
      assert.equal(
        error.message,
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      );
      const namesake = await admin.failure(admin.put(`${NS}/configmaps/a`, configMap('a', {}, { uid: 'other' })));
      assert.equal(namesake.reason, 'Conflict');
      assert.equal((await admin.put(`${NS}/configmaps/a`, configMap('a', { x: '3' })))['data'].x, '3');
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l' }, spec: {} };
      const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
      await admin.put(`${leases}/l`, lease);
      const blind = await admin.failure(admin.put(`${leases}/l`, { ...lease, spec: { holderIdentity: 'x' } }));
      assert.match(blind.message, /metadata.resourceVersion: Invalid value: .*must be specified for an update/);
    },
  },
  {
    name: 'a write that changes nothing takes no revision and is told nobody',
    async run({ admin }) {
      const first = await admin.post(`${NS}/configmaps`, configMap('a', { x: '1', y: '2' }));
      await using watching = admin.watch(`${NS}/configmaps?resourceVersion=${first.metadata.resourceVersion}`);
      assert.equal(rv(await admin.put(`${NS}/configmaps/a`, configMap('a', { y: '2', x: '1' }))), rv(first));
      assert.equal(rv(await admin.patch(`${NS}/configmaps/a`, { data: { x: '1' } })), rv(first));
      await admin.patch(`${NS}/configmaps/a`, { data: { x: '3' } });
      const event = await watching.next();
      assert.ok(event?.type === 'MODIFIED' && (event.object as Reply)['data'].x === '3');
      assert.ok(rv(event.object) === rv(first) + 1);
    },
  },
  {
    name: 'patches: merge, JSON and strategic, and what does not apply',
    async run({ admin }) {
      await admin.post(`${NS}/pods`, pod('a', { metadata: { labels: { x: '1' } } }));
      const path = `${NS}/pods/a`;
      assert.deepEqual((await admin.patch(path, { metadata: { labels: { y: '2' } } })).metadata.labels, {
        x: '1',
        y: '2',
      });
      const operations = [
        { op: 'test', path: '/metadata/labels/x', value: '1' },
        { op: 'remove', path: '/metadata/labels/x' },
      ];
      assert.deepEqual((await admin.patch(path, operations, 'json')).metadata.labels, { y: '2' });
      const image = { spec: { containers: [{ name: 'c', image: 'nginx' }] } };
      const patched = await admin.patch(path, image, 'strategic-merge');
      assert.equal(patched['spec'].containers[0].image, 'nginx');
      assert.equal(patched['spec'].containers[0].imagePullPolicy, 'Always');
      assert.equal((await admin.failure(admin.patch(path, operations, 'json'))).code, 422);
      const apply = admin.call('PATCH', path, {}, { contentType: 'application/apply-patch+yaml' });
      assert.match((await admin.failure(apply)).message, /server-side apply is not supported yet/);
      const stale = admin.patch(path, { metadata: { resourceVersion: '2', labels: { z: '3' } } });
      assert.equal((await admin.failure(stale)).reason, 'Conflict');
      const unknown = admin.patch(`${path}?fieldValidation=Strict`, { spec: { imag: 'x' } });
      assert.match((await admin.failure(unknown)).message, /unknown field "spec.imag"/);
    },
  },
  {
    name: 'dry runs answer as if, and write nothing',
    async run({ admin }) {
      const made = await admin.post(`${NS}/pods?dryRun=All`, pod('a'));
      assert.equal(made['status'].phase, 'Pending');
      assert.equal((await admin.failure(admin.get(`${NS}/pods/a`))).reason, 'NotFound');
      await admin.post(`${NS}/pods`, pod('a'));
      assert.deepEqual(
        (await admin.patch(`${NS}/pods/a?dryRun=All`, { metadata: { labels: { x: '1' } } })).metadata.labels,
        { x: '1' },
      );
      await admin.delete(`${NS}/pods/a?dryRun=All`);
      assert.equal((await admin.get(`${NS}/pods/a`)).metadata.labels, undefined);
      assert.equal((await admin.failure(admin.post(`${NS}/pods?dryRun=Some`, pod('b')))).code, 422);
    },
  },
  {
    name: 'spec and status have different writers',
    async run({ admin }) {
      const made = await admin.post(`${NS}/pods`, { ...pod('a'), status: { phase: 'Running' } });
      assert.deepEqual([made['status'], made.metadata.generation], [{ phase: 'Pending', qosClass: 'BestEffort' }, 1]);
      const running = await admin.patch(`${NS}/pods/a/status`, {
        status: { phase: 'Running' },
        spec: { nodeName: 'sneaky' },
      });
      assert.deepEqual(
        [running['status'].phase, running['spec'].nodeName, running.metadata.generation],
        ['Running', undefined, 1],
      );
      const updated = await admin.put(`${NS}/pods/a`, {
        ...running,
        status: { phase: 'Failed' },
        metadata: { ...running.metadata, labels: { x: '1' } },
      });
      assert.deepEqual([updated['status'].phase, updated.metadata.labels], ['Running', { x: '1' }]);
      const image = await admin.patch(
        `${NS}/pods/a`,
        [{ op: 'replace', path: '/spec/containers/0/image', value: 'nginx' }],
        'json',
      );
      assert.equal(image.metadata.generation, 2);
    },
  },
  {
    name: 'who may do what: masters all, nodes their part, others may ask what they may',
    async run(subject) {
      const joe = await subject.as('joe', ['staff']);
      const refused = await joe.failure(joe.get(`${NS}/pods`));
      assert.equal(
        refused.message,
        'pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "default"',
      );
      assert.equal(
        (await joe.failure(joe.get('/api/v1/nodes'))).message,
        'nodes is forbidden: User "joe" cannot list resource "nodes" in API group "" at the cluster scope',
      );
      assert.match(
        (await joe.failure(joe.get(`${NS}/pods/a`))).message,
        /^pods "a" is forbidden: User "joe" cannot get/,
      );
      const review = (verb: string): object => ({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb, resource: 'pods', namespace: 'default' } },
      });
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      assert.equal((await joe.post(path, review('list')))['status'].allowed, false);
      assert.equal((await subject.admin.post(path, review('list')))['status'].allowed, true);
      const who = await joe.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'SelfSubjectReview',
      });
      assert.deepEqual(who['status'].userInfo, { username: 'joe', groups: ['staff', 'system:authenticated'] });
      const node = await subject.as('system:node:n1', ['system:nodes']);
      const body = (name: string): object => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
      await node.post('/api/v1/nodes', body('n1'));
      await subject.admin.post('/api/v1/nodes', body('n2'));
      await node.patch('/api/v1/nodes/n1/status', { status: { phase: 'Running' } });
      assert.equal(
        (await node.failure(node.patch('/api/v1/nodes/n2/status', { status: { phase: 'Running' } }))).reason,
        'Forbidden',
      );
      assert.equal((await node.failure(node.delete('/api/v1/nodes/n1'))).reason, 'Forbidden');
    },
  },
  {
    name: 'deleting a collection deletes what is selected',
    async run({ admin }) {
      for (const name of ['a', 'b', 'c'])
        await admin.post(`${NS}/configmaps`, configMap(name, {}, { labels: { gone: String(name !== 'b') } }));
      await admin.call('DELETE', `${NS}/configmaps?labelSelector=gone%3Dtrue`);
      assert.deepEqual(names(await admin.get(`${NS}/configmaps`)), ['b']);
      assert.equal((await admin.failure(admin.call('DELETE', '/api/v1/namespaces'))).code, 405);
    },
  },
  {
    name: 'concurrent patches all count',
    async run({ admin }) {
      await admin.post(`${NS}/configmaps`, configMap('a'));
      await Promise.all(
        Array.from({ length: 12 }, (_, i) => admin.patch(`${NS}/configmaps/a`, { data: { [`k${i}`]: String(i) } })),
      );
      assert.equal(Object.keys((await admin.get(`${NS}/configmaps/a`))['data']).length, 12);
    },
  },
  {
    name: 'discovery tells of everything that is served',
    async run({ admin }) {
      const core = await admin.get('/api/v1');
      const found = core['resources'].map((each: { name: string }) => each.name);
      for (const name of [
        'pods',
        'pods/status',
        'pods/log',
        'pods/exec',
        'namespaces/finalize',
        'serviceaccounts/token',
      ])
        assert.ok(found.includes(name), name);
      const groups = (await admin.get('/apis'))['groups'].map((each: { name: string }) => each.name);
      assert.deepEqual(groups, [
        'events.k8s.io',
        'coordination.k8s.io',
        'policy',
        'scheduling.k8s.io',
        'storage.k8s.io',
        'apps',
        'resource.k8s.io',
        'apiextensions.k8s.io',
        'peapod.dev',
        'authentication.k8s.io',
        'authorization.k8s.io',
      ]);
      assert.equal((await admin.get('/version'))['gitVersion'], 'v1.36.0+peapod');
      assert.equal((await admin.failure(admin.get('/nowhere'))).code, 404);
      const paths = Object.keys((await admin.get('/openapi/v2'))['paths']);
      assert.ok(paths.includes('/api/v1/namespaces/{namespace}/pods/{name}'));
      assert.ok('apis/coordination.k8s.io/v1' in (await admin.get('/openapi/v3'))['paths']);
    },
  },
];
