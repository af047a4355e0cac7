/**
 * `peapod why` on real containers, and the same through the API: what keeps a pod from being ready, and its timeline.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PodTimeline } from '#api/peapod/pod-timeline.ts';
import type { WhyAnswer } from '#cli/why-text.ts';
import { E2eCluster, peapod, type Ran, until } from '#test/e2e/support/cluster.ts';
import { kill } from '#test/e2e/support/machine.ts';
import { containerOf, idle, isReady, podManifest, PodWatch, shell, testserver } from '#test/e2e/support/pod-watch.ts';

let cluster: E2eCluster;
let watch: PodWatch;
before(async () => {
  cluster = await E2eCluster.start('why');
  watch = await PodWatch.on(cluster);
});
after(async () => {
  await watch?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const why = (...args: readonly string[]): Promise<Ran> => peapod(['why', ...args, ...cluster.global]);

/** Asks until it says so: what the kubelet tells of is on its way for a moment. */
async function says(name: string, want: RegExp): Promise<WhyAnswer> {
  for (let tries = 0; ; tries++) {
    const { stdout, stderr, code } = await why(name, '-o', 'json');
    if (code === 0) {
      const answer = JSON.parse(stdout) as WhyAnswer;
      if (want.test(answer.sentence)) return answer;
      assert.ok(tries < 60, `${name}: ${answer.sentence} (wanted: ${want})`);
    } else assert.ok(tries < 60, stderr);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
const types = ({ entries }: WhyAnswer): readonly string[] => entries.map(({ type }) => type);

test('a container that crashes: how often, how it ended, what it said last and when it is tried again', async () => {
  const script = 'echo starting; echo "Access denied for user root" >&2; exit 1';
  await cluster.apply(podManifest('crash', { containers: [shell('container2', script)] }));
  // The status is known at once; what the timeline is told comes gathered, a moment later.
  const answer = await until(
    'the wait is told',
    () => says('crash', /next try in/),
    (one) => types(one).includes('BackOff'),
  );
  assert.match(
    answer.sentence,
    /^container2 has crashed (twice|\d times), exit 1, last said: Access denied for user root; next try in (\d+ s|a moment)$/,
  );
  assert.deepEqual([answer.ready, answer.container, answer.pod.gone], [false, 'container2', false]);
  assert.match(answer.help, /kubectl logs crash -n default -c container2$/);
  const told = types(answer);
  for (const type of [
    'Created',
    'SchedulingAttempt',
    'SandboxCreated',
    'AddressAssigned',
    'ContainerStarted',
    'BackOff',
  ])
    assert.ok(told.includes(type), `${type} is missing in ${told.join(', ')}`);
  const exit = answer.entries.find((entry) => entry.type === 'ContainerExited');
  assert.ok(exit?.type === 'ContainerExited');
  assert.deepEqual([exit.exitCode, exit.logTail], [1, ['starting', 'Access denied for user root']]);

  const { stdout } = await why('pod/crash');
  const [sentence, help, empty, first] = stdout.split('\n');
  assert.match(sentence!, /^container2 has crashed/);
  assert.match(help!, /^ {2}→ mend what it complains of/);
  assert.equal(empty, '');
  assert.match(first!, /^\d\d:\d\d:\d\d +\d+s {2}created by kubernetes-admin \(kubectl\)$/);
  assert.match(stdout, /\n +\| Access denied for user root\n/);
});

test('a readiness probe that begins to fail: since when, and what it heard', async () => {
  const readinessProbe = { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 1, failureThreshold: 2 };
  await cluster.apply(podManifest('web', { containers: [testserver('web', [], { readinessProbe })] }));
  await watch.reaches('web', 'ready', isReady);
  const well = await says('web', /ready/);
  assert.equal(well.ready, true);
  await cluster.ok('exec', 'web', '--', 'wget', '-qO-', 'http://127.0.0.1:8080/toggle/ready/off');
  await watch.reaches('web', 'not ready', (pod) => !isReady(pod));
  const answer = await says('web', /503/);
  assert.match(
    answer.sentence,
    /^web's readiness probe has been failing for (\d+ s|a moment): HTTP probe failed with statuscode: 503$/,
  );
  assert.match(answer.help, /^make http :8080\/ready answer 200 to 399 within 1 s, or correct its readinessProbe/);
  const api = await cluster.ok('get', '--raw', '/apis/peapod.dev/v1alpha1/namespaces/default/podtimelines/web');
  assert.equal((JSON.parse(api) as { status: { ready: boolean } }).status.ready, false);
});

test('an image that does not exist, more cpu than any node has, a ConfigMap that is missing, a command that is not there', async () => {
  const cpu = { resources: { requests: { cpu: '640' } } };
  const volumes = [{ name: 'conf', configMap: { name: 'later' } }];
  await Promise.all(
    [
      podManifest('no-image', { containers: [{ name: 'a', image: 'no/such:1' }] }),
      podManifest('big', { containers: [idle('a', cpu)] }),
      podManifest('no-map', { containers: [idle('a')], volumes }),
      podManifest('no-program', { containers: [{ name: 'a', image: 'busybox', command: ['nosuch'] }] }),
    ].map((manifest) => cluster.apply(manifest)),
  );
  await says('no-image', /^a cannot be made: image no\/such:1 does not exist(; next try in (\d+ s|a moment))?$/);
  const big = await says('big', /^big has no node: the only one is short of cpu \(640 asked, [\d.m]+ free at best\)$/);
  assert.match(big.help, /^ask for no more than the \S+ cpu that the largest node has/);
  await says(
    'no-map',
    /^no-map has been without volume conf for .*: there is no ConfigMap later in namespace default$/,
  );
  const program = await says('no-program', /^a cannot be started/);
  assert.match(program.sentence, /^a cannot be started: image busybox has no program nosuch/);
  await cluster.ok('create', 'configmap', 'later');
  await watch.reaches('no-map', 'ready', isReady);
  const all = await why();
  assert.match(all.stdout, /^default\/big {2,}big has no node/m);
  assert.doesNotMatch(all.stdout, /no-map/);
});

test('a timeline outlives its pod; of a pod nobody knows it is said what there is instead', async () => {
  await cluster.apply(podManifest('short', { terminationGracePeriodSeconds: 1, containers: [idle()] }));
  await watch.reaches('short', 'running', (pod) => containerOf(pod)?.state?.running !== undefined);
  await cluster.ok('delete', 'pod', 'short');
  const gone = await says('short', /is gone/);
  assert.match(gone.sentence, /^short is gone: kubernetes-admin deleted it (\d+ s|a moment) ago$/);
  assert.equal(gone.pod.gone, true);
  assert.ok(types(gone).includes('DeletionAsked'));
  const { code, stderr } = await why('wbe');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^peapod: no pod "wbe" is known in namespace default, and none was lately: did you mean default\/web\?/,
  );
});

test('a timeline outlives events, kill -9 of peapod and an orderly restart; a namesake has its own', async () => {
  const script = 'echo one; echo "two: told before the end" >&2; exit 3';
  const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [shell('main', script)] };
  await cluster.apply(podManifest('told', spec));
  await watch.reaches('told', 'failed', ({ status }) => status?.phase === 'Failed');
  const path = '/apis/peapod.dev/v1alpha1/namespaces/default/podtimelines/told';
  const timeline = async (query = ''): Promise<PodTimeline> =>
    JSON.parse(await cluster.ok('get', '--raw', `${path}${query}`)) as PodTimeline;
  const ended = ({ entries }: PodTimeline): boolean =>
    entries.some((entry) => entry.type === 'PhaseChanged' && entry.phase === 'Failed');
  const before = await until('the timeline is complete', timeline, ended);
  await cluster.ok('delete', 'events', '--all');
  kill(await cluster.pid());
  await cluster.up();
  const killed = await timeline();
  assert.deepEqual(killed.entries, before.entries);
  const exit = killed.entries.find((entry) => entry.type === 'ContainerExited');
  assert.ok(exit?.type === 'ContainerExited');
  assert.deepEqual([exit.exitCode, exit.attempt, exit.logTail], [3, 0, ['one', 'two: told before the end']]);
  const pulled = killed.entries.find((entry) => entry.type === 'Pulled' || entry.type === 'ImagePresent');
  assert.ok(pulled, 'nothing is said of the image');

  await cluster.ok('delete', 'pod', 'told');
  await cluster.down();
  await cluster.up();
  const gone = await timeline();
  assert.deepEqual([gone.pod, gone.entries.at(-1)?.type], ['gone', 'Gone']);
  await cluster.apply(podManifest('told', { containers: [idle()] }));
  const [now, old] = [await timeline(), await timeline(`?uid=${gone.metadata.uid}`)];
  assert.notEqual(now.metadata.uid, old.metadata.uid);
  assert.deepEqual([now.pod, old.entries], ['present', gone.entries]);
  assert.match(
    await cluster.ok('get', 'podtimelines'),
    /^NAME +POD +ENTRIES +LAST +SINCE +AGE\n(?:.*\n)*told +gone +\d+ +Gone /,
  );
  const { code, stdout, stderr } = await cluster.kubectl120('get', 'ptl', 'told');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^told +present /m);
});
