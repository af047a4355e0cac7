import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Pod } from '#api/generated/core-v1.ts';
import { eventResource } from '#client/resources.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
const ready = (pod: Pod | undefined): string | undefined =>
  pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
const script = (answers: Readonly<Record<string, string>>, container = 'main') => ({
  annotations: { [`simulated.peapod.dev/${container}.answers`]: JSON.stringify(answers) },
});
const events = async (cluster: SmallCluster): Promise<readonly string[]> =>
  (await cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal)).items.map(
    ({ reason, message }) => `${reason} ${message}`,
  );
const every = { periodSeconds: 1, failureThreshold: 2, successThreshold: 1, timeoutSeconds: 1 };
const http = (path: string, more = {}) => ({ httpGet: { port: 8080, path }, ...every, ...more });

test('probes: readiness decides whether a running container is ready, and nothing else', async () => {
  await using cluster = await SmallCluster.start();
  const answers = script({ 'http:8080/ready': 'fail 3000:ok 10000:fail' });
  await cluster.run('web', { containers: [{ name: 'main', image: 'x', readinessProbe: http('/ready') }] }, answers);
  await cluster.settled();
  assert.equal(main(await cluster.pod('web'))?.ready, false);
  assert.equal(main(await cluster.pod('web'))?.started, true);
  await cluster.advance(4000);
  assert.equal(ready(await cluster.pod('web')), 'True');
  await cluster.advance(8000);
  const pod = await cluster.pod('web');
  assert.equal(ready(pod), 'False');
  assert.equal(pod?.status?.phase, 'Running');
  assert.equal(main(pod)?.restartCount, 0);
  const told = await events(cluster);
  assert.ok(told.includes('Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503'), told.join('\n'));
  assert.deepEqual(cluster.troubles, []);
});

test('probes: a failed liveness restarts the container, with the events people look for', async () => {
  await using cluster = await SmallCluster.start();
  const answers = script({ 'tcp:5432': 'ok 3000:fail' });
  const livenessProbe = { tcpSocket: { port: 'db' }, ...every };
  const ports = [{ name: 'db', containerPort: 5432 }];
  await cluster.run('db', { containers: [{ name: 'main', image: 'x', ports, livenessProbe }] }, answers);
  await cluster.advance(3000);
  assert.equal(main(await cluster.pod('db'))?.restartCount, 0);
  await cluster.advance(2000);
  assert.equal(main(await cluster.pod('db'))?.restartCount, 1);
  const told = await events(cluster);
  assert.ok(told.includes('Unhealthy Liveness probe failed: tcp probe failed'), told.join('\n'));
  assert.ok(told.includes('Killing Container main failed liveness probe, will be restarted'), told.join('\n'));
});

test('probes: the grace period of the probe goes before that of the pod', async () => {
  await using cluster = await SmallCluster.start();
  const metadata = script({ 'exec:check me': 'fail' });
  const annotations = { ...metadata.annotations, 'simulated.peapod.dev/main.stop-after': 'never' };
  const livenessProbe = { exec: { command: ['check', 'me'] }, ...every, terminationGracePeriodSeconds: 3 };
  await cluster.run(
    'stubborn',
    { terminationGracePeriodSeconds: 500, containers: [{ name: 'main', image: 'x', livenessProbe }] },
    { annotations },
  );
  await cluster.advance(3000);
  assert.equal(main(await cluster.pod('stubborn'))?.restartCount, 0);
  await cluster.advance(3000);
  assert.equal(main(await cluster.pod('stubborn'))?.restartCount, 1);
});

test('probes: startup holds the others back, and a sidecar lets others begin once it has started', async () => {
  await using cluster = await SmallCluster.start();
  const answers = script({ 'http:8080/started': 'fail 5000:ok', 'http:8080/live': 'fail 6000:ok' }, 'side');
  await cluster.run(
    'web',
    {
      initContainers: [
        {
          name: 'side',
          image: 'x',
          restartPolicy: 'Always',
          startupProbe: http('/started', { failureThreshold: 10 }),
          livenessProbe: http('/live'),
        },
      ],
      containers: [{ name: 'main', image: 'x' }],
    },
    answers,
  );
  await cluster.advance(4500);
  const before = await cluster.pod('web');
  assert.equal(before?.status?.initContainerStatuses?.[0]?.started, false);
  assert.equal(main(before)?.state?.waiting?.reason, 'PodInitializing');
  await cluster.advance(5000);
  const after = await cluster.pod('web');
  assert.equal(after?.status?.initContainerStatuses?.[0]?.started, true);
  assert.equal(after?.status?.initContainerStatuses?.[0]?.restartCount, 0);
  assert.equal(ready(after), 'True');
});

