import type { Pod, PodStatus } from '#api/generated/core-v1.ts';
import type { Desired, TerminationCause } from '#kubelet/plan.ts';
import { isTerminal } from '#kubelet/status.ts';
import type { Course } from '#kubelet/status-context.ts';

/**
 * Where a pod is headed, as its worker remembers it from one look to the next. It only ever goes on: an end that has begun
 * is never called off, its deadline only comes nearer, and who was turned away stays so.
 */
export interface Heading {
  readonly ending: Ending | undefined;
  /** When what is left of a pod that the API knows no more is to be gone, epoch ms. */
  readonly forgetBy: number | undefined;
  readonly rejection: Rejection | undefined;
}

export interface Ending {
  readonly cause: TerminationCause;
  readonly deadlineAt: number;
}

/** Why this node will not run a pod, in upstream's words. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

export const setOut: Heading = { ending: undefined, forgetBy: undefined, rejection: undefined };

/** What is known of a pod besides what the runtime holds. */
export interface PodNews {
  /** As it was last heard of; undefined for what was only found in the runtime. */
  readonly pod: Pod | undefined;
  readonly known: 'yes' | 'gone';
  /** What this kubelet last said of it, or an earlier one did. */
  readonly status: PodStatus | undefined;
}

/** When the pod's object is gone from the API, what is left of it is given this long. */
const ORPHAN_GRACE_MS = 2000;

/** Where it is headed from now on. */
export function headOn(before: Heading, { pod, known, status }: PodNews, now: number): Heading {
  if (pod === undefined || known === 'gone') {
    const graceMs = Math.min(ORPHAN_GRACE_MS, graceOf(pod));
    return { ...before, forgetBy: before.forgetBy ?? now + graceMs };
  }
  const { deletionTimestamp } = pod.metadata;
  // The stamp is in whole seconds, rounded down: a container is never given less than was asked for.
  if (deletionTimestamp !== undefined) return ended(before, 'deleted', Date.parse(deletionTimestamp) + 999);
  if (before.ending !== undefined || isTerminal(status?.phase)) return before;
  const activeUntil = activeDeadline(pod, status);
  if (activeUntil === undefined || now < activeUntil) return before;
  return ended(before, 'deadline-exceeded', now + graceOf(pod));
}

/** What that means for the pod now. */
export function desiredOf({ ending, forgetBy, rejection }: Heading, { pod, known, status }: PodNews): Desired {
  if (pod === undefined || known === 'gone') {
    return { kind: 'forget', deadlineAt: Math.min(forgetBy ?? Infinity, ending?.deadlineAt ?? Infinity) };
  }
  const over = isTerminal(status?.phase) || rejection !== undefined;
  if (over && ending?.cause !== 'deleted') return { kind: 'release', pod };
  return ending === undefined ? { kind: 'run', pod } : { kind: 'terminate', pod, ...ending };
}

/** When time alone changes where it is headed. */
export const turnsAt = ({ ending }: Heading, { pod, status }: PodNews): number | undefined =>
  pod === undefined || ending !== undefined || isTerminal(status?.phase) ? undefined : activeDeadline(pod, status);

/** What its status has to say of it. */
export function courseOf({ ending, rejection }: Heading): Course {
  if (rejection !== undefined) return { kind: 'rejected', ...rejection };
  if (ending === undefined) return { kind: 'running' };
  if (ending.cause !== 'deadline-exceeded') return { kind: 'ending' };
  const message = 'Pod was active on the node longer than the specified deadline';
  return { kind: 'ending', reason: 'DeadlineExceeded', message };
}

const ended = (before: Heading, cause: TerminationCause, deadlineAt: number): Heading => ({
  ...before,
  ending: {
    cause: before.ending?.cause === 'deleted' ? 'deleted' : cause,
    deadlineAt: Math.min(deadlineAt, before.ending?.deadlineAt ?? Infinity),
  },
});

const graceOf = (pod: Pod | undefined): number => (pod?.spec.terminationGracePeriodSeconds ?? 30) * 1000;

function activeDeadline({ spec }: Pod, status: PodStatus | undefined): number | undefined {
  const { activeDeadlineSeconds: seconds } = spec;
  const startedAt = status?.startTime;
  return seconds === undefined || startedAt === undefined ? undefined : Date.parse(startedAt) + seconds * 1000;
}
