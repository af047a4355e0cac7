/**
 * What every adapter of the port must do, run on each of them: in src/cri/simulated/ under a fake clock, in test/integration/
 * on a real containerd. A subject says how to make things happen on its runtime; the suite says what must then be seen.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkEvents } from '#cri/conformance-events.ts';
import { checkImages, checkProcesses, checkWithoutProcesses } from '#cri/conformance-processes.ts';
import { type Check, type RuntimeSubject, Suite, rejectsWith } from '#cri/conformance-suite.ts';
import type { ContainerId, ContainerRuntime, ImageRef, SandboxId } from '#cri/runtime.ts';

export interface RuntimeCapabilities {
  /** Runs processes: execSync and streaming URLs work, figures are measured. */
  readonly processes: boolean;
}

export function runtimeConformance(
  name: string,
  open: () => Promise<RuntimeSubject>,
  capabilities: RuntimeCapabilities,
): void {
  const check = (behaviour: string, body: (suite: Suite) => Promise<void>): void => {
    test(`${name}: ${behaviour}`, async () => {
      await using subject = await open();
      const suite = new Suite(subject);
      try {
        await body(suite);
      } finally {
        await suite.cleanUp();
      }
    });
  };
  checkInfo(check);
  checkSandboxes(check);
  checkContainers(check);
  checkStopping(check);
  checkImages(check);
  checkEvents(check);
  if (capabilities.processes) checkProcesses(check);
  else checkWithoutProcesses(check);
}

function checkInfo(check: Check): void {
  check('tells its name and that it is ready', async ({ runtime, signal }) => {
    const version = await runtime.info.version(signal);
    assert.ok(version.name.length > 0 && version.version.length > 0);
    const status = await runtime.info.status(signal);
    assert.deepEqual([status.runtime.ready, status.network.ready], [true, true]);
  });
  check('an aborted signal rejects with its reason and does nothing', async (suite) => {
    const reason = new Error('changed my mind');
    const config = suite.sandbox();
    await assert.rejects(suite.runtime.sandboxes.run(config, AbortSignal.abort(reason)), (error) => error === reason);
    assert.deepEqual(await suite.mySandboxes(), []);
  });
}

