import assert from 'node:assert/strict';
import { configMap, names, NS, pod, rv, type Case } from '#test/integration/server-table.ts';
import type { Reply } from '#test/integration/support/server-subject.ts';

/** What is particular to pods, namespaces, services and other kinds: a part of the table of `server-table.ts`. */
export const kindCases: readonly Case[] = [
  {
    name: 'a pod is given its tolerations and its priority',
    async run({ admin }) {
      const { spec } = (await admin.post(
        `${NS}/pods`,
        pod('a', { spec: { priorityClassName: 'system-node-critical' } }),
      )) as Reply;
      assert.deepEqual(
        [spec.tolerations.length, spec.priority, spec.preemptionPolicy, spec.terminationGracePeriodSeconds],
        [2, 2_000_001_000, 'PreemptLowerPriority', 30],
      );
      const error = await admin.failure(admin.post(`${NS}/pods`, pod('b', { spec: { priorityClassName: 'nope' } })));
      assert.equal(error.message, 'pods "b" is forbidden: no PriorityClass with name nope was found');
    },
  },
  {
    name: 'binding gives a pod its node, once',
    async run({ admin }) {
      const made = await admin.post(`${NS}/pods`, pod('a'));
      const binding = (uid: string): object => ({
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'a', uid },
        target: { kind: 'Node', name: 'n1' },
      });
      assert.equal((await admin.failure(admin.post(`${NS}/pods/a/binding`, binding('other')))).reason, 'Conflict');
      assert.equal((await admin.post(`${NS}/pods/a/binding`, binding(made.metadata.uid)))['status'], 'Success');
      const bound = await admin.get(`${NS}/pods/a`);
      assert.deepEqual(
        [bound['spec'].nodeName, bound['status'].conditions[0].type, bound.metadata.generation],
        ['n1', 'PodScheduled', 1],
      );
      assert.equal(rv(bound), rv(made) + 1);
      const again = await admin.failure(admin.post(`${NS}/pods/a/binding`, binding(made.metadata.uid)));
      assert.match(again.message, /pod a is already assigned to node "n1"/);
    },
  },
  {
    name: 'ephemeral containers are added through a subresource of their own, and stay',
    async run({ admin }) {
      const made = await admin.post(`${NS}/pods`, pod('a'));
      const path = `${NS}/pods/a/ephemeralcontainers`;
      const debug = { name: 'debug', image: 'busybox', targetContainerName: 'c' };
      const spec = { priority: 7, ephemeralContainers: [debug] };
      const labels = { not: 'this way' };
      const added = await admin.patch(path, { metadata: { labels }, spec }, 'strategic-merge');
      const [shown] = added['spec'].ephemeralContainers;
      assert.deepEqual([shown.image, shown.imagePullPolicy, shown.targetContainerName], ['busybox', 'Always', 'c']);
      assert.deepEqual(
        [added.kind, added.metadata.generation, added['spec'].priority, added.metadata.labels],
        ['Pod', 2, 0, made.metadata.labels],
      );
      assert.deepEqual(await admin.get(path), added);
      const other = { spec: { ephemeralContainers: [{ ...debug, image: 'other' }] } };
      const changed = await admin.failure(admin.patch(path, other, 'strategic-merge'));
      assert.equal(changed.reason, 'Invalid');
      assert.match(changed.message, /existing ephemeral containers "debug" may not be changed/);
      const stranger = { spec: { ephemeralContainers: [{ ...debug, name: 'd2', targetContainerName: 'no' }] } };
      const lost = await admin.failure(admin.patch(path, stranger, 'strategic-merge'));
      assert.match(lost.message, /ephemeralContainers\[\d\]\.targetContainerName: Not found: "no"/);
      const main = await admin.failure(admin.patch(`${NS}/pods/a`, { spec: { ephemeralContainers: [] } }));
      assert.equal(main.reason, 'Invalid');
    },
  },
  {
    name: 'a pod that nobody runs goes at once, and so does one that has ended',
    async run({ admin }) {
      await admin.post(`${NS}/pods`, pod('unbound'));
      assert.equal((await admin.delete(`${NS}/pods/unbound`)).kind, 'Pod');
      assert.equal((await admin.failure(admin.get(`${NS}/pods/unbound`))).reason, 'NotFound');
      await admin.post(`${NS}/pods`, pod('ended', { spec: { nodeName: 'n1' } }));
      await admin.patch(`${NS}/pods/ended/status`, { status: { phase: 'Succeeded' } });
      await admin.delete(`${NS}/pods/ended`);
      assert.equal((await admin.failure(admin.get(`${NS}/pods/ended`))).reason, 'NotFound');
    },
  },
  {
    name: 'deleting a running pod stamps it; the grace only shortens; the kubelet ends it',
    async run({ admin }) {
      const made = await admin.post(`${NS}/pods`, pod('a', { spec: { nodeName: 'n1' } }));
      const first = await admin.delete(`${NS}/pods/a`);
      assert.deepEqual([first.metadata.deletionGracePeriodSeconds, first.metadata.generation], [30, 2]);
      const deadline = Date.parse(first.metadata.deletionTimestamp!);
      assert.equal(rv(await admin.delete(`${NS}/pods/a`)), rv(first));
      assert.equal(rv(await admin.delete(`${NS}/pods/a`, { gracePeriodSeconds: 60 })), rv(first));
      const shorter = await admin.delete(`${NS}/pods/a`, { gracePeriodSeconds: 5 });
      assert.deepEqual(
        [shorter.metadata.deletionGracePeriodSeconds, Date.parse(shorter.metadata.deletionTimestamp!)],
        [5, deadline - 25_000],
      );
      const last = (uid: string): object => ({ gracePeriodSeconds: 0, preconditions: { uid } });
      assert.match(
        (await admin.failure(admin.delete(`${NS}/pods/a`, last('other')))).message,
        /Precondition failed: UID in precondition: other/,
      );
      await admin.delete(`${NS}/pods/a`, last(made.metadata.uid));
      assert.equal((await admin.failure(admin.get(`${NS}/pods/a`))).reason, 'NotFound');
    },
  },
  {
    name: 'finalizers hold an object back, and it goes with the last of them',
    async run({ admin }) {
      const held = await admin.post(
        `${NS}/pods`,
        pod('a', { metadata: { finalizers: ['x.io/f'] }, spec: { nodeName: 'n1' } }),
      );
      await admin.delete(`${NS}/pods/a`, { gracePeriodSeconds: 0 });
      const ending = await admin.get(`${NS}/pods/a`);
      assert.equal(ending.metadata.deletionGracePeriodSeconds, 0);
      assert.equal(ending.metadata.uid, held.metadata.uid);
      const more = await admin.failure(admin.patch(`${NS}/pods/a`, { metadata: { finalizers: ['x.io/f', 'x.io/g'] } }));
      assert.match(more.message, /no new finalizers can be added if the object is being deleted/);
      await using watching = admin.watch(`${NS}/pods?resourceVersion=${ending.metadata.resourceVersion}`);
      await admin.patch(`${NS}/pods/a`, { metadata: { finalizers: [] } });
      assert.deepEqual(await watching.take(1), ['DELETED a']);
      assert.equal((await admin.failure(admin.get(`${NS}/pods/a`))).reason, 'NotFound');
    },
  },
  {
    name: 'a namespace ends once it is finalized; nothing new comes in before',
    async run({ admin }) {
      await admin.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } });
      assert.equal((await admin.delete('/api/v1/namespaces/x'))['status'].phase, 'Terminating');
      const refused = await admin.failure(admin.post('/api/v1/namespaces/x/configmaps', configMap('a')));
      assert.equal(
        refused.message,
        'configmaps "a" is forbidden: unable to create new content in namespace x because it is being terminated',
      );
      assert.equal(refused.details?.causes?.[0]?.reason, 'NamespaceTerminating');
      const ending = await admin.get('/api/v1/namespaces/x');
      await admin.put('/api/v1/namespaces/x/finalize', { ...ending, spec: { finalizers: [] } });
      assert.equal((await admin.failure(admin.get('/api/v1/namespaces/x'))).reason, 'NotFound');
    },
  },
  {
    name: 'events are one storage under two names',
    async run({ admin }) {
      const event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'e.1' },
        involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' },
        reason: 'Pulled',
        message: 'pulled it',
        source: { component: 'kubelet' },
        type: 'Normal',
        count: 2,
        firstTimestamp: '2026-01-31T09:00:00Z',
        lastTimestamp: '2026-01-31T09:00:00Z',
      };
      await admin.post(`${NS}/events`, event);
      const path = '/apis/events.k8s.io/v1/namespaces/default/events';
      const other = await admin.get(`${path}/e.1`);
      assert.deepEqual(
        [
          other.apiVersion,
          other['regarding'].name,
          other['note'],
          other['deprecatedCount'],
          other['deprecatedSource'].component,
        ],
        ['events.k8s.io/v1', 'a', 'pulled it', 2, 'kubelet'],
      );
      assert.deepEqual(names(await admin.get(`${NS}/events?fieldSelector=involvedObject.name%3Da`)), ['e.1']);
      assert.deepEqual(names(await admin.get(`${path}?fieldSelector=regarding.name%3Da`)), ['e.1']);
      await using watching = admin.watch(path);
      assert.deepEqual(await watching.take(1), ['ADDED e.1']);
      await admin.patch(`${path}/e.1`, { metadata: { labels: { x: '1' } } });
      assert.deepEqual((await admin.get(`${NS}/events/e.1`)).metadata.labels, { x: '1' });
    },
  },
  {
    name: 'a service gets an address nobody else has, and keeps it',
    async run({ admin }) {
      const service = (name: string, spec: object = {}): object => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { ports: [{ port: 80 }], ...spec },
      });
      const made = await Promise.all(['a', 'b', 'c'].map((name) => admin.post(`${NS}/services`, service(name))));
      const addresses = new Set(made.map((each) => each['spec'].clusterIP));
      assert.equal(addresses.size, 3);
      for (const address of addresses) assert.match(address, /^10\.96\.\d+\.\d+$/);
      const kept = await admin.put(`${NS}/services/a`, { ...service('a', { ports: [{ port: 81 }] }) });
      assert.equal(kept['spec'].clusterIP, made[0]?.['spec'].clusterIP);
      const taken = await admin.failure(admin.post(`${NS}/services`, service('d', { clusterIP: '10.96.0.1' })));
      assert.match(
        taken.message,
        /spec.clusterIPs: Invalid value: \["10.96.0.1"\]: failed to allocate IP 10.96.0.1: provided IP is already allocated/,
      );
      const nodePort = await admin.post(`${NS}/services`, service('e', { type: 'NodePort' }));
      assert.ok(nodePort['spec'].ports[0].nodePort >= 30_000);
      assert.equal((await admin.post(`${NS}/services`, service('f', { clusterIP: 'None' })))['spec'].clusterIP, 'None');
    },
  },
  {
    name: 'secrets take text, config maps may be made immutable',
    async run({ admin }) {
      const secret = await admin.post(`${NS}/secrets`, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        stringData: { a: 'b' },
      });
      assert.deepEqual([secret['data'], secret['stringData'], secret['type']], [{ a: 'Yg==' }, undefined, 'Opaque']);
      await admin.post(`${NS}/configmaps`, { ...configMap('i', { a: '1' }), immutable: true });
      const error = await admin.failure(admin.patch(`${NS}/configmaps/i`, { data: { a: '2' } }));
      assert.match(error.message, /data: Forbidden: field is immutable when `immutable` is set/);
    },
  },
  {
    name: 'a volume is told since when it is in its phase; its spec and its status are written apart',
    async run({ admin }) {
      const volume = {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'v' },
        spec: { capacity: { storage: '1024Mi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/v' } },
        status: { phase: 'Bound' },
      };
      const made = await admin.post('/api/v1/persistentvolumes', volume);
      assert.deepEqual(
        [made['spec'].capacity, made['status'].phase, made.metadata['finalizers']],
        [{ storage: '1Gi' }, 'Pending', ['kubernetes.io/pv-protection']],
      );
      assert.ok(made['status'].lastPhaseTransitionTime);
      const path = '/api/v1/persistentvolumes/v';
      const said = { phase: 'Available', lastPhaseTransitionTime: '2020-01-01T00:00:00Z' };
      const body = { spec: { hostPath: { path: '/other' } }, status: said };
      const moved = await admin.patch(`${path}/status`, body, 'merge');
      assert.deepEqual([moved['spec'].hostPath.path, moved['status']], ['/v', said]);
      const bound = await admin.patch(`${path}/status`, { status: { phase: 'Bound' } }, 'merge');
      assert.notEqual(bound['status'].lastPhaseTransitionTime, said.lastPhaseTransitionTime);
      const elsewhere = await admin.failure(admin.patch(path, { spec: { hostPath: { path: '/other' } } }));
      assert.match(elsewhere.message, /spec.persistentvolumesource is immutable after creation/);
      assert.equal((await admin.delete(path)).kind, 'PersistentVolume');
      const kept = await admin.get(path);
      assert.ok(kept.metadata['deletionTimestamp']);
      await admin.patch(path, { metadata: { finalizers: null } }, 'merge');
      assert.equal((await admin.failure(admin.get(path))).reason, 'NotFound');
    },
  },
  {
    name: 'a claim gets the default class, and says twice where it comes from',
    async run({ admin }) {
      const classOf = (name: string, isDefault: boolean): object => ({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': `${isDefault}` } },
        provisioner: 'example.com/disk',
      });
      const claim = (name: string, spec: object): object => ({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
      });
      const classes = '/apis/storage.k8s.io/v1/storageclasses';
      for (const [name, isDefault] of [
        ['plain', false],
        ['usual', true],
      ] as const)
        await admin.post(classes, classOf(name, isDefault));
      const dataSource = { kind: 'PersistentVolumeClaim', name: 'other' };
      const made = await admin.post(`${NS}/persistentvolumeclaims`, claim('c', { dataSource }));
      assert.deepEqual(
        [made['spec'].storageClassName, made['spec'].dataSourceRef, made['status']],
        ['usual', dataSource, { phase: 'Pending' }],
      );
      const none = await admin.post(`${NS}/persistentvolumeclaims`, claim('d', { storageClassName: '' }));
      assert.equal(none['spec'].storageClassName, '');
      for (const name of ['c', 'd']) {
        const path = `${NS}/persistentvolumeclaims/${name}`;
        await admin.patch(path, { metadata: { finalizers: null } }, 'merge');
        await admin.delete(path);
      }
      for (const name of ['plain', 'usual']) await admin.delete(`${classes}/${name}`);
    },
  },
  {
    name: 'kinds of which there are none are told of, and not taken',
    async run({ admin }) {
      assert.deepEqual((await admin.get('/apis/resource.k8s.io/v1/resourceslices'))['items'], []);
      const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 's' }, spec: {} };
      const refused = await admin.failure(admin.post('/apis/apps/v1/namespaces/default/replicasets', set));
      assert.equal(refused.reason, 'MethodNotAllowed');
    },
  },
];
