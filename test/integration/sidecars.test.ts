import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { ContainerBehaviour } from '#cri/simulated/behaviour.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const sidecar = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'x',
  restartPolicy: 'Always',
  ...more,
});
const main = (more: Partial<Container> = {}): Container => ({ name: 'main', image: 'x', ...more });
const exec = { exec: { command: ['hook'] } };

/** A cluster whose containers do what the table says, and in which order they ended. */
async function started(
  script: Readonly<Record<string, Partial<ContainerBehaviour>>>,
  spec: Partial<PodSpec>,
): Promise<{ readonly cluster: SmallCluster; running(): Promise<readonly string[]> }> {
  const cluster = await SmallCluster.start({
    behaviour: ({ container }) => ({
      run: { kind: 'forever' },
      stopAfterMs: 0,
      output: [],
      ...script[container.name],
    }),
  });
  await cluster.run('job', { containers: [main()], ...spec } as PodSpec);
  return {
    cluster,
    running: async () =>
      (await cluster.runtime.containers.list({ state: 'running' }, signal)).map(({ name }) => name).toSorted(),
  };
}

const exits = (code: number, afterMs: number): Partial<ContainerBehaviour> => ({
  run: { kind: 'exits', code, afterMs },
});
const phase = (pod: Pod | undefined): string | undefined => pod?.status?.phase;

for (const [code, want] of [
  [0, 'Succeeded'],
  [5, 'Failed'],
] as const) {
  test(`sidecars: are stopped in turn, with time to end, when the others have ended with ${code}`, async () => {
    const { cluster, running } = await started(
      { main: exits(code, 2000), one: { stopAfterMs: 1500 }, two: { stopAfterMs: 1500 } },
      { restartPolicy: 'Never', initContainers: [sidecar('one'), sidecar('two')] },
    );
    await using _closing = cluster;
    await cluster.advance(1500);
    assert.deepEqual(await running(), ['main', 'one', 'two']);
    await cluster.advance(1500);
    assert.deepEqual(await running(), ['one', 'two'], 'they are told to end, not killed');
    assert.equal(phase(await cluster.pod('job')), 'Running', 'as long as anything runs');
    await cluster.advance(1500);
    assert.deepEqual(await running(), ['one'], 'the last one started goes first');
    await cluster.advance(2000);
    const pod = await cluster.pod('job');
    assert.equal(phase(pod), want);
    const codes = pod?.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode);
    assert.deepEqual(codes, [143, 143], 'how they ended decides nothing');
    assert.deepEqual(
      pod?.status?.initContainerStatuses?.map(({ restartCount }) => restartCount),
      [0, 0],
    );
    await cluster.advance(60_000);
    assert.equal(phase(await cluster.pod('job')), want);
    assert.deepEqual(cluster.troubles, []);
  });
}

test('sidecars: go too when an init container has failed for good; what never ran is not said to be lost', async () => {
  const { cluster, running } = await started(
    { init: exits(3, 1000) },
    { restartPolicy: 'Never', initContainers: [sidecar('side'), { name: 'init', image: 'x' }] },
  );
  await using _closing = cluster;
  await cluster.advance(3000);
  assert.deepEqual(await running(), []);
  const pod = await cluster.pod('job');
  assert.equal(phase(pod), 'Failed');
  assert.equal(pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing');
});

test('sidecars: one that fails is restarted whatever the policy, and holds nobody up', async () => {
  const { cluster } = await started(
    { side: exits(1, 500), main: exits(0, 15_000) },
    { restartPolicy: 'Never', initContainers: [sidecar('side')] },
  );
  await using _closing = cluster;
  await cluster.advance(12_000);
  const pod = await cluster.pod('job');
  assert.equal(phase(pod), 'Running');
  assert.equal(pod?.status?.initContainerStatuses?.[0]?.restartCount, 2);
  await cluster.advance(5000);
  assert.equal(phase(await cluster.pod('job')), 'Succeeded');
});

test('sidecars: their preStop hooks run from the beginning of the end, once; the stop signal comes in turn', async () => {
  const hooks: string[] = [];
  const hooked = (name: string): Partial<ContainerBehaviour> => ({
    stopAfterMs: 1000,
    answer: (question) => (question === 'exec:hook' && hooks.push(name) > 0 ? 'ok' : undefined),
  });
  const lifecycle = { preStop: exec };
  const { cluster, running } = await started(
    { main: { stopAfterMs: 3000 }, one: hooked('one'), two: hooked('two') },
    { initContainers: [sidecar('one', { lifecycle }), sidecar('two', { lifecycle })] },
  );
  await using _closing = cluster;
  await cluster.remove('job', 30);
  await cluster.advance(1000);
  assert.deepEqual(hooks.toSorted(), ['one', 'two']);
  assert.deepEqual(await running(), ['main', 'one', 'two']);
  await cluster.advance(2500);
  assert.deepEqual(await running(), ['one', 'two']);
  await cluster.advance(1000);
  assert.deepEqual(await running(), ['one']);
  await cluster.advance(2000);
  assert.equal(await cluster.pod('job'), undefined);
  assert.equal(hooks.length, 2);
});

test('sidecars: when the grace period is over the rest is told to end all at once, and has two seconds', async () => {
  const { cluster, running } = await started(
    { main: { stopAfterMs: Infinity }, one: { stopAfterMs: 1500 }, two: { stopAfterMs: Infinity } },
    { initContainers: [sidecar('one'), sidecar('two')] },
  );
  await using _closing = cluster;
  await cluster.remove('job', 5);
  await cluster.advance(4500);
  assert.deepEqual(await running(), ['main', 'one', 'two']);
  await cluster.advance(2000);
  assert.deepEqual(await running(), ['one', 'two']);
  await cluster.advance(1400);
  assert.deepEqual(await running(), ['two']);
  await cluster.advance(1500);
  assert.equal(await cluster.pod('job'), undefined);
});

test('hooks: a preStop hook that is done is not run again when the grace period is shortened', async () => {
  let ran = 0;
  const { cluster } = await started(
    {
      main: {
        stopAfterMs: Infinity,
        answer: (question) => (question === 'exec:hook' && ++ran > 0 ? 'ok' : undefined),
      },
    },
    { terminationGracePeriodSeconds: 500, containers: [main({ lifecycle: { preStop: exec } })] },
  );
  await using _closing = cluster;
  await cluster.remove('job');
  await cluster.advance(5000);
  await cluster.remove('job', 8);
  await cluster.advance(5000);
  assert.equal(await cluster.pod('job'), undefined);
  assert.equal(ran, 1);
});