function checkSandboxes(check: Check): void {
  check('a sandbox is ready when run returns, and tells what it was made of', async (suite) => {
    const config = { ...suite.sandbox(), annotations: { 'io.example/note': 'a b\nc' } };
    const before = Date.now();
    const id = await suite.runtime.sandboxes.run(config, suite.signal);
    const status = await suite.runtime.sandboxes.status(id, suite.signal);
    assert.ok(status);
    assert.equal(status.id, id);
    assert.deepEqual(status.metadata, config.metadata);
    assert.equal(status.state, 'ready');
    assert.deepEqual({ ...status.labels }, { ...config.labels });
    assert.deepEqual({ ...status.annotations }, config.annotations);
    assert.equal(status.network, 'pod');
    assert.ok(status.addresses.length > 0, 'it has an address');
    assert.ok(status.createdAt <= Date.now() + 1000);
    if (suite.realTime) assert.ok(status.createdAt >= before - 1000);
    const [listed] = await suite.mySandboxes();
    assert.deepEqual(listed && [listed.id, listed.metadata, listed.state], [id, config.metadata, 'ready']);
  });
  check('two sandboxes have different addresses; a stopped one has none', async (suite) => {
    const [one, two] = [await suite.run(), await suite.run()];
    const first = await suite.runtime.sandboxes.status(one, suite.signal);
    const second = await suite.runtime.sandboxes.status(two, suite.signal);
    const all = [...(first?.addresses ?? []), ...(second?.addresses ?? [])];
    assert.equal(new Set(all).size, all.length);
    await suite.runtime.sandboxes.stop(one, suite.signal);
    const stopped = await suite.runtime.sandboxes.status(one, suite.signal);
    assert.deepEqual([stopped?.state, stopped?.addresses], ['not-ready', []]);
  });
  check("a sandbox in the node's network has no address of its own", async (suite) => {
    const id = await suite.runtime.sandboxes.run(suite.sandbox({ network: 'node' }), suite.signal);
    const status = await suite.runtime.sandboxes.status(id, suite.signal);
    assert.deepEqual([status?.addresses, status?.network], [[], 'node']);
    assert.equal(await suite.runtime.sandboxes.networkNamespace(id, suite.signal), undefined);
  });
  check('the same uid and attempt cannot run twice, the next attempt can', async (suite) => {
    const config = suite.sandbox();
    const first = await suite.runtime.sandboxes.run(config, suite.signal);
    await rejectsWith('already-exists', suite.runtime.sandboxes.run(config, suite.signal));
    await suite.runtime.sandboxes.stop(first, suite.signal);
    const next = { ...config, metadata: { ...config.metadata, attempt: 1 } };
    const second = await suite.runtime.sandboxes.run(next, suite.signal);
    const attempts = (await suite.mySandboxes()).map(({ id, metadata, state }) => [id, metadata.attempt, state]);
    const want = [
      [first, 0, 'not-ready'],
      [second, 1, 'ready'],
    ];
    assert.deepEqual(
      attempts.sort((a, b) => Number(a[1]) - Number(b[1])),
      want,
    );
  });
  check(
    'stopping a sandbox kills its containers and leaves them to be seen; removing it removes them',
    async (suite) => {
      const config = suite.sandbox();
      const sandbox = await suite.runtime.sandboxes.run(config, suite.signal);
      const id = await suite.create(sandbox, config, { script: { kind: 'runs' } });
      await suite.runtime.containers.start(id, suite.signal);
      await suite.runtime.sandboxes.stop(sandbox, suite.signal);
      const state = await suite.exited(id);
      assert.equal(state.exitCode, 137);
      await suite.runtime.sandboxes.remove(sandbox, suite.signal);
      assert.equal(await suite.runtime.containers.status(id, suite.signal), undefined);
      assert.equal(await suite.runtime.sandboxes.status(sandbox, suite.signal), undefined);
    },
  );
  check('stop and remove of a sandbox may be repeated, and of what never was', async (suite) => {
    const id = await suite.run();
    const never = 'f00d'.repeat(16) as SandboxId;
    for (const each of [id, id, never]) await suite.runtime.sandboxes.stop(each, suite.signal);
    for (const each of [id, id, never]) await suite.runtime.sandboxes.remove(each, suite.signal);
    for (const each of [id, never]) assert.equal(await suite.runtime.sandboxes.status(each, suite.signal), undefined);
    assert.equal(await suite.runtime.sandboxes.networkNamespace(never, suite.signal), undefined);
  });
  check('removing a running sandbox stops it first', async (suite) => {
    const id = await suite.run();
    await suite.runtime.sandboxes.remove(id, suite.signal);
    assert.deepEqual(await suite.mySandboxes(), []);
  });
  check('sandboxes are listed by id, state and labels', async (suite) => {
    const [one, two] = [await suite.run({ color: 'red' }), await suite.run({ color: 'blue' })];
    await suite.runtime.sandboxes.stop(two, suite.signal);
    const ids = async (filter: Parameters<ContainerRuntime['sandboxes']['list']>[0]): Promise<string[]> =>
      (await suite.runtime.sandboxes.list({ labels: suite.labels, ...filter }, suite.signal))
        .map(({ id }) => id)
        .sort();
    assert.deepEqual(await ids({}), [one, two].sort());
    assert.deepEqual(await ids({ state: 'ready' }), [one]);
    assert.deepEqual(await ids({ state: 'not-ready' }), [two]);
    assert.deepEqual(await ids({ labels: { ...suite.labels, color: 'red' } }), [one]);
    assert.deepEqual(await ids({ id: two }), [two]);
    assert.deepEqual(await ids({ id: one, state: 'not-ready' }), []);
  });
}

