import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerConfig, SandboxConfig } from '#cri/config.ts';
import { runtimeConformance } from '#cri/conformance.ts';
import type { RuntimeSubject, Script } from '#cri/conformance-suite.ts';
import { RuntimeFault } from '#cri/fault.ts';
import { PREFIX } from '#cri/simulated/script.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { FakeClock } from '#lib/fake-clock.ts';

const scripts = (script: Script): Pick<ContainerConfig, 'command' | 'annotations'> => {
  const said = (annotations: Record<string, string>) => ({
    command: [],
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [PREFIX + key, value])),
  });
  switch (script.kind) {
    case 'runs':
      return said({});
    case 'exits':
      return said({ 'exit-code': String(script.code), 'exit-after': String(script.afterMs) });
    case 'ignores-stop':
      return said({ 'stop-after': 'never' });
    case 'cannot-start':
      return said({ 'start-error': 'exec: "nosuch": executable file not found' });
  }
};

async function open(): Promise<RuntimeSubject> {
  const clock = new FakeClock(1_000_000);
  const absentImage = 'docker.io/library/absent:1';
  const runtime = simulatedRuntime({
    clock,
    pull: (name) =>
      name === absentImage
        ? { kind: 'fails', reason: 'ErrImagePull', message: `${name}: not found` }
        : { kind: 'pulled', sizeBytes: 1000 },
  });
  const image = 'docker.io/library/app:latest';
  await runtime.images.pull(image, {}, never);
  return {
    runtime,
    image,
    absentImage,
    sandboxDefaults: { logDirectory: '/var/log/pods', cgroupParent: undefined },
    script: scripts,
    tick: () => clock.advance(50),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

const never = new AbortController().signal;

runtimeConformance('simulated runtime', open, { processes: false });

const sandboxConfig = (annotations: Record<string, string> = {}): SandboxConfig => ({
  metadata: { name: 'web', uid: 'uid', namespace: 'default', attempt: 0 },
  hostname: 'web',
  logDirectory: '/logs',
  labels: {},
  annotations,
  linux: { securityContext: { namespaceOptions: { network: 'pod', pid: 'container', ipc: 'pod' } } },
});
const containerConfig = (name: string): ContainerConfig => ({
  name,
  attempt: 0,
  command: [],
  args: [],
  envs: [],
  mounts: [],
  labels: {},
  annotations: {},
  image: { ref: 'app', userSpecified: 'app' },
  logPath: `${name}.log`,
  linux: { securityContext: { namespaceOptions: { network: 'pod', pid: 'container', ipc: 'pod' } } },
});

test('simulated runtime: the same calls at the same times give the same ids, addresses and times', async () => {
  const tell = async (): Promise<unknown> => {
    const clock = new FakeClock(5000);
    const runtime = simulatedRuntime({ clock, addressRanges: ['10.244.1.0/24'], sandboxMs: 30, pullMs: 200 });
    const config = sandboxConfig({ [`${PREFIX}app.exit-code`]: '2', [`${PREFIX}app.exit-after`]: '1000' });
    const run = runtime.sandboxes.run(config, never);
    await clock.advance(30);
    const pulled = runtime.images.pull('app', {}, never);
    await clock.advance(200);
    await pulled;
    const sandbox = await run;
    const id = await runtime.containers.create(sandbox, { container: containerConfig('app'), sandbox: config }, never);
    await runtime.containers.start(id, never);
    await clock.advance(1000);
    return [await runtime.sandboxes.status(sandbox, never), await runtime.containers.status(id, never)];
  };
  const [first, second] = [await tell(), await tell()];
  assert.deepEqual(first, second);
  const text = JSON.stringify(first);
  assert.match(text, /"addresses":\["10\.244\.1\.2"\]/);
  assert.match(text, /"startedAt":5230,"finishedAt":6230,"exitCode":2,"reason":"Error"/);
});

test('simulated runtime: five minutes pass in no time, and containers outlive whoever made them', async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const runtime = simulatedRuntime({
    clock,
    log: { opened: () => {}, wrote: (path, { text }) => lines.push(`${path} ${text}`) },
    behaviour: () => ({ run: { kind: 'exits', code: 0, afterMs: 300_000 }, stopAfterMs: 0, output: ['hello'] }),
  });
  await runtime.images.pull('app', {}, never);
  const sandbox = await runtime.sandboxes.run(sandboxConfig(), never);
  const configs = { container: containerConfig('app'), sandbox: sandboxConfig() };
  const id = await runtime.containers.create(sandbox, configs, never);
  await runtime.containers.start(id, never);
  await clock.advance(299_999);
  assert.equal((await runtime.containers.list({}, never))[0]?.state, 'running');
  await clock.advance(1);
  assert.equal((await runtime.containers.list({}, never))[0]?.state, 'exited');
  assert.deepEqual(lines, ['/logs/app.log hello']);
});

test("simulated runtime: a pod's annotations make its pulls fail", async () => {
  const runtime = simulatedRuntime({ clock: new FakeClock() });
  const sandbox = sandboxConfig({
    [`${PREFIX}pull-error`]: 'connection refused',
    [`${PREFIX}pull-error-reason`]: 'RegistryUnavailable',
  });
  await assert.rejects(runtime.images.pull('app', { sandbox }, never), (error) => {
    return error instanceof RuntimeFault && error.pullReason === 'RegistryUnavailable' && error.retryable;
  });
  assert.equal(await runtime.images.status('app', never), undefined);
});

test('simulated runtime: a full range says so, and an address given back is used last', async () => {
  const runtime = simulatedRuntime({ clock: new FakeClock(), addressRanges: ['10.9.0.0/29'] });
  const made = [];
  const run = async (attempt: number) => {
    const config = sandboxConfig();
    const id = await runtime.sandboxes.run({ ...config, metadata: { ...config.metadata, attempt } }, never);
    made.push(id);
    return { id, address: (await runtime.sandboxes.status(id, never))?.addresses[0] };
  };
  const all = [await run(0), await run(1), await run(2), await run(3), await run(4)];
  assert.deepEqual(
    all.map(({ address }) => address),
    ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6'],
  );
  await assert.rejects(run(5), (error) => error instanceof RuntimeFault && error.kind === 'exhausted');
  await runtime.sandboxes.stop(all[2]!.id, never);
  assert.equal((await run(6)).address, '10.9.0.4');
});
