/** Probes, hooks and termination messages on real containers. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodePaths } from '#host/data-dir.ts';
import { E2eCluster } from '#test/e2e/support/cluster.ts';
import { kill } from '#test/e2e/support/machine.ts';
import {
  conditionOf,
  containerOf,
  idle,
  isReady,
  podManifest,
  PodWatch,
  shell,
  testserver,
} from '#test/e2e/support/pod-watch.ts';

/** So that what is restarted again and again takes no minutes. */
const options = ['--crash-loop-max-delay', '1s'];
let cluster: E2eCluster;
let watch: PodWatch;
before(async () => {
  cluster = await E2eCluster.start('probes', ...options);
  watch = await PodWatch.on(cluster);
});
after(async () => {
  await watch?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const fast = { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 };
const at = (path: string, more: object = {}) => ({ httpGet: { port: 8080, path, ...more }, ...fast });
/** A busy machine takes its time to start a program. */
const PATIENCE_MS = 90_000;
const restarts = (name: string) => containerOf(watch.get(name))?.restartCount ?? 0;

// Goes on beside the others; the test below looks at what has become of it.
test('a container whose liveness always fails is begun', async () => {
  const livenessProbe = { exec: { command: ['false'] }, ...fast };
  const main = shell('main', 'echo life; exec sleep 600', { livenessProbe });
  const spec = { terminationGracePeriodSeconds: 1, containers: [main] };
  await cluster.apply(podManifest('again', spec));
});

// [sig-node] Probing container with readiness probe should not be ready before initial delay and never restart
// [sig-node] Probing container with readiness probe that fails should never be ready and never restart
test('readiness: not before its initial delay, never while it fails, and as it is toggled', async () => {
  const failing = idle('main', { readinessProbe: { exec: { command: ['false'] }, ...fast } });
  await cluster.apply(podManifest('never-ready', { containers: [failing] }));
  const readinessProbe = { ...at('/ready'), initialDelaySeconds: 3 };
  await cluster.apply(podManifest('ready', { containers: [testserver('main', [], { readinessProbe })] }));
  const running = await watch.reaches('ready', 'running', ({ status }) => status?.phase === 'Running');
  assert.equal(isReady(running), false);
  const pod = await watch.running('ready', PATIENCE_MS);
  const since = Date.parse(containerOf(pod)!.state!.running!.startedAt!);
  const transition = pod.status!.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime!;
  assert.ok(Date.parse(transition) - since >= 2000, 'ready before its initial delay');
  await cluster.ok('exec', 'ready', '--', 'wget', '-qO-', 'http://127.0.0.1:8080/toggle/ready/off');
  await watch.reaches('ready', 'not ready any more', (one) => !isReady(one));
  await watch.told('ready', /Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503/);
  await watch.told('never-ready', /Warning Unhealthy Readiness probe failed: /);
  for (const name of ['ready', 'never-ready']) assert.equal(restarts(name), 0);
  assert.ok(!watch.history('never-ready').some(isReady));
  assert.deepEqual(containerOf(watch.get('never-ready'))?.ready, false);
  await cluster.ok('delete', 'pod', 'never-ready', '--now', '--wait=false');
});

test('readiness gates: who owns the condition decides, besides the containers', async () => {
  const spec = { readinessGates: [{ conditionType: 'example.org/open' }], containers: [idle()] };
  await cluster.apply(podManifest('gated', spec));
  const waiting = await watch.reaches(
    'gated',
    'waiting for its gate',
    (pod) => conditionOf(pod.status, 'ContainersReady')?.status === 'True',
  );
  const closed = conditionOf(waiting.status, 'Ready');
  assert.deepEqual([closed?.status, closed?.reason], ['False', 'ReadinessGatesNotReady']);
  assert.match(closed?.message ?? '', /pod readiness gate "example.org\/open" does not exist/);
  const open = (status: string): Promise<string> => {
    const patch = { status: { conditions: [{ type: 'example.org/open', status }] } };
    return cluster.ok('patch', 'pod', 'gated', '--subresource=status', '-p', JSON.stringify(patch));
  };
  await open('True');
  await watch.running('gated', 5000);
  await open('False');
  await watch.reaches('gated', 'not ready', (pod) => !isReady(pod), 5000);
  await cluster.ok('delete', 'pod', 'gated', '--now', '--wait=false');
});

// [sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe
// [sig-node] Probing container should be restarted with a /healthz http liveness probe
// [sig-node] Probing container should be restarted with a GRPC liveness probe
// and, of upstream's other tests, "with a local redirect http liveness probe", "exec liveness probe with timeout".
test('containers whose liveness fails are restarted', async () => {
  // Only once the server listens: else a refused connection would be the only failure seen on a busy machine.
  const listening = (port: number, livenessProbe: object): object => ({
    livenessProbe: { ...fast, ...livenessProbe },
    startupProbe: { tcpSocket: { port }, ...fast, failureThreshold: 90 },
  });
  const pods = {
    exec: shell('main', 'touch /tmp/health; sleep 3; rm /tmp/health; exec sleep 600', {
      livenessProbe: { exec: { command: ['cat', '/tmp/health'] }, ...fast, initialDelaySeconds: 1 },
    }),
    http: testserver('main', ['serve', '--off', 'live'], listening(8080, at('/live'))),
    redirect: testserver('main', ['serve', '--off', 'live'], listening(8080, at('/redirect?to=%2Flive'))),
    grpc: testserver('main', ['serve', '--off', 'ready'], listening(9090, { grpc: { port: 9090 } })),
    'grpc-port': testserver('main', [], listening(9090, { grpc: { port: 2333 } })),
    'exec-slow': idle('main', { livenessProbe: { exec: { command: ['sleep', '30'] }, ...fast } }),
    'http-slow': testserver('main', [], listening(8080, at('/delay/5s'))),
  };
  const told: Readonly<Record<keyof typeof pods, RegExp>> = {
    exec: /Unhealthy Liveness probe failed: cat: .*\/tmp\/health/,
    http: /Killing Container main failed liveness probe, will be restarted/,
    redirect: /Liveness probe failed: HTTP probe failed with statuscode: 503/,
    grpc: /Unhealthy Liveness probe failed: service unhealthy \(responded with "NOT_SERVING"\)/,
    'grpc-port': /Liveness probe failed: .*failed to connect service at ".*:2333"/,
    'exec-slow': /Liveness probe failed: command timed out: "sleep 30" timed out after 1s/,
    'http-slow': /Liveness probe failed: Get "http.*context deadline exceeded/,
  };
  const tell = async ([name, container]: readonly [string, object]): Promise<void> => {
    await cluster.apply(podManifest(name, { terminationGracePeriodSeconds: 1, containers: [container] }));
    await watch.went(name, 'restarted', (pod) => (containerOf(pod)?.restartCount ?? 0) > 0, PATIENCE_MS);
    await watch.told(name, told[name as keyof typeof pods], PATIENCE_MS);
    await cluster.ok('delete', 'pod', name, '--grace-period=0', '--force', '--wait=false');
  };
  await Promise.all(Object.entries(pods).map(tell));
});

// [sig-node] Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe
// [sig-node] Probing container should *not* be restarted with a tcp:8080 liveness probe
// [sig-node] Probing container should *not* be restarted with a /healthz http liveness probe
// [sig-node] Probing container should *not* be restarted with a GRPC liveness probe
// and, of upstream's other tests, "with a non-local redirect http liveness probe".
test('containers whose liveness succeeds are not restarted', async () => {
  const patient = { failureThreshold: 90, initialDelaySeconds: 1 };
  const away = encodeURIComponent('http://0.0.0.0/');
  const pods = {
    'exec-ok': shell('main', 'touch /tmp/health; exec sleep 600', {
      livenessProbe: { exec: { command: ['cat', '/tmp/health'] }, ...fast, ...patient },
    }),
    // What answers is no matter, as long as it answers.
    'tcp-ok': testserver('main', ['serve', '--off', 'live'], {
      livenessProbe: { tcpSocket: { port: 8080 }, ...fast, ...patient },
    }),
    'http-ok': testserver('main', [], { livenessProbe: { ...at('/live'), ...patient } }),
    'https-ok': testserver('main', [], {
      livenessProbe: { httpGet: { port: 8443, path: '/live', scheme: 'HTTPS' }, ...fast, ...patient },
    }),
    'grpc-ok': testserver('main', [], { livenessProbe: { grpc: { port: 9090 }, ...fast, ...patient } }),
    'away-ok': testserver('main', [], { livenessProbe: { ...at(`/redirect?to=${away}`), ...patient } }),
  };
  await Promise.all(
    Object.entries(pods).map(([name, container]) => cluster.apply(podManifest(name, { containers: [container] }))),
  );
  await Promise.all(Object.keys(pods).map((name) => watch.running(name, PATIENCE_MS)));
  await watch.told('away-ok', /ProbeWarning Liveness probe warning: Probe terminated redirects/, PATIENCE_MS);
  await new Promise((done) => setTimeout(done, 5000));
  for (const name of Object.keys(pods)) assert.equal(restarts(name), 0, `${name}: ${await watch.events(name)}`);
  await cluster.ok('delete', 'pod', ...Object.keys(pods), '--grace-period=0', '--force', '--wait=false');
});

// [sig-node] Probing container should have monotonically increasing restart count
test('a container whose liveness always fails is restarted again and again, and every restart is counted once', async () => {
  await watch.reaches('again', 'five restarts', (pod) => (containerOf(pod)?.restartCount ?? 0) >= 5, 60_000);
  const counts = watch.history('again').map((pod) => containerOf(pod)?.restartCount ?? 0);
  for (const [n, count] of counts.entries()) {
    const before = counts[n - 1] ?? 0;
    assert.ok(count === before || count === before + 1, counts.join(' '));
  }
  const backedOff = await watch.went('again', 'in back-off', (pod) => {
    const waiting = containerOf(pod)?.state?.waiting;
    return waiting?.reason === 'CrashLoopBackOff' && waiting.message?.startsWith('back-off 1s ') === true;
  });
  assert.equal(backedOff.metadata.name, 'again');
  const folder = join(
    nodePaths(cluster.paths, `${cluster.name}-node1`).logs,
    `default_again_${backedOff.metadata.uid}`,
  );
  assert.ok(readdirSync(join(folder, 'main')).length <= 3, 'logs that nobody can ask for are not kept');
});

// "should be ready immediately after startupProbe succeeds", "should override timeoutGracePeriodSeconds when LivenessProbe field is set".
test('startup holds readiness back; the probe may carry its own grace', async () => {
  const startup = testserver('main', ['serve', '--off', 'started', '--on-after', '3s'], {
    startupProbe: { ...at('/started'), failureThreshold: 90 },
    readinessProbe: { ...at('/ready'), periodSeconds: 600 },
  });
  const stubborn = testserver('main', ['serve', '--ignore', 'SIGTERM', '--off', 'live'], {
    livenessProbe: { ...at('/live'), terminationGracePeriodSeconds: 2 },
  });
  await cluster.apply(podManifest('startup', { containers: [startup] }));
  await cluster.apply(podManifest('stubborn', { terminationGracePeriodSeconds: 500, containers: [stubborn] }));
  await watch.went('startup', 'running, not started', (pod) => containerOf(pod)?.started === false);
  await watch.running('startup', PATIENCE_MS);
  assert.equal(restarts('startup'), 0);
  await watch.reaches('stubborn', 'restarted', (pod) => (containerOf(pod)?.restartCount ?? 0) > 0, PATIENCE_MS);
  assert.equal(containerOf(watch.get('stubborn'))!.lastState!.terminated!.exitCode, 137);
  await cluster.ok('delete', 'pod', 'startup', 'stubborn', '--grace-period=0', '--force', '--wait=false');
});

// [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly
// [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly
// [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly
// [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly
// [sig-node] PreStop should call prestop when killing a pod
test('hooks are run: postStart and preStop, by command and over HTTP', async () => {
  await cluster.apply(podManifest('hears', { containers: [testserver('main', [], { readinessProbe: at('/ready') })] }));
  const { podIP: host } = (await watch.running('hears', PATIENCE_MS)).status!;
  const hook = (path: string) => ({ httpGet: { host, port: 8080, path } });
  const hooked = [
    idle('by-http', { lifecycle: { postStart: hook('/status/201'), preStop: hook('/status/202') } }),
    idle('by-exec', {
      lifecycle: {
        postStart: { exec: { command: ['wget', '-qO-', `http://${host}:8080/status/203`] } },
        preStop: { exec: { command: ['wget', '-qO-', `http://${host}:8080/status/206`] } },
      },
    }),
    idle('sleeps', { lifecycle: { postStart: { sleep: { seconds: 0 } }, preStop: { sleep: { seconds: 2 } } } }),
  ];
  await cluster.apply(podManifest('hooked', { containers: hooked }));
  await watch.running('hooked', PATIENCE_MS);
  const asked = async (): Promise<readonly string[]> =>
    Object.keys(JSON.parse(await cluster.ok('exec', 'hears', '--', 'wget', '-qO-', 'http://127.0.0.1:8080/requests')));
  const before = await asked();
  assert.ok(before.includes('/status/201') && before.includes('/status/203'), before.join());
  assert.ok(!before.includes('/status/202') && !before.includes('/status/206'), before.join());
  const began = Date.now();
  await cluster.ok('delete', 'pod', 'hooked', '--wait=false');
  await watch.gone('hooked', PATIENCE_MS);
  assert.ok(Date.now() - began >= 2000, 'preStop was to sleep 2 s');
  const now = await asked();
  assert.ok(now.includes('/status/202') && now.includes('/status/206'), now.join());
});

// [sig-node] Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set
// [sig-node] Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set
// [sig-node] Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set
// [sig-node] Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path
test('termination messages come from the file, or from the log of one that failed', async () => {
  const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' };
  const containers = [
    shell('file', 'echo said; printf DONE > /dev/termination-log', fallback),
    shell('empty', 'echo said', fallback),
    shell('log', 'echo first; printf last; exit 3', fallback),
    shell('own-path', 'printf OWN > /dev/termination-custom-log; exit 1', {
      terminationMessagePath: '/dev/termination-custom-log',
      securityContext: { runAsUser: 1000 },
    }),
    shell('long', 'head -c 6000 /dev/zero | tr "\\0" x > /dev/termination-log'),
  ];
  await cluster.apply(podManifest('messages', { restartPolicy: 'Never', containers }));
  const pod = await watch.ended('messages', PATIENCE_MS);
  const messages = pod.status!.containerStatuses!.map(({ name, state }) => [name, state?.terminated?.message]);
  assert.deepEqual(Object.fromEntries(messages), {
    file: 'DONE',
    empty: undefined,
    log: 'first\nlast',
    'own-path': 'OWN',
    // All five share 12 KiB.
    long: 'x'.repeat(2457),
  });
});

test('a restart of peapod changes nothing that is ready, and nothing that is not', async () => {
  // Patient, so that a slow answer is none: a kubelet that began with a doubt would show it all the same.
  const patient = { failureThreshold: 20 };
  const probed = (path: string): object =>
    testserver('main', [], {
      readinessProbe: { ...at(path), ...patient },
      livenessProbe: { ...at('/live'), ...patient },
    });
  await cluster.apply(podManifest('stays-ready', { containers: [probed('/ready')] }));
  await cluster.apply(podManifest('stays-unready', { containers: [probed('/status/500')] }));
  await watch.running('stays-ready', PATIENCE_MS);
  await watch.told('stays-unready', /Readiness probe failed/, PATIENCE_MS);
  await watch.reaches('stays-unready', 'running', ({ status }) => status?.phase === 'Running');
  const names = ['stays-ready', 'stays-unready'];
  const before = names.map((name) => watch.get(name)?.status);
  kill(await cluster.pid());
  await cluster.up(...options);
  // Each probe has spoken again by then.
  await new Promise((done) => setTimeout(done, 3000));
  assert.deepEqual(
    names.map((name) => watch.get(name)?.status),
    before,
  );
  const flaps = watch.history('stays-ready').filter((pod) => !isReady(pod)).length;
  const last = watch.history('stays-ready').findLastIndex((pod) => !isReady(pod));
  assert.equal(last, flaps - 1, 'once ready it was never seen otherwise');
  assert.equal(await cluster.ok('logs', 'messages', '-c', 'log'), 'first\nlast', 'what ended before can still be read');
  assert.equal(await cluster.ok('logs', 'again', '-p'), 'life\n');
});