test('probes: a startup that never succeeds restarts the container', async () => {
  await using cluster = await SmallCluster.start();
  const answers = script({ 'grpc:9090/': 'fail' });
  const startupProbe = { grpc: { port: 9090 }, ...every };
  await cluster.run('slow', { containers: [{ name: 'main', image: 'x', startupProbe }] }, answers);
  await cluster.advance(1500);
  assert.equal(main(await cluster.pod('slow'))?.restartCount, 1);
  assert.ok((await events(cluster)).includes('Killing Container main failed startup probe, will be restarted'));
});

test('probes: while a pod ends readiness goes on and liveness does not', async () => {
  await using cluster = await SmallCluster.start();
  const metadata = script({ 'http:8080/ready': 'ok 5000:fail', 'http:8080/live': 'ok 5000:fail' });
  const annotations = { ...metadata.annotations, 'simulated.peapod.dev/main.stop-after': 'never' };
  const probes = { readinessProbe: http('/ready'), livenessProbe: http('/live') };
  await cluster.run('web', { containers: [{ name: 'main', image: 'x', ...probes }] }, { annotations });
  await cluster.advance(2000);
  assert.equal(ready(await cluster.pod('web')), 'True');
  await cluster.remove('web');
  await cluster.advance(10_000);
  assert.equal(ready(await cluster.pod('web')), 'False');
  const told = await events(cluster);
  assert.ok(told.some((one) => one.startsWith('Unhealthy Readiness')));
  assert.ok(!told.some((one) => one.startsWith('Unhealthy Liveness')));
});

test('probes: a kubelet that comes back changes nothing that was ready, nor what was not', async () => {
  await using cluster = await SmallCluster.start();
  const probes = { readinessProbe: http('/ready', { periodSeconds: 10 }) };
  const containers = [{ name: 'main', image: 'x', ...probes }];
  await cluster.run('good', { containers });
  await cluster.run('bad', { containers }, script({ 'http:8080/ready': 'fail' }));
  await cluster.advance(1000);
  const before = [await cluster.pod('good'), await cluster.pod('bad')];
  assert.deepEqual(before.map(ready), ['True', 'False']);
  await cluster.stopKubelet();
  cluster.startKubelet();
  await cluster.advance(30_000);
  const after = [await cluster.pod('good'), await cluster.pod('bad')];
  const versions = (pods: readonly (Pod | undefined)[]) => pods.map((pod) => pod?.metadata.resourceVersion);
  assert.deepEqual(versions(after), versions(before), 'an adopted pod needs no write');
  assert.ok(cluster.kubelet!.probeHistory(after[0]!.metadata.uid).length >= 2, 'but it is asked again');
});

test('probes: every attempt is remembered, with what was answered and how long it took', async () => {
  await using cluster = await SmallCluster.start();
  const answers = script({ 'http:8080/ready': 'hang 2500:ok' });
  const pod = await cluster.run(
    'web',
    { containers: [{ name: 'main', image: 'x', readinessProbe: http('/ready', { initialDelaySeconds: 1 }) }] },
    answers,
  );
  await cluster.advance(4000);
  const history = cluster.kubelet!.probeHistory(pod.metadata.uid);
  assert.deepEqual(
    history.map(({ kind, outcome, latencyMs, output }) => [kind, outcome, latencyMs, output]),
    [
      ['readiness', 'failure', 1000, 'context deadline exceeded'],
      ['readiness', 'failure', 1000, 'context deadline exceeded'],
      ['readiness', 'success', 0, 'ok'],
      ['readiness', 'success', 0, 'ok'],
    ].slice(0, history.length),
  );
  assert.ok(history.length >= 3);
  assert.equal(history[0]!.at - Date.parse(main(await cluster.pod('web'))!.state!.running!.startedAt!), 1000);
  await cluster.advance(200_000);
  assert.equal(cluster.kubelet!.probeHistory(pod.metadata.uid).length, 60);
});
