/** The part of conformance.ts about images, and about what needs processes or must be refused without them. */
import assert from 'node:assert/strict';
import { type Check, rejectsWith } from '#cri/conformance-suite.ts';
import { RuntimeFault } from '#cri/fault.ts';

export function checkImages(check: Check): void {
  check('an image is found by its short, its full and its own name', async (suite) => {
    const image = await suite.runtime.images.status(suite.image, suite.signal);
    assert.ok(image);
    assert.ok(image.sizeBytes > 0);
    assert.match(image.id, /^sha256:[0-9a-f]{64}$/);
    const short = suite.image.replace('docker.io/library/', '').replace(':latest', '');
    assert.equal((await suite.runtime.images.status(short, suite.signal))?.id, image.id);
    assert.equal((await suite.runtime.images.status(image.id, suite.signal))?.id, image.id);
    assert.ok((await suite.runtime.images.list(suite.signal)).some(({ id }) => id === image.id));
  });
  check('an absent image is absent, and can be removed', async (suite) => {
    assert.equal(await suite.runtime.images.status(suite.absentImage, suite.signal), undefined);
    await suite.runtime.images.remove(suite.absentImage, suite.signal);
  });
  check('an image that cannot be pulled, and a name that is none, are told apart', async (suite) => {
    await assert.rejects(suite.runtime.images.pull(suite.absentImage, {}, suite.signal), (error) => {
      return error instanceof RuntimeFault && /^(ErrImagePull|RegistryUnavailable)$/.test(error.pullReason ?? '');
    });
    await assert.rejects(suite.runtime.images.pull('Not//A:Name', {}, suite.signal), (error) => {
      return error instanceof RuntimeFault && error.pullReason === 'InvalidImageName' && !error.retryable;
    });
    assert.equal(await suite.runtime.images.status('Not//A:Name', suite.signal), undefined);
  });
}

export function checkProcesses(check: Check): void {
  check('execSync gives output and exit code, and kills what takes too long', async (suite) => {
    const { id } = await suite.container({ kind: 'runs' });
    const { streams } = suite.runtime;
    await rejectsWith('other', streams.execSync(id, ['true'], { timeoutMs: 0 }, suite.signal));
    await suite.runtime.containers.start(id, suite.signal);
    const command = ['sh', '-c', 'echo out; echo err >&2; exit 4'];
    const result = await streams.execSync(id, command, { timeoutMs: 10_000 }, suite.signal);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
    assert.deepEqual([result.exitCode, text(result.stdout), text(result.stderr)], [4, 'out\n', 'err\n']);
    await rejectsWith('deadline', streams.execSync(id, ['sleep', '60'], { timeoutMs: 1000 }, suite.signal));
    await rejectsWith('other', streams.execSync(id, ['no-such-command'], { timeoutMs: 1000 }, suite.signal));
  });
  check('streaming has a URL to connect to', async (suite) => {
    const { id, sandbox } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.start(id, suite.signal);
    const streams = { container: id, tty: false, stdin: true, stdout: true, stderr: true };
    for (const url of [
      await suite.runtime.streams.exec({ ...streams, command: ['sh'] }, suite.signal),
      await suite.runtime.streams.portForward(sandbox, [80], suite.signal),
    ]) {
      assert.match(url, /^https?:\/\/[^/]+:\d+\/.+/);
    }
  });
  check('a running container is measured, and so is its sandbox', async (suite) => {
    const { id, sandbox } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.start(id, suite.signal);
    const [container] = await suite.runtime.stats.containers({ sandbox }, suite.signal);
    assert.equal(container?.id, id);
    assert.ok((container?.cpu?.usageCoreNanoSeconds ?? 0) > 0 && (container?.memory?.workingSetBytes ?? 0) > 0);
    const [whole] = await suite.runtime.stats.sandboxes({ sandbox }, suite.signal);
    assert.equal(whole?.id, sandbox);
    assert.equal(whole?.network?.interfaces[0]?.name, 'eth0');
    assert.ok((await suite.runtime.images.fsInfo(suite.signal)).length > 0);
  });
  check('the network namespace of a ready sandbox is known', async (suite) => {
    const id = await suite.run();
    assert.match((await suite.runtime.sandboxes.networkNamespace(id, suite.signal)) ?? '', /^\//);
    await suite.runtime.sandboxes.stop(id, suite.signal);
    assert.equal(await suite.runtime.sandboxes.networkNamespace(id, suite.signal), undefined);
  });
}

export function checkWithoutProcesses(check: Check): void {
  check('what needs a process is refused, and nothing is measured', async (suite) => {
    const { id, sandbox } = await suite.container({ kind: 'runs' });
    await suite.runtime.containers.start(id, suite.signal);
    await rejectsWith('unimplemented', suite.runtime.streams.execSync(id, ['true'], { timeoutMs: 0 }, suite.signal));
    await rejectsWith('unimplemented', suite.runtime.streams.portForward(sandbox, [80], suite.signal));
    const [stats] = await suite.runtime.stats.containers({ sandbox }, suite.signal);
    assert.deepEqual([stats?.id, stats?.cpu, stats?.memory], [id, undefined, undefined]);
  });
}
