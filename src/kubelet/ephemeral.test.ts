import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '#api/generated/core-v1.ts';
import { aContainer, aPod, aSandbox, exited, found, observed, running } from '#kubelet/fixtures.ts';
import type { Observed } from '#kubelet/observed.ts';
import { checkPlans } from '#kubelet/plan-cases.ts';
import type { Desired } from '#kubelet/plan.ts';
import { statusOf } from '#kubelet/status.ts';

const withDebugger: Partial<PodSpec> = { ephemeralContainers: [aContainer('debug')] };
const run = (spec: Partial<PodSpec> = {}): Desired => ({ kind: 'run', pod: aPod({ ...withDebugger, ...spec }) });
const up = { sandboxes: [aSandbox()] };
const init = { initContainers: [aContainer('init')] };

checkPlans([
  {
    name: 'ephemeral: begins in a pod that runs',
    desired: run(),
    observed: { ...up, containers: [found('main', running())] },
    want: ['create-container debug#0'],
  },
  {
    name: 'ephemeral: does not wait for init containers',
    desired: run(init),
    observed: { ...up, containers: [found('init', running())] },
    want: ['create-container debug#0'],
  },
  {
    name: 'ephemeral: is not restarted, however it ended',
    desired: run(),
    observed: { ...up, containers: [found('main', running()), found('debug', exited(1))] },
    want: [],
  },
  {
    name: 'ephemeral: is not made anew in a new sandbox',
    desired: run(),
    observed: {
      sandboxes: [aSandbox(1)],
      containers: [found('main', running(), { sandbox: aSandbox(1).id, attempt: 1 })],
      previous: statusOfRunning(),
    },
    want: [],
  },
  {
    name: 'ephemeral: needs no sandbox of its own when the pod has ended',
    desired: run({ restartPolicy: 'Never' }),
    observed: { containers: [found('main', exited(0))] },
    want: [],
  },
  {
    name: 'ephemeral: ends with its pod',
    desired: { kind: 'terminate', pod: aPod(withDebugger), deadlineAt: 30_000, cause: 'deleted' },
    observed: { ...up, containers: [found('debug', running())] },
    want: ['stop-container by 30000'],
  },
]);

function shown(seen: Partial<Observed>, spec: Partial<PodSpec> = {}): ReturnType<typeof statusOf> {
  const node = { addresses: ['192.168.0.7'], runtimeName: 'containerd' };
  return statusOf({ pod: aPod({ ...withDebugger, ...spec }), course: { kind: 'running' }, node }, observed(seen), 0);
}

function statusOfRunning(): ReturnType<typeof statusOf> {
  return shown({ ...up, containers: [found('main', running()), found('debug', running())] });
}

test('statusOf: an ephemeral container is told of, and nothing depends on it', () => {
  const status = statusOfRunning();
  const [one, ...rest] = status.ephemeralContainerStatuses ?? [];
  assert.deepEqual([one?.name, one?.ready, one?.state?.running !== undefined, rest.length], ['debug', false, true, 0]);
  assert.deepEqual(
    status.containerStatuses?.map(({ name }) => name),
    ['main'],
  );
  const ended = shown({ ...up, containers: [found('main', running()), found('debug', exited(1))] });
  assert.equal(ended.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, 1);
  assert.equal(ended.phase, 'Running');
  assert.equal(ended.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  const over = shown({ containers: [found('main', exited(0)), found('debug', exited(1))] }, { restartPolicy: 'Never' });
  assert.equal(over.phase, 'Succeeded');
});
