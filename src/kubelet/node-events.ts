import type { NodeStatus } from '#api/generated/core-v1.ts';
import type { EventText } from '#client/events.ts';

/** What people read below `kubectl describe node`, in upstream's words, when a node says something other of itself than before. */
export function nodeEvents(
  name: string,
  before: NodeStatus | undefined,
  after: NodeStatus,
): readonly Pick<EventText, 'type' | 'reason' | 'message'>[] {
  const was = (type: string): string | undefined =>
    before?.conditions?.find((condition) => condition.type === type)?.status;
  const changed = (after.conditions ?? []).filter(({ type, status }) => was(type) !== status);
  const reasons = changed.flatMap(
    ({ type, status }) => eventReasons[type]?.[status === 'True' ? 'True' : 'False'] ?? [],
  );
  const [bootBefore, boot] = [before?.nodeInfo?.bootID, after.nodeInfo?.bootID];
  return [
    ...(bootBefore && boot !== bootBefore
      ? [{ type: 'Warning', reason: 'Rebooted', message: `Node ${name} has been rebooted, boot id: ${boot}` } as const]
      : []),
    ...reasons.map((reason) => ({
      type: 'Normal' as const,
      reason,
      message: `Node ${name} status is now: ${reason}`,
    })),
  ];
}

const eventReasons: Readonly<Record<string, { readonly True: string; readonly False: string }>> = {
  MemoryPressure: { True: 'NodeHasInsufficientMemory', False: 'NodeHasSufficientMemory' },
  DiskPressure: { True: 'NodeHasDiskPressure', False: 'NodeHasNoDiskPressure' },
  PIDPressure: { True: 'NodeHasInsufficientPID', False: 'NodeHasSufficientPID' },
  Ready: { True: 'NodeReady', False: 'NodeNotReady' },
};
