import assert from 'node:assert/strict';
import { names, NS, pod, rv, type Case } from '#test/integration/server-table.ts';
import type { Reply, Talk } from '#test/integration/support/server-subject.ts';

/** Disruption budgets and evictions, as far as the API server goes: a part of the table of `server-table.ts`. */

const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

const budget = (name: string, spec: object = {}): object => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, labels: { of: 'test' } },
  spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } }, ...spec },
});

const eviction = (name: string, deleteOptions?: object, version = 'v1'): object => ({
  apiVersion: `policy/${version}`,
  kind: 'Eviction',
  metadata: { name, namespace: 'default' },
  ...(deleteOptions === undefined ? {} : { deleteOptions }),
});

const evict = (talk: Talk, name: string, deleteOptions?: object): Promise<Reply> =>
  talk.post(`${NS}/pods/${name}/eviction`, eviction(name, deleteOptions));

/** A pod on a node that runs there, with a finalizer so that it is still there to be looked at. */
async function runs(talk: Talk, name: string, ready = true): Promise<Reply> {
  const finalizers = ['test/stay'];
  await talk.post(
    `${NS}/pods`,
    pod(name, { metadata: { labels: { app: 'web' }, finalizers }, spec: { nodeName: 'n1' } }),
  );
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  return talk.patch(`${NS}/pods/${name}/status`, { status: { phase: 'Running', conditions } });
}

/** What the controller would write to the budget `b`. */
const says = (talk: Talk, disruptionsAllowed: number, currentHealthy: number, desiredHealthy = 1): Promise<Reply> =>
  talk.patch(`${BUDGETS}/b/status`, {
    status: { observedGeneration: 1, disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods: 3 },
  });

const target = (object: Reply): Reply | undefined =>
  object['status'].conditions.find(({ type }: { type: string }) => type === 'DisruptionTarget') as Reply | undefined;

const violates = "Cannot evict pod as it would violate the pod's disruption budget.";

