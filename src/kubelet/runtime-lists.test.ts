import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { labels } from '#kubelet/observed.ts';
import { RuntimeLists } from '#kubelet/runtime-lists.ts';

const never = new AbortController().signal;
const one = (id: string, uid: string, state: string): object => ({ id, state, labels: { [labels.podUid]: uid } });

test('runtime lists: only what is shown otherwise than the last time has changed', async () => {
  let [sandboxes, containers] = [
    [one('s1', 'a', 'ready'), one('s2', 'b', 'ready')],
    [one('c1', 'a', 'running'), one('c2', 'b', 'running')],
  ];
  const filters: unknown[] = [];
  const list = (of: () => readonly object[]) => async (filter: unknown) => (filters.push(filter), of());
  const runtime = { sandboxes: { list: list(() => sandboxes) }, containers: { list: list(() => containers) } };
  const lists = new RuntimeLists(runtime as unknown as ContainerRuntime, 'me');
  const changed = async (): Promise<readonly string[]> => {
    const { hasChanged } = await lists.next(never);
    return ['a', 'b'].filter(hasChanged);
  };
  assert.deepEqual(await changed(), ['a', 'b'], 'at first everything');
  assert.deepEqual(filters, Array(2).fill({ labels: { [labels.owner]: 'me' } }));
  assert.deepEqual(await changed(), []);
  containers = containers.toReversed();
  assert.deepEqual(await changed(), [], 'lists have no order');
  containers = [one('c1', 'a', 'running'), one('c2', 'b', 'exited')];
  assert.deepEqual(await changed(), ['b']);
  sandboxes = [one('s2', 'b', 'ready')];
  containers = [one('c2', 'b', 'exited')];
  assert.deepEqual(await changed(), ['a'], 'what is gone');
  assert.deepEqual([...(await lists.next(never)).uids], ['b']);
  lists.forget();
  assert.deepEqual(await changed(), ['a', 'b']);
});
