import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerId, ContainerRuntime } from '#cri/runtime.ts';
import { PodObserver } from '#kubelet/pod-observer.ts';

const never = new AbortController().signal;

/** Counts how often it is asked for its sandboxes; fails as long as it is told to. */
function countingRuntime(): { readonly runtime: ContainerRuntime; lists: number; failing: boolean; state: string } {
  const world = { lists: 0, failing: false, state: 'running', runtime: {} as ContainerRuntime };
  const list = async (): Promise<unknown[]> => {
    world.lists++;
    if (world.failing) throw new Error('no runtime');
    return [];
  };
  const containers = {
    list: async () => [{ id: 'c1', sandbox: 's1', state: world.state }],
    status: async () => ({ id: 'c1', name: 'c', annotations: {}, state: { kind: world.state } }),
  };
  world.runtime = { sandboxes: { list }, containers } as unknown as ContainerRuntime;
  return world;
}

test('pod observer: a look is good until something may have happened', async () => {
  const world = countingRuntime();
  const observer = new PodObserver(world.runtime, 'u1');
  const first = await observer.look(never);
  assert.deepEqual([(await observer.look(never)).containers, world.lists], [first.containers, 1]);
  observer.outdate();
  await observer.look(never);
  assert.equal(world.lists, 2);
});

test('pod observer: what happens during a look is looked at again', async () => {
  const world = countingRuntime();
  const observer = new PodObserver(world.runtime, 'u1');
  const looking = observer.look(never);
  observer.outdate();
  await looking;
  await observer.look(never);
  assert.equal(world.lists, 2);
});

test('pod observer: a look that failed, or met a container in an unknown state, is no look', async () => {
  const world = countingRuntime();
  const observer = new PodObserver(world.runtime, 'u1');
  world.failing = true;
  await assert.rejects(observer.look(never), /no runtime/);
  world.failing = false;
  world.state = 'unknown';
  await observer.look(never);
  world.state = 'running';
  await observer.look(never);
  await observer.look(never);
  assert.equal(world.lists, 3);
});

test('pod observer: an end is believed before the status shows it, until the status is good again', async () => {
  const world = countingRuntime();
  const observer = new PodObserver(world.runtime, 'u1');
  const seen = async (): Promise<unknown> => {
    const [container] = (await observer.look(never)).containers;
    return { ...container?.state, isClearing: container?.isClearing };
  };
  await observer.look(never);
  observer.ended('c1' as ContainerId, { exitCode: 3, at: 5 });
  const early = { kind: 'exited', startedAt: undefined, finishedAt: 5, exitCode: 3, reason: 'Error', message: '' };
  assert.deepEqual(await seen(), { ...early, isClearing: true });
  assert.equal(world.lists, 1, 'nobody is asked for it');
  observer.outdate();
  assert.deepEqual(await seen(), { ...early, isClearing: true });
  // It was never true, or the runtime never says so.
  observer.settled('c1' as ContainerId);
  assert.deepEqual(await seen(), { kind: 'running', isClearing: undefined });
});
