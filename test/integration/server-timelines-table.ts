import assert from 'node:assert/strict';
import type { ListMeta } from '#api/meta.ts';
import { type Case, NS, pod } from '#test/integration/server-table.ts';
import type { Reply, Subject, Talk } from '#test/integration/support/server-subject.ts';

const GROUP = '/apis/peapod.dev/v1alpha1';
const timelinePath = (name: string): string => `${GROUP}/namespaces/default/podtimelines/${name}`;
const types = (timeline: Reply): string[] => timeline['entries'].map(({ type }: { type: string }) => type);
const node1 = (subject: Subject): Promise<Talk> => subject.as('system:node:node1', ['system:nodes']);
const scheduler = (subject: Subject): Promise<Talk> => subject.as('system:kube-scheduler');

const bind = (admin: Talk, name: string, node = 'node1'): Promise<Reply> =>
  admin.post(`${NS}/pods/${name}/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name },
    target: { kind: 'Node', name: node },
  });

const time = (): string => new Date().toISOString();
function tell(who: Talk, made: Reply, ...entries: readonly object[]): Promise<Reply> {
  const { name, namespace, uid } = made.metadata;
  return who.post(`${timelinePath(name)}/entries`, {
    apiVersion: 'peapod.dev/v1alpha1',
    kind: 'PodTimelineEntries',
    metadata: { name, namespace, uid },
    entries,
  });
}

const pageOf = ({ metadata }: Reply): ListMeta => metadata;

/** The timelines of pods: who may add what, and what is told to whom. */
export const timelineCases: readonly Case[] = [
  {
    name: 'a timeline says who made, bound, changed and deleted a pod, and costs no revision',
    async run({ admin }) {
      const made = await admin.post(`${NS}/pods`, pod('web'));
      const bound = await bind(admin, 'web');
      assert.equal(bound['status'], 'Success');
      const image = { spec: { containers: [{ name: 'c', image: 'busybox:2' }] } };
      const changed = await admin.patch(
        `${NS}/pods/web`,
        { ...image, metadata: { labels: { 'a.b/c': 'd' } } },
        'strategic-merge',
      );
      await admin.patch(`${NS}/pods/web/status`, { status: { phase: 'Running' } });
      const asked = await admin.delete(`${NS}/pods/web`, { gracePeriodSeconds: 7 });
      await admin.delete(`${NS}/pods/web`, { gracePeriodSeconds: 0 });
      const timeline = await admin.get(timelinePath('web'));
      assert.deepEqual(types(timeline), ['Created', 'Bound', 'Changed', 'DeletionAsked', 'Gone']);
      const [created, onNode, change, deletion] = timeline['entries'];
      assert.deepEqual([created.by.user, created.source], ['admin', { component: 'apiserver' }]);
      assert.match(created.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(onNode.node, 'node1');
      assert.deepEqual(change.fields, ['metadata.labels[a.b/c]', 'spec.containers[c].image']);
      assert.equal(deletion.graceSeconds, 7);
      assert.equal(timeline['pod'], 'gone');
      assert.match(timeline['status'].sentence, /^web is gone: admin deleted it a moment ago$/);
      assert.equal(timeline.metadata.uid, made.metadata.uid);
      assert.equal(timeline.metadata.creationTimestamp, made.metadata.creationTimestamp);
      // Creating, binding, changing, its status, asking: five revisions in all.
      assert.equal(Number(asked.metadata.resourceVersion) - Number(changed.metadata.resourceVersion), 2);
      assert.equal(Number(changed.metadata.resourceVersion) - Number(made.metadata.resourceVersion), 2);
    },
  },
  {
    name: 'what is refused or only tried leaves nothing in a timeline',
    async run({ admin }) {
      await admin.post(`${NS}/pods?dryRun=All`, pod('dry'));
      assert.equal((await admin.failure(admin.get(timelinePath('dry')))).reason, 'NotFound');
      await admin.post(`${NS}/pods`, pod('web'));
      await admin.patch(`${NS}/pods/web?dryRun=All`, { metadata: { labels: { a: 'b' } } });
      await admin.delete(`${NS}/pods/web?dryRun=All`);
      await admin.failure(admin.patch(`${NS}/pods/web`, { spec: { nodeName: 'x' } }));
      await admin.patch(`${NS}/pods/web`, {});
      const timeline = await admin.get(timelinePath('web'));
      assert.deepEqual([types(timeline), timeline['pod']], [['Created'], 'present']);
      const waits = { ready: false, sentence: 'web waits to be looked at by the scheduler', help: '' };
      assert.deepEqual(timeline['status'], waits);
      assert.equal((await admin.failure(admin.get(timelinePath('nobody')))).code, 404);
    },
  },
  {
    name: 'scheduler and kubelet tell of a pod; what they say stands in its time and under their name',
    async run(subject) {
      const { admin } = subject;
      const made = await admin.post(`${NS}/pods`, pod('web'));
      await bind(admin, 'web');
      const refusals = [{ reason: 'Insufficient cpu', nodes: 1, more: 'unknown' }];
      const answer = await tell(await scheduler(subject), made, {
        time: '2001-01-01T00:00:00.5Z',
        type: 'SchedulingAttempt',
        attempt: 1,
        revisions: { pods: '7' },
        nodes: 2,
        feasible: 1,
        refusals,
        result: 'Placed',
        best: [{ node: 'node1' }],
      });
      assert.equal(answer['status'], 'Success');
      await tell(await node1(subject), made, {
        time: time(),
        type: 'MountFailed',
        message: 'x'.repeat(5000),
        of: 'kubelet',
      });
      const { entries } = await admin.get(timelinePath('web'));
      assert.deepEqual(entries[0], {
        time: '2001-01-01T00:00:00.500Z',
        source: { component: 'scheduler' },
        type: 'SchedulingAttempt',
        attempt: 1,
        revisions: { pods: '7' },
        nodes: 2,
        feasible: 1,
        refusals: [{ reason: 'Insufficient cpu', nodes: 1 }],
        result: 'Placed',
        best: [{ node: 'node1' }],
      });
      const last = entries.at(-1);
      assert.deepEqual([last.source, last.message.length], [{ component: 'kubelet', node: 'node1' }, 1024]);
      assert.deepEqual(Object.keys(last), ['time', 'source', 'type', 'message']);
    },
  },
  {
    name: 'a node tells of its own pods only, also of those that are gone; others tell of none',
    async run(subject) {
      const { admin } = subject;
      const mine = await admin.post(`${NS}/pods`, pod('mine'));
      const unbound = await admin.post(`${NS}/pods`, pod('unbound'));
      await bind(admin, 'mine');
      const said = { time: time(), type: 'Admitted' };
      const node = await node1(subject);
      const other = await subject.as('system:node:node2', ['system:nodes']);
      await tell(node, mine, said);
      assert.equal((await other.failure(tell(other, mine, said))).reason, 'Forbidden');
      assert.equal((await node.failure(tell(node, unbound, said))).reason, 'Forbidden');
      assert.equal((await admin.failure(tell(admin, mine, said))).reason, 'Forbidden');
      const somebody = await subject.as('somebody');
      assert.equal((await somebody.failure(tell(somebody, mine, said))).reason, 'Forbidden');
      assert.equal((await somebody.failure(somebody.get(timelinePath('mine')))).reason, 'Forbidden');
      await admin.delete(`${NS}/pods/mine`, { gracePeriodSeconds: 0 });
      await tell(node, mine, said);
      assert.equal((await other.failure(tell(other, mine, said))).reason, 'Forbidden');
      const stranger = { metadata: { ...mine.metadata, uid: 'nobody' } } as unknown as Reply;
      assert.equal((await node.failure(tell(node, stranger, said))).reason, 'NotFound');
      const told = types(await admin.get(timelinePath('mine'))).toSorted();
      assert.deepEqual(told, ['Admitted', 'Admitted', 'Bound', 'Created', 'DeletionAsked', 'Gone']);
    },
  },
  {
    name: 'what is no entry, or not for this component to tell, is refused with what is wrong',
    async run(subject) {
      const { admin } = subject;
      const made = await admin.post(`${NS}/pods`, pod('web'));
      await bind(admin, 'web');
      const node = await node1(subject);
      const refusals: readonly (readonly [object, RegExp])[] = [
        [
          { time: time(), type: 'Created', by: { user: 'x' } },
          /entries\[1\].type: Created is not for a kubelet to tell/,
        ],
        [{ time: time(), type: 'Dropped', count: 1, until: time() }, /not for a kubelet/],
        [{ time: time(), type: 'Sunshine' }, /unknown entry type "Sunshine"/],
        [{ time: time(), type: 'toString' }, /unknown entry type/],
        [{ time: 'noon', type: 'Admitted' }, /entries\[1\].time: must be a time/],
        [{ time: time(), type: 'MountFailed' }, /entries\[1\].message: must be a string/],
        [
          { time: time(), type: 'BackOff', container: 'c', reason: 'Tired', until: time() },
          /must be one of CrashLoopBackOff/,
        ],
      ];
      for (const [entry, message] of refusals) {
        const error = await node.failure(tell(node, made, { time: time(), type: 'Admitted' }, entry));
        assert.deepEqual([error.code, message.test(error.message)], [400, true], error.message);
      }
      const many = Array.from({ length: 257 }, () => ({ time: time(), type: 'Admitted' }));
      assert.match((await node.failure(tell(node, made, ...many))).message, /at most 256/);
      assert.deepEqual(types(await admin.get(timelinePath('web'))), ['Created', 'Bound']);
    },
  },
  {
    name: 'each pod of a name has its own timeline; the newest is shown, others by their UID',
    async run({ admin }) {
      const first = await admin.post(`${NS}/pods`, pod('web'));
      await admin.delete(`${NS}/pods/web`);
      assert.equal((await admin.get(timelinePath('web'))).metadata.uid, first.metadata.uid);
      const second = await admin.post(`${NS}/pods`, pod('web'));
      await admin.post(`${NS}/pods`, pod('webster'));
      const now = await admin.get(timelinePath('web'));
      assert.deepEqual([now.metadata.uid, types(now), now['pod']], [second.metadata.uid, ['Created'], 'present']);
      const old = await admin.get(`${timelinePath('web')}?uid=${first.metadata.uid}`);
      assert.deepEqual(
        [old.metadata.uid, types(old), old['pod']],
        [first.metadata.uid, ['Created', 'DeletionAsked', 'Gone'], 'gone'],
      );
      assert.equal((await admin.failure(admin.get(`${timelinePath('web')}?uid=other`))).reason, 'NotFound');
    },
  },
  {
    name: 'timelines are listed, by namespace, field and page',
    async run({ admin }) {
      for (const name of ['b', 'a', 'c']) await admin.post(`${NS}/pods`, pod(name));
      await admin.post('/api/v1/namespaces/kube-system/pods', pod('dns'));
      await admin.delete(`${NS}/pods/a`);
      const list = async (query: string, namespace = '/namespaces/default'): Promise<Reply> =>
        admin.get(`${GROUP}${namespace}/podtimelines${query}`);
      const names = (found: Reply): string[] => found['items'].map((item: Reply) => item.metadata.name);
      const all = await list('');
      assert.deepEqual([all.kind, names(all)], ['PodTimelineList', ['a', 'b', 'c']]);
      assert.deepEqual(types(all['items'][0]), ['Created', 'DeletionAsked', 'Gone']);
      assert.deepEqual(names(await list('', '')), ['a', 'b', 'c', 'dns']);
      assert.deepEqual(names(await list('?fieldSelector=pod%3Dgone')), ['a']);
      assert.deepEqual(names(await list('?fieldSelector=metadata.name%3Dc')), ['c']);
      const page = await list('?limit=2');
      assert.deepEqual([names(page), pageOf(page).remainingItemCount], [['a', 'b'], 1]);
      const rest = await list(`?limit=2&continue=${pageOf(page).continue}`);
      assert.deepEqual([names(rest), pageOf(rest).continue], [['c'], undefined]);
    },
  },
  {
    name: 'timelines are in discovery and cannot be written or watched as objects',
    async run({ admin }) {
      const groups = await admin.get('/apis');
      assert.ok(groups['groups'].some(({ name }: { name: string }) => name === 'peapod.dev'));
      const { resources } = await admin.get(GROUP);
      assert.deepEqual(
        resources.map(({ name, verbs }: Reply) => [name, verbs]),
        [
          ['podtimelines', ['get', 'list']],
          ['podtimelines/entries', ['create']],
        ],
      );
      const document = await admin.get('/openapi/v3/apis/peapod.dev/v1alpha1');
      assert.ok(Object.keys(document['paths']).some((path) => path.endsWith('/podtimelines/{name}')));
      await admin.post(`${NS}/pods`, pod('web'));
      assert.equal((await admin.failure(admin.delete(timelinePath('web')))).reason, 'MethodNotAllowed');
      assert.equal((await admin.failure(admin.patch(timelinePath('web'), {}))).reason, 'MethodNotAllowed');
      assert.equal((await admin.failure(admin.get(`${GROUP}/podtimelines?watch=true`))).reason, 'MethodNotAllowed');
      assert.equal((await admin.failure(admin.get(`${timelinePath('web')}/entries`))).reason, 'MethodNotAllowed');
      assert.equal((await admin.failure(admin.get(`${timelinePath('web')}/other`))).reason, 'NotFound');
    },
  },
];
