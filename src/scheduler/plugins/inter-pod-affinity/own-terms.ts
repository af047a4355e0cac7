import type { Pod } from '#api/generated/core-v1.ts';
import { podTermOf, type PodTerm } from '#scheduler/pod-term.ts';

/** What a pod asks of other pods, and of where they are. */
export interface OwnTerms {
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  readonly preferred: readonly WeightedTerm[];
}

export interface WeightedTerm {
  readonly term: PodTerm;
  /** Below 0 for anti-affinity. */
  readonly weight: number;
}

const none: OwnTerms = { affinity: [], antiAffinity: [], preferred: [] };
const known = new WeakMap<Pod['spec'], OwnTerms>();

/** Read once a spec. */
export function ownTermsOf(pod: Pod): OwnTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return none;
  let terms = known.get(pod.spec);
  if (terms === undefined) {
    terms = read(pod);
    known.set(pod.spec, terms);
  }
  return terms;
}

function read(pod: Pod): OwnTerms {
  const { podAffinity: near, podAntiAffinity: far } = pod.spec.affinity ?? {};
  const weighted = (terms: typeof soft, sign: 1 | -1): readonly WeightedTerm[] =>
    terms.map(({ weight, podAffinityTerm }) => ({ term: podTermOf(podAffinityTerm, pod), weight: sign * weight }));
  const soft = near?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return {
    affinity: (near?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => podTermOf(term, pod)),
    antiAffinity: (far?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => podTermOf(term, pod)),
    preferred: [...weighted(soft, 1), ...weighted(far?.preferredDuringSchedulingIgnoredDuringExecution ?? [], -1)],
  };
}