export const evictionCases: readonly Case[] = [
  {
    // [sig-apps] DisruptionController should create a PodDisruptionBudget
    // [sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets
    name: 'a disruption budget is made, changed, listed everywhere and deleted',
    async run({ admin }) {
      const made = await admin.post(BUDGETS, { ...budget('b'), status: { disruptionsAllowed: 9 } });
      const none = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
      assert.deepEqual([made.metadata.generation, made['status']], [1, none]);
      const put = await admin.put(`${BUDGETS}/b`, { ...made, spec: { ...made['spec'], minAvailable: '10%' } });
      assert.deepEqual([put.metadata.generation, put['spec'].minAvailable], [2, '10%']);
      const patched = await admin.patch(`${BUDGETS}/b`, { spec: { minAvailable: null, maxUnavailable: 2 } });
      assert.deepEqual(patched['spec'], { maxUnavailable: 2, selector: { matchLabels: { app: 'web' } } });
      const { resourceVersion: _, ...metadata } = made.metadata;
      const blind = await admin.failure(admin.put(`${BUDGETS}/b`, { ...made, metadata }));
      assert.match(blind.message, /metadata.resourceVersion: Invalid value: .*must be specified for an update/);
      const both = await admin.failure(admin.patch(`${BUDGETS}/b`, { spec: { minAvailable: 1 } }));
      assert.match(both.message, /minAvailable and maxUnavailable cannot be both set/);
      // Whoever names a list replaces it: selectors do not add up.
      const selected = await admin.patch(
        `${BUDGETS}/b`,
        { spec: { selector: { matchLabels: { a: 'b' } } } },
        'strategic-merge',
      );
      assert.deepEqual(selected['spec'].selector, { matchLabels: { a: 'b' } });
      await admin.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
      await admin.post(BUDGETS.replace('default', 'other'), budget('c'));
      assert.deepEqual(names(await admin.get('/apis/policy/v1/poddisruptionbudgets?labelSelector=of=test')), [
        'b',
        'c',
      ]);
      await admin.delete(`${BUDGETS}?labelSelector=of=test`);
      assert.deepEqual(names(await admin.get('/apis/policy/v1/poddisruptionbudgets')), ['c']);
    },
  },
  {
    // [sig-apps] DisruptionController should update/patch PodDisruptionBudget status
    name: "a disruption budget's status is written through its own path",
    async run({ admin }) {
      const made = await admin.post(BUDGETS, budget('b'));
      const disruptedPods = { a: '2026-01-31T09:00:00Z' };
      const status = { ...made['status'], disruptedPods, disruptionsAllowed: 1 };
      const put = await admin.put(`${BUDGETS}/b/status`, { ...made, spec: {}, status });
      assert.deepEqual([put['status'], put['spec'], put.metadata.generation], [status, made['spec'], 1]);
      const patched = await admin.patch(`${BUDGETS}/b/status`, { status: { disruptedPods: { a: null } } });
      assert.equal(patched['status'].disruptedPods?.a, undefined);
      const wrong = await admin.failure(admin.patch(`${BUDGETS}/b/status`, { status: { currentHealthy: -1 } }));
      assert.match(wrong.message, /status.currentHealthy: Invalid value: -1: must be greater than or equal to 0/);
    },
  },
  {
    name: 'discovery tells both kubectls of evictions',
    async run({ admin }) {
      const core = await admin.get('/api/v1');
      assert.deepEqual(
        core['resources'].find(({ name }: Reply) => name === 'pods/eviction'),
        {
          name: 'pods/eviction',
          singularName: '',
          namespaced: true,
          group: 'policy',
          version: 'v1',
          kind: 'Eviction',
          verbs: ['create'],
        },
      );
      const policy = await admin.get('/apis/policy');
      assert.equal(policy['preferredVersion'].groupVersion, 'policy/v1');
      const [budgets, status] = (await admin.get('/apis/policy/v1'))['resources'] as readonly Reply[];
      assert.deepEqual([budgets?.['shortNames'], status?.['name']], [['pdb'], 'poddisruptionbudgets/status']);
    },
  },
  {
    name: 'without a budget an eviction is a deletion that says what it was',
    async run({ admin }) {
      const before = await runs(admin, 'a');
      const answer = await evict(admin, 'a', { gracePeriodSeconds: 7 });
      assert.deepEqual([answer.kind, answer['status']], ['Status', 'Success']);
      const after = await admin.get(`${NS}/pods/a`);
      assert.deepEqual(
        [
          after.metadata.deletionGracePeriodSeconds,
          target(after)?.['status'],
          target(after)?.['reason'],
          target(after)?.['message'],
        ],
        [7, 'True', 'EvictionByEvictionAPI', 'Eviction API: evicting'],
      );
      assert.equal(target(after)?.['observedGeneration'], before.metadata.generation);
      // What policy/v1beta1 says is the same.
      await runs(admin, 'old');
      await admin.post(`${NS}/pods/old/eviction`, eviction('old', undefined, 'v1beta1'));
      assert.ok((await admin.get(`${NS}/pods/old`)).metadata.deletionTimestamp);
    },
  },
  {
    name: 'evictions that make no sense are refused',
    async run({ admin }) {
      await runs(admin, 'a');
      const name = await admin.failure(admin.post(`${NS}/pods/a/eviction`, eviction('b')));
      assert.deepEqual([name.code, name.message], [400, 'name in URL does not match name in Eviction object']);
      const elsewhere = { ...eviction('a'), metadata: { name: 'a', namespace: 'kube-system' } };
      assert.equal((await admin.failure(admin.post(`${NS}/pods/a/eviction`, elsewhere))).code, 400);
      const missing = await admin.failure(evict(admin, 'gone'));
      assert.deepEqual([missing.code, missing.message], [404, 'pods "gone" not found']);
      const other = await admin.failure(evict(admin, 'a', { preconditions: { uid: 'other' } }));
      assert.equal(other.reason, 'Conflict');
      const stale = await admin.failure(evict(admin, 'a', { preconditions: { resourceVersion: '1' } }));
      assert.equal(stale.reason, 'Conflict');
      assert.equal(target(await admin.get(`${NS}/pods/a`)), undefined, 'who stays is not marked');
      assert.equal((await admin.failure(admin.get(`${NS}/pods/a/eviction`))).code, 405);
      // Its own mark does not break the condition that it is still that version.
      const { metadata } = await admin.get(`${NS}/pods/a`);
      await evict(admin, 'a', { preconditions: { resourceVersion: metadata.resourceVersion, uid: metadata.uid } });
    },
  },
  {
    // [sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it
    name: 'a budget is asked, spent, and asked again',
    async run({ admin }) {
      await admin.post(BUDGETS, budget('b'));
      for (const name of ['a', 'b', 'c']) await runs(admin, name);
      const early = await admin.failure(evict(admin, 'a'));
      assert.deepEqual([early.code, early.reason, early.message], [429, 'TooManyRequests', violates]);
      assert.deepEqual(early.details, {
        causes: [
          { reason: 'DisruptionBudget', message: 'The disruption budget b is still being processed by the server.' },
        ],
        retryAfterSeconds: 10,
      });
      await says(admin, 1, 2);
      await evict(admin, 'a');
      const { status } = (await admin.get(`${BUDGETS}/b`)) as Reply;
      assert.deepEqual([status.disruptionsAllowed, Object.keys(status.disruptedPods)], [0, ['a']]);
      assert.equal(status.conditions[0].reason, 'InsufficientPods');
      const late = await admin.failure(evict(admin, 'b'));
      assert.deepEqual(late.details, {
        causes: [
          { reason: 'DisruptionBudget', message: 'The disruption budget b does not allow evicting pods currently' },
        ],
      });
      assert.equal((await admin.get(`${NS}/pods/b`)).metadata.deletionTimestamp, undefined);
      // Who is going already, and who has changed its mind about the budget.
      await evict(admin, 'a');
      await admin.patch(`${BUDGETS}/b`, { spec: { minAvailable: 0 } });
      assert.match((await admin.failure(evict(admin, 'b'))).details!.causes![0]!.message, /still being processed/);
      await admin.patch(`${BUDGETS}/b/status`, { status: { observedGeneration: 2, disruptionsAllowed: 1 } });
      await evict(admin, 'b');
    },
  },
  {
    name: 'of many evictions at a time as many succeed as are allowed',
    async run({ admin }) {
      await admin.post(BUDGETS, budget('b', { selector: {} }));
      const all = Array.from({ length: 12 }, (_, n) => `p${n}`);
      for (const name of all) await runs(admin, name);
      await says(admin, 5, 12);
      const results = await Promise.allSettled(all.map((name) => evict(admin, name)));
      const gone = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [all[n]!] : []));
      assert.equal(gone.length, 5);
      const { status } = (await admin.get(`${BUDGETS}/b`)) as Reply;
      assert.deepEqual(Object.keys(status.disruptedPods).sort(), gone.toSorted());
      const ending = (await admin.get(`${NS}/pods`))['items'].filter((each: Reply) => each.metadata.deletionTimestamp);
      assert.deepEqual(ending.map((each: Reply) => each.metadata.name).sort(), gone.toSorted());
    },
  },
  {
    name: 'no budget is asked for who has not begun, has ended or is ending; a dry run spends nothing',
    async run({ admin }) {
      await admin.post(BUDGETS, budget('b', { selector: {} }));
      await admin.post(`${NS}/pods`, pod('waits'));
      await evict(admin, 'waits');
      assert.equal((await admin.failure(admin.get(`${NS}/pods/waits`))).code, 404);
      await runs(admin, 'ended');
      await admin.patch(`${NS}/pods/ended/status`, { status: { phase: 'Failed' } });
      await evict(admin, 'ended');
      await runs(admin, 'a');
      const version = rv(await admin.get(`${NS}/pods/a`));
      assert.equal((await admin.failure(evict(admin, 'a', { dryRun: ['All'] }))).code, 429);
      await says(admin, 1, 1);
      await evict(admin, 'a', { dryRun: ['All'] });
      await admin.post(`${NS}/pods/a/eviction?dryRun=All`, eviction('a'));
      assert.equal((await admin.get(`${BUDGETS}/b`))['status'].disruptionsAllowed, 1);
      assert.equal(rv(await admin.get(`${NS}/pods/a`)), version);
    },
  },
  {
    name: 'who is not ready goes without being counted, if the budget can do without',
    async run({ admin }) {
      await admin.post(BUDGETS, budget('b'));
      await runs(admin, 'a', false);
      await runs(admin, 'b', false);
      await says(admin, 0, 1, 2);
      const needs = 'The disruption budget b needs 2 healthy pods and has 1 currently';
      assert.equal((await admin.failure(evict(admin, 'a'))).details?.causes?.[0]?.message, needs);
      await says(admin, 0, 2, 2);
      await evict(admin, 'a');
      await says(admin, 0, 0, 2);
      assert.equal((await admin.failure(evict(admin, 'b'))).code, 429);
      await admin.patch(`${BUDGETS}/b`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } });
      await evict(admin, 'b');
      assert.equal((await admin.get(`${BUDGETS}/b`))['status'].disruptedPods, undefined);
    },
  },
  {
    name: 'two budgets for one pod are one too many; no selector is for nobody',
    async run({ admin }) {
      await admin.post(BUDGETS, budget('one'));
      await admin.post(BUDGETS, budget('two'));
      await runs(admin, 'a');
      const error = await admin.failure(evict(admin, 'a'));
      const why = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
      assert.deepEqual([error.code, error.message], [500, why]);
      await admin.delete(`${BUDGETS}/one`);
      await admin.patch(`${BUDGETS}/two`, { spec: { selector: null } });
      await evict(admin, 'a');
    },
  },
  {
    name: 'a node evicts its own pods, and a timeline says that it was an eviction',
    async run({ admin, as }) {
      const node = await as('system:node:n1', ['system:nodes']);
      const other = await as('system:node:n2', ['system:nodes']);
      await admin.post(BUDGETS, budget('b'));
      await runs(admin, 'a');
      await says(admin, 1, 1);
      const refused = await other.failure(evict(other, 'a'));
      assert.match(refused.message, /node "n2" can only evict pods with spec.nodeName set to itself/);
      const stale = await node.failure(evict(node, 'a', { preconditions: { resourceVersion: '1' } }));
      assert.equal(stale.reason, 'Conflict');
      assert.equal(
        (await admin.get(`${BUDGETS}/b`))['status'].disruptionsAllowed,
        1,
        'refused, and spent for all that',
      );
      await evict(node, 'a', { gracePeriodSeconds: 3 });
      const nobody = await as('jane');
      assert.equal((await nobody.failure(evict(nobody, 'a'))).code, 403);
      const { entries } = await admin.get('/apis/peapod.dev/v1alpha1/namespaces/default/podtimelines/a');
      const { by, evicted, graceSeconds } = entries.find(({ type }: Reply) => type === 'DeletionAsked');
      assert.deepEqual([by.user, evicted, graceSeconds], ['system:node:n1', true, 3]);
    },
  },
];
