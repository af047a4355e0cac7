/**
 * Taints repel pods from nodes, tolerations let them in. As upstream: an empty effect or key of a toleration stands for
 * all of them, an empty operator for `Equal`.
 */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';
export const unschedulableTaint = 'node.kubernetes.io/unschedulable';
export const memoryPressureTaint = 'node.kubernetes.io/memory-pressure';
export const diskPressureTaint = 'node.kubernetes.io/disk-pressure';
export const pidPressureTaint = 'node.kubernetes.io/pid-pressure';
export const networkUnavailableTaint = 'node.kubernetes.io/network-unavailable';
/** Set by people who know that a node is down for good: what hangs on it may be given up. */
export const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/** A node has one taint of a key and effect; value and time do not count. */
export const isSameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    default:
      return false;
  }
}

/** The first taint that counts and that nothing tolerates; undefined when there is none. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  counts: (taint: Taint) => boolean,
): Taint | undefined {
  return taints?.find((taint) => counts(taint) && !(tolerations ?? []).some((each) => tolerates(each, taint)));
}

/** What keeps a pod from being scheduled on a node: `PreferNoSchedule` only makes the node less liked. */
export const isHardTaint = ({ effect }: Taint): boolean => effect === 'NoSchedule' || effect === 'NoExecute';

/** How long a pod may stay on a node with these NoExecute taints. */
export type Stay = { readonly kind: 'evict' } | { readonly kind: 'stay'; readonly forMs: number | undefined };

/** The shortest of the times its tolerations grant; `forMs` undefined means for ever. A negative time is none. */
export function stayOf(taints: readonly Taint[], tolerations: readonly Toleration[] | undefined): Stay {
  let forMs: number | undefined;
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue;
    const matching = (tolerations ?? []).filter((each) => tolerates(each, taint));
    if (matching.length === 0) return { kind: 'evict' };
    for (const { tolerationSeconds } of matching) {
      if (tolerationSeconds === undefined) continue;
      forMs = Math.min(forMs ?? Infinity, Math.max(0, tolerationSeconds) * 1000);
    }
  }
  return { kind: 'stay', forMs };
}

/** Tolerations are the same when they differ in nothing but their seconds. */
export const matchesToleration = (a: Toleration, b: Toleration): boolean =>
  (a.key ?? '') === (b.key ?? '') &&
  (a.effect ?? '') === (b.effect ?? '') &&
  (a.operator ?? '') === (b.operator ?? '') &&
  (a.value ?? '') === (b.value ?? '');
