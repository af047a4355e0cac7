/** The CRI adapter against a real containerd that this file starts for itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { after, before } from 'node:test';
import { WebSocket } from 'ws';
import type { ContainerConfig, SandboxConfig } from '#cri/config.ts';
import { runtimeConformance } from '#cri/conformance.ts';
import type { RuntimeSubject, Script } from '#cri/conformance-suite.ts';
import { RuntimeFault } from '#cri/fault.ts';
import type { ContainerId, ContainerRuntime, RuntimeEvent, SandboxId } from '#cri/runtime.ts';
import { splice } from '#wire/splice.ts';
import { PrivateContainerd, eventually, whyNot } from '#test/integration/cri-private-containerd.ts';

let containerd: PrivateContainerd;
if (whyNot === false) {
  before(async () => {
    containerd = await PrivateContainerd.start();
  });
  after(async () => await containerd[Symbol.asyncDispose]());
  runtimeConformance('containerd', open, { processes: true });
}
const only = { skip: whyNot };

function script(wanted: Script): Pick<ContainerConfig, 'command' | 'annotations'> {
  switch (wanted.kind) {
    // The first process of a container ignores the stop signal unless it asks for it, and sleep does not.
    case 'runs':
    case 'ignores-stop':
      return { command: ['sleep', '10000'], annotations: {} };
    case 'exits':
      return { command: ['sh', '-c', `sleep ${wanted.afterMs / 1000}; exit ${wanted.code}`], annotations: {} };
    case 'cannot-start':
      return { command: ['no-such-command'], annotations: {} };
  }
}

async function open(): Promise<RuntimeSubject> {
  const runtime = containerd.connect();
  return {
    runtime,
    image: containerd.image,
    absentImage: 'docker.io/library/absent:1',
    sandboxDefaults: { logDirectory: `${containerd.dir}/logs`, cgroupParent: containerd.cgroup },
    script,
    tick: () => new Promise((resolve) => setTimeout(resolve, 10)),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

const signal = AbortSignal.timeout(120_000);
const namespaceOptions = { network: 'pod', pid: 'container', ipc: 'pod' } as const;
let made = 0;

const sandboxConfig = (): SandboxConfig => {
  const uid = `real-${++made}`;
  return {
    metadata: { name: 'web', uid, namespace: 'default', attempt: 0 },
    hostname: 'web',
    logDirectory: `${containerd.dir}/logs/${uid}`,
    labels: {},
    annotations: {},
    linux: { cgroupParent: `${containerd.cgroup}/${uid}`, securityContext: { namespaceOptions } },
  };
};

async function start(
  runtime: ContainerRuntime,
  command: readonly string[],
  more: Partial<ContainerConfig> = {},
): Promise<{ readonly id: ContainerId; readonly sandbox: SandboxId }> {
  const config = sandboxConfig();
  const sandbox = await runtime.sandboxes.run(config, signal);
  const image = await runtime.images.status(containerd.image, signal);
  const container: ContainerConfig = {
    name: 'main',
    attempt: 0,
    command,
    args: [],
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    image: { ref: image?.id ?? '', userSpecified: containerd.image },
    logPath: 'main.log',
    linux: { securityContext: { namespaceOptions } },
    ...more,
  };
  const id = await runtime.containers.create(sandbox, { container, sandbox: config }, signal);
  await runtime.containers.start(id, signal);
  return { id, sandbox };
}

async function exitOf(runtime: ContainerRuntime, id: ContainerId) {
  let state = (await runtime.containers.status(id, signal))?.state;
  await eventually('an exit', async () => {
    state = (await runtime.containers.status(id, signal))?.state;
    return state?.kind === 'exited';
  });
  assert.ok(state?.kind === 'exited');
  return state;
}

test('containerd: environment, working directory, user and log file are as asked for', only, async () => {
  await using runtime = containerd.connect();
  const command = ['sh', '-c', 'echo "$GREETING|$EMPTY|$(pwd)|$(id -u):$(id -g)"; echo problem >&2'];
  const { id, sandbox } = await start(runtime, command, {
    envs: [
      { name: 'GREETING', value: 'grüß Gott = $HOME "quoted"\nsecond line' },
      { name: 'EMPTY', value: '' },
    ],
    workingDir: '/etc',
    linux: { securityContext: { namespaceOptions, runAsUser: 1000, runAsGroup: 0 } },
  });
  await exitOf(runtime, id);
  const log = readFileSync((await runtime.containers.status(id, signal))?.logPath ?? '', 'utf8');
  const lines = log
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''));
  const output = ['stdout F grüß Gott = $HOME "quoted"', 'stdout F second line||/etc|1000:0', 'stderr F problem'];
  assert.deepEqual(lines.sort(), output.sort());
  await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: what the kernel kills for memory is OOMKilled', only, async () => {
  await using runtime = containerd.connect();
  const { id, sandbox } = await start(runtime, ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M', 'count=1'], {
    linux: { resources: { memoryLimitBytes: 16 * 2 ** 20 }, securityContext: { namespaceOptions } },
  });
  assert.equal((await exitOf(runtime, id)).exitCode, 137);
  // containerd hears of the exit and of its reason apart, in either order.
  await eventually('the reason', async () => (await exitOf(runtime, id)).reason === 'OOMKilled');
  await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: a container has a PID namespace of its own and shares the network with its pod', only, async () => {
  await using runtime = containerd.connect();
  const { id, sandbox } = await start(runtime, ['sleep', '1000']);
  const look = await runtime.streams.execSync(
    id,
    ['sh', '-c', 'ps | grep -c "sleep 1000"; ip -o addr show eth0'],
    {
      timeoutMs: 5000,
    },
    signal,
  );
  const output = Buffer.from(look.stdout).toString();
  const { addresses = [] } = (await runtime.sandboxes.status(sandbox, signal)) ?? {};
  assert.equal(addresses.length, 2, 'one address a family');
  for (const address of addresses) assert.ok(output.includes(address), `${address} in ${output}`);
  const first = await runtime.streams.execSync(id, ['cat', '/proc/1/cmdline'], { timeoutMs: 5000 }, signal);
  assert.match(Buffer.from(first.stdout).toString().split('\0')[0] ?? '', /^sleep$/);
  await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: killed and started again, it is unavailable, then back, with the same client', only, async () => {
  await using runtime = containerd.connect();
  const stop = new AbortController();
  const heard: RuntimeEvent[] = [];
  const listening = (async () => {
    for await (const event of runtime.events.subscribe(stop.signal)) heard.push(event);
  })();
  await eventually('both first resyncs', () => heard.length >= 2);
  const lives = await start(runtime, ['sleep', '10000']);
  const dies = await start(runtime, ['sh', '-c', 'sleep 0.7; exit 9']);

  await containerd.kill();
  await assert.rejects(runtime.info.version(signal), (error) => {
    return error instanceof RuntimeFault && error.kind === 'unavailable' && error.retryable;
  });
  await new Promise((resolve) => setTimeout(resolve, 800));
  heard.length = 0;
  await containerd.launch();

  assert.equal((await runtime.containers.status(lives.id, signal))?.state.kind, 'running');
  assert.equal((await exitOf(runtime, dies.id)).exitCode, 9, 'an exit it slept through');
  await eventually('a resync', () => heard.some(({ kind }) => kind === 'resync'));
  await runtime.containers.stop(lives.id, 0, signal);
  await eventually('the exit event', () =>
    heard.some((event) => event.kind === 'container' && event.id === lives.id && event.change === 'exited'),
  );
  stop.abort(new Error('done'));
  await assert.rejects(listening, /done/);
  for (const { sandbox } of [lives, dies]) await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: that a container has ended is told before its status says so, with the exit code', only, async () => {
  await using runtime = containerd.connect();
  const stop = new AbortController();
  const heard: RuntimeEvent[] = [];
  const listening = (async () => {
    for await (const event of runtime.events.subscribe(stop.signal)) heard.push(event);
  })();
  await eventually('both first resyncs', () => heard.length >= 2);
  const { id, sandbox } = await start(runtime, ['sh', '-c', 'sleep 0.3; exit 9']);
  const changes = (): readonly string[] =>
    heard.flatMap((event) => (event.kind === 'container' && event.id === id ? [event.change] : []));
  await eventually('the exit event', () => changes().includes('exited'));
  assert.deepEqual(changes().slice(-2), ['ended', 'exited']);
  const ended = heard.find((event) => event.kind === 'container' && event.id === id && event.change === 'ended');
  const { exitCode, finishedAt } = await exitOf(runtime, id);
  assert.ok(ended?.kind === 'container' && ended.change === 'ended' && ended.sandbox === sandbox);
  assert.equal(ended.exitCode, exitCode);
  assert.ok(Math.abs(ended.at - finishedAt) < 1, `${ended.at} and ${finishedAt} are one time`);
  stop.abort(new Error('done'));
  await assert.rejects(listening, /done/);
  await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: a call under way when it dies fails as unavailable', only, async () => {
  await using runtime = containerd.connect();
  const { id, sandbox } = await start(runtime, ['sleep', '10000']);
  const exec = runtime.streams.execSync(id, ['sleep', '30'], { timeoutMs: 0 }, signal);
  const failed = assert.rejects(exec, (error) => error instanceof RuntimeFault && error.kind === 'unavailable');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await containerd.kill();
  await failed;
  await containerd.launch();
  await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: aborting a call leaves the client usable', only, async () => {
  await using runtime = containerd.connect();
  const { id, sandbox } = await start(runtime, ['sleep', '10000']);
  const reason = new Error('not waiting any longer');
  const abort = new AbortController();
  const exec = runtime.streams.execSync(id, ['sleep', '30'], { timeoutMs: 0 }, abort.signal);
  setTimeout(() => abort.abort(reason), 50);
  await assert.rejects(exec, (error) => error === reason);
  assert.equal((await runtime.info.version(signal)).name, 'containerd');
  await runtime.sandboxes.remove(sandbox, signal);
});

test('containerd: images are pulled from a registry, and what goes wrong with it is told apart', only, async () => {
  await using runtime = containerd.connect();
  const { images } = runtime;
  const pullFault = async (name: string): Promise<RuntimeFault> => {
    const fault = await images.pull(name, {}, signal).catch((error: unknown) => error);
    assert.ok(fault instanceof RuntimeFault, String(fault));
    return fault;
  };
  {
    await using _ = await containerd.startRegistry();
    const ref = await images.pull('nginx', {}, signal);
    const image = await images.status('nginx', signal);
    assert.equal(image?.id, ref);
    assert.ok(image?.repoTags.includes('docker.io/library/nginx:latest'));
    assert.equal(image?.repoDigests.length, 1);
    assert.equal(await images.pull('docker.io/library/nginx:latest', {}, signal), ref, 'again, by its full name');
    const missing = await pullFault('nosuch:1');
    assert.deepEqual([missing.kind, missing.pullReason], ['not-found', 'ErrImagePull']);
    assert.match(missing.message, /^rpc error: code = NotFound desc = .*nosuch:1: not found$/);
    await images.remove('nginx', signal);
    assert.equal(await images.status('nginx', signal), undefined);
    assert.equal(await images.status(ref, signal), undefined);
  }
  const down = await pullFault('nginx');
  assert.deepEqual([down.pullReason, down.retryable], ['RegistryUnavailable', true]);
});

test('containerd: an upgraded connection spliced to its streaming URL runs a command', only, async () => {
  await using runtime = containerd.connect();
  const { id, sandbox } = await start(runtime, ['sleep', '10000']);
  const front = createServer();
  front.on('upgrade', (request, socket, head) => {
    const forward = async (): Promise<void> => {
      const streams = { container: id, tty: false, stdin: false, stdout: true, stderr: true };
      const url = new URL(
        await runtime.streams.exec({ ...streams, command: ['sh', '-c', 'echo out; exit 3'] }, signal),
      );
      const { hostname: host, port, pathname: path } = url;
      const target = { host, port: Number(port), method: request.method ?? 'GET', path, headers: request.headers };
      assert.deepEqual(await splice(socket, head, target, signal), { kind: 'spliced' });
    };
    forward().catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/exec`, ['v4.channel.k8s.io']);
  const channels = ['', '', '', ''];
  socket.on('message', (data: Buffer) => (channels[data[0] ?? 0] += data.subarray(1).toString()));
  await new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
  front.close();
  assert.equal(channels[1], 'out\n');
  assert.match(channels[3] ?? '', /"NonZeroExitCode".*"message":"3"/);
  await runtime.sandboxes.remove(sandbox, signal);
});