function checkContainers(check: Check): void {
  check('a container is created, runs, and exits with its code', async (suite) => {
    const { id, sandbox } = await suite.container({ kind: 'exits', code: 3, afterMs: 300 });
    assert.deepEqual(await suite.state(id), { kind: 'created' });
    await suite.runtime.containers.start(id, suite.signal);
    const running = await suite.state(id);
    assert.equal(running.kind, 'running');
    const [listed] = await suite.runtime.containers.list({ id }, suite.signal);
    assert.deepEqual(listed && [listed.sandbox, listed.state], [sandbox, 'running']);
    const state = await suite.exited(id);
    assert.deepEqual([state.exitCode, state.reason], [3, 'Error']);
    assert.ok(running.kind === 'running' && state.startedAt === running.startedAt, 'it keeps when it started');
    assert.ok(state.finishedAt >= running.startedAt);
  });
  check('exit code 0 is Completed', async (suite) => {
    const { id } = await suite.container({ kind: 'exits', code: 0, afterMs: 0 });
    await suite.runtime.containers.start(id, suite.signal);
    const state = await suite.exited(id);
    assert.deepEqual([state.exitCode, state.reason], [0, 'Completed']);
  });
  check('a command that cannot be run fails to start and is a StartError', async (suite) => {
    const { id } = await suite.container({ kind: 'cannot-start' });
    await rejectsWith('other', suite.runtime.containers.start(id, suite.signal));
    const state = await suite.exited(id);
    assert.deepEqual([state.exitCode, state.reason, state.startedAt], [128, 'StartError', undefined]);
    assert.notEqual(state.message, '');
  });
  check('a container cannot be started twice', async (suite) => {
    const { id } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.start(id, suite.signal);
    await rejectsWith('other', suite.runtime.containers.start(id, suite.signal));
    assert.equal((await suite.state(id)).kind, 'running');
  });
  check('a container tells what it was made of', async (suite) => {
    const config = suite.sandbox();
    const sandbox = await suite.runtime.sandboxes.run(config, suite.signal);
    const labels = { ...suite.labels, 'io.kubernetes.container.name': 'web' };
    const id = await suite.create(sandbox, config, { name: 'web', attempt: 4, labels, script: { kind: 'runs' } });
    const image = await suite.runtime.images.status(suite.image, suite.signal);
    const status = await suite.runtime.containers.status(id, suite.signal);
    const [listed] = await suite.runtime.containers.list({ sandbox }, suite.signal);
    for (const seen of [status, listed]) {
      assert.ok(seen);
      assert.deepEqual([seen.id, seen.name, seen.attempt], [id, 'web', 4]);
      assert.deepEqual({ ...seen.labels }, labels);
      assert.equal(seen.imageRef, image?.id);
      assert.equal(seen.annotations['io.example/why'], 'because');
    }
    assert.equal(status?.logPath, `${config.logDirectory}/web/4.log`);
  });
  check('the same name and attempt cannot be created twice, the next attempt can', async (suite) => {
    const config = suite.sandbox();
    const sandbox = await suite.runtime.sandboxes.run(config, suite.signal);
    const first = await suite.create(sandbox, config, { script: { kind: 'runs' } });
    await rejectsWith('already-exists', suite.create(sandbox, config, { script: { kind: 'runs' } }));
    const second = await suite.create(sandbox, config, { attempt: 1, script: { kind: 'runs' } });
    const listed = await suite.runtime.containers.list({ sandbox }, suite.signal);
    assert.deepEqual(
      new Set(listed.map(({ id, attempt }) => `${id} ${attempt}`)),
      new Set([`${first} 0`, `${second} 1`]),
    );
  });
  check('nothing is created in a sandbox that is not there, or of an image that is not', async (suite) => {
    const config = suite.sandbox();
    const nowhere = 'f00d'.repeat(16) as SandboxId;
    await rejectsWith('not-found', suite.create(nowhere, config, { script: { kind: 'runs' } }));
    const sandbox = await suite.runtime.sandboxes.run(config, suite.signal);
    const ref = suite.absentImage as ImageRef;
    await rejectsWith('not-found', suite.create(sandbox, config, { ref, script: { kind: 'runs' } }));
  });
  check('containers are listed by sandbox, state and labels', async (suite) => {
    const config = suite.sandbox();
    const sandbox = await suite.runtime.sandboxes.run(config, suite.signal);
    const script = { kind: 'runs' } as const;
    const idle = await suite.create(sandbox, config, { name: 'idle', script });
    const busy = await suite.create(sandbox, config, {
      name: 'busy',
      labels: { ...suite.labels, load: 'high' },
      script,
    });
    await suite.runtime.containers.start(busy, suite.signal);
    const other = await suite.container(script);
    const ids = async (filter: Parameters<ContainerRuntime['containers']['list']>[0]): Promise<string[]> =>
      (await suite.runtime.containers.list({ labels: suite.labels, ...filter }, suite.signal))
        .map(({ id }) => id)
        .sort();
    assert.deepEqual(await ids({}), [idle, busy, other.id].sort());
    assert.deepEqual(await ids({ sandbox }), [idle, busy].sort());
    assert.deepEqual(await ids({ state: 'running' }), [busy]);
    assert.deepEqual(await ids({ sandbox, state: 'created' }), [idle]);
    assert.deepEqual(await ids({ labels: { load: 'high', ...suite.labels } }), [busy]);
    assert.deepEqual(await ids({ sandbox, state: 'exited' }), []);
  });
  check('resources can be changed while it runs, those not named stay', async (suite) => {
    const { id } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.start(id, suite.signal);
    await suite.runtime.containers.updateResources(id, { cpuShares: 300 }, suite.signal);
    const status = await suite.runtime.containers.status(id, suite.signal);
    assert.equal(status?.resources?.cpuShares, 300);
    assert.equal(status?.resources?.memoryLimitBytes, 64 * 2 ** 20);
    const never = 'f00d'.repeat(16) as ContainerId;
    await rejectsWith('not-found', suite.runtime.containers.updateResources(never, { cpuShares: 2 }, suite.signal));
  });
}

