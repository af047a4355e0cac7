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
  /** Why the node ended it, as its status is to say. */
  readonly why?: Rejection;
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

/** What an evicted pod's containers get, whatever the pod asks for; upstream's. */
const EVICTION_GRACE_MS = 1000;
const pastDeadline: Rejection = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

/** Where it is headed from now on. `completed`: those that decide how it ends have all ended. */
export function headOn(
  before: Heading,
  { pod, known, status }: PodNews,
  { now, completed }: { readonly now: number; readonly completed: boolean },
): Heading {
  if (pod === undefined || known === 'gone') {
    const graceMs = Math.min(ORPHAN_GRACE_MS, graceOf(pod));
    return { ...before, forgetBy: before.forgetBy ?? now + graceMs };
  }
  const { deletionTimestamp } = pod.metadata;
  // The stamp is in whole seconds, rounded down: a container is never given less than was asked for.
  if (deletionTimestamp !== undefined) {
    return ended(before, { cause: 'deleted', deadlineAt: Date.parse(deletionTimestamp) + 999 });
  }
  if (before.ending !== undefined || isTerminal(status?.phase)) return before;
  const activeUntil = activeDeadline(pod, status);
  const deadlineAt = now + graceOf(pod);
  if (activeUntil !== undefined && now >= activeUntil) {
    return ended(before, { cause: 'deadline-exceeded', deadlineAt, why: pastDeadline });
  }
  return completed ? ended(before, { cause: 'completed', deadlineAt }) : before;
}

/** The node cannot keep it. Nothing changes for a pod that ends already, or has ended. */
export function evicted(
  before: Heading,
  { pod, known, status }: PodNews,
  { message, now }: { readonly message: string; readonly now: number },
): Heading {
  const isOver = before.ending !== undefined || before.rejection !== undefined || isTerminal(status?.phase);
  if (pod === undefined || known === 'gone' || pod.metadata.deletionTimestamp !== undefined || isOver) return before;
  return ended(before, { cause: 'evicted', deadlineAt: now + EVICTION_GRACE_MS, why: { reason: 'Evicted', message } });
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
  return ending === undefined ? { kind: 'running' } : { kind: 'ending', ...ending.why };
}

function ended(before: Heading, ending: Ending): Heading {
  const { cause, deadlineAt, why } = ending;
  const said = before.ending?.why ?? why;
  return {
    ...before,
    ending: {
      cause: before.ending?.cause === 'deleted' ? 'deleted' : cause,
      deadlineAt: Math.min(deadlineAt, before.ending?.deadlineAt ?? Infinity),
      ...(said === undefined ? {} : { why: said }),
    },
  };
}

const graceOf = (pod: Pod | undefined): number => (pod?.spec.terminationGracePeriodSeconds ?? 30) * 1000;

function activeDeadline({ spec }: Pod, status: PodStatus | undefined): number | undefined {
  const { activeDeadlineSeconds: seconds } = spec;
  const startedAt = status?.startTime;
  return seconds === undefined || startedAt === undefined ? undefined : Date.parse(startedAt) + seconds * 1000;
}
