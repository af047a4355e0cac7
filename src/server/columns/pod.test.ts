import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerStatus, Pod, PodStatus } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { podColumns } from '#server/columns/pod.ts';

const NOW = Date.parse('2026-01-31T09:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const container = (
  name: string,
  state: ContainerStatus['state'],
  more: Partial<ContainerStatus> = {},
): ContainerStatus =>
  ({
    name,
    state,
    ready: state?.running !== undefined,
    restartCount: 0,
    image: 'x',
    imageID: '',
    ...more,
  }) as ContainerStatus;
const running = { running: { startedAt: ago(60) } } as ContainerStatus['state'];
const waiting = (reason: string): ContainerStatus['state'] => ({ waiting: { reason } });
const ended = (exitCode: number, reason?: string, signal?: number): ContainerStatus['state'] =>
  ({
    terminated: { exitCode, ...(reason ? { reason } : {}), ...(signal ? { signal } : {}) },
  }) as ContainerStatus['state'];
const crashed = (seconds: number): Partial<ContainerStatus> => ({
  restartCount: 3,
  lastState: { terminated: { exitCode: 1, finishedAt: ago(seconds) } } as ContainerStatus['state'] & object,
});

const cases: readonly { name: string; status: PodStatus; spec?: object; deleted?: boolean; want: string }[] = [
  { name: 'new', status: { phase: 'Pending' }, want: '0/2 Pending 0' },
  {
    name: 'creating',
    status: {
      phase: 'Pending',
      containerStatuses: [container('a', waiting('ContainerCreating')), container('b', waiting('ContainerCreating'))],
    },
    want: '0/2 ContainerCreating 0',
  },
  {
    name: 'running',
    status: { phase: 'Running', containerStatuses: [container('a', running), container('b', running)] },
    want: '2/2 Running 0',
  },
  {
    name: 'one crashes',
    status: {
      phase: 'Running',
      containerStatuses: [container('a', waiting('CrashLoopBackOff'), crashed(10)), container('b', running)],
    },
    want: '1/2 CrashLoopBackOff 3 (10s ago)',
  },
  {
    name: 'all done',
    status: {
      phase: 'Succeeded',
      containerStatuses: [container('a', ended(0, 'Completed')), container('b', ended(0, 'Completed'))],
    },
    want: '0/2 Completed 0',
  },
  {
    name: 'failed',
    status: {
      phase: 'Failed',
      containerStatuses: [container('a', ended(1, 'Error')), container('b', ended(0, 'Completed'))],
    },
    want: '0/2 Error 0',
  },
  {
    name: 'killed without a reason',
    status: { phase: 'Failed', containerStatuses: [container('a', ended(137, undefined, 9))] },
    want: '0/2 Signal:9 0',
  },
  {
    name: 'exit code without a reason',
    status: { phase: 'Failed', containerStatuses: [container('a', ended(3))] },
    want: '0/2 ExitCode:3 0',
  },
  {
    name: 'one done, one runs, not ready',
    status: { phase: 'Running', containerStatuses: [container('a', ended(0, 'Completed')), container('b', running)] },
    want: '1/2 NotReady 0',
  },
  { name: 'evicted', status: { phase: 'Failed', reason: 'Evicted' }, want: '0/2 Evicted 0' },
  {
    name: 'being deleted',
    deleted: true,
    status: { phase: 'Running', containerStatuses: [container('a', running), container('b', running)] },
    want: '2/2 Terminating 0',
  },
  {
    name: 'ended and being deleted',
    deleted: true,
    status: { phase: 'Succeeded', containerStatuses: [container('a', ended(0, 'Completed'))] },
    want: '0/2 Completed 0',
  },
  { name: 'node lost', deleted: true, status: { phase: 'Running', reason: 'NodeLost' }, want: '0/2 Unknown 0' },
  {
    name: 'gated',
    status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    want: '0/2 SchedulingGated 0',
  },
  {
    name: 'init, first of two',
    spec: { initContainers: [{ name: 'i' }, { name: 'j' }] },
    status: {
      phase: 'Pending',
      initContainerStatuses: [container('i', running), container('j', waiting('PodInitializing'))],
    },
    want: '0/2 Init:0/2 0',
  },
  {
    name: 'init, second of two',
    spec: { initContainers: [{ name: 'i' }, { name: 'j' }] },
    status: {
      phase: 'Pending',
      initContainerStatuses: [container('i', ended(0, 'Completed')), container('j', running)],
    },
    want: '0/2 Init:1/2 0',
  },
  {
    name: 'init crashes',
    spec: { initContainers: [{ name: 'i' }] },
    status: { phase: 'Pending', initContainerStatuses: [container('i', waiting('CrashLoopBackOff'), crashed(130))] },
    want: '0/2 Init:CrashLoopBackOff 3 (2m10s ago)',
  },
  {
    name: 'sidecar counts',
    spec: { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
    status: {
      phase: 'Running',
      initContainerStatuses: [container('s', running, { started: true })],
      containerStatuses: [container('a', running), container('b', running)],
    },
    want: '3/3 Running 0',
  },
];
for (const { name, status, spec, deleted, want } of cases) {
  test(`pod columns: ${name}`, () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', creationTimestamp: ago(53), ...(deleted ? { deletionTimestamp: ago(0) } : {}) },
      spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec },
      status,
    } as unknown as Pod;
    const cells = podColumns.map(({ value }) => value(pod as KubeObject, NOW));
    assert.equal(cells.slice(1, 4).join(' '), want);
    assert.deepEqual([cells[0], ...cells.slice(4)], ['p', '53s', '<none>', '<none>', '<none>', '<none>']);
  });
}