function checkStopping(check: Check): void {
  check('a container that ignores the stop signal is killed after its grace, not before', async (suite) => {
    const { id } = await suite.container({ kind: 'ignores-stop' });
    await suite.runtime.containers.start(id, suite.signal);
    const running = await suite.state(id);
    await suite.passing(suite.runtime.containers.stop(id, 1000, suite.signal));
    const state = await suite.exited(id);
    assert.deepEqual([state.exitCode, state.reason], [137, 'Error']);
    assert.ok(running.kind === 'running' && state.finishedAt - running.startedAt >= 990);
  });
  check('no grace kills at once', async (suite) => {
    const { id } = await suite.container({ kind: 'ignores-stop' });
    await suite.runtime.containers.start(id, suite.signal);
    await suite.runtime.containers.stop(id, 0, suite.signal);
    assert.equal((await suite.exited(id)).exitCode, 137);
  });
  check('stop and remove of a container may be repeated, and of what never was', async (suite) => {
    const { id } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.start(id, suite.signal);
    const never = 'f00d'.repeat(16) as ContainerId;
    for (const each of [id, id, never]) await suite.runtime.containers.stop(each, 0, suite.signal);
    for (const each of [id, id, never]) await suite.runtime.containers.remove(each, suite.signal);
    for (const each of [id, never]) assert.equal(await suite.runtime.containers.status(each, suite.signal), undefined);
    await rejectsWith('not-found', suite.runtime.containers.start(never, suite.signal));
  });
  check('a container that was never started can be stopped and removed', async (suite) => {
    const { id, sandbox } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.stop(id, 0, suite.signal);
    assert.equal((await suite.state(id)).kind, 'created');
    await suite.runtime.containers.remove(id, suite.signal);
    assert.deepEqual(await suite.runtime.containers.list({ sandbox }, suite.signal), []);
  });
  check('a running container can be removed', async (suite) => {
    const { id } = await suite.container({ kind: 'ignores-stop' });
    await suite.runtime.containers.start(id, suite.signal);
    await suite.runtime.containers.remove(id, suite.signal);
    assert.equal(await suite.runtime.containers.status(id, suite.signal), undefined);
  });
}
