import type { Container, NodeSelectorTerm, PodSpec } from '#api/generated/core-v1.ts';
import { notInRange } from '#api/names.ts';
import { differenceText, differences, semanticallyEqual } from '#api/semantic-diff.ts';
import type { Finding } from '#api/validation/check.ts';

/**
 * What may change in a pod's spec: images, a deadline that comes nearer, more tolerations, fewer scheduling gates, and
 * while it is gated a narrower choice of nodes. What may change is put back to what it was; then nothing may differ.
 */
const changeable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];
const mostInt32 = 2 ** 31 - 1;

export function validatePodChange(spec: PodSpec, old: PodSpec, found: Finding): void {
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list]?.length ?? 0) !== (old[list]?.length ?? 0)) {
      found.child(list).forbidden('pod updates may not add or remove containers');
      return;
    }
  }
  if (!validateDeadline(spec, old, found.child('activeDeadlineSeconds'))) return;
  validateTolerationChange(spec, old, found.child('tolerations'));
  validateGateChange(spec, old, found.child('schedulingGates'));
  if (spec === old) return;
  let restored = restoreChangeable(spec, old);
  if ((old.schedulingGates?.length ?? 0) > 0) {
    validateGatedPlacement(spec, old, found);
    restored = restorePlacement(restored, old);
  }
  const changes = differences(old, restored, 'spec');
  if (changes.length === 0) return;
  const list = changes.map(differenceText).join('\n');
  found.forbidden(`pod updates may not change fields other than ${changeable.join(',')}\n${list}`);
}

/** False when the deadline is so wrong that upstream looks no further. */
function validateDeadline(spec: PodSpec, old: PodSpec, found: Finding): boolean {
  const { activeDeadlineSeconds: after } = spec;
  const { activeDeadlineSeconds: before } = old;
  if (after === undefined) {
    if (before !== undefined) found.invalid(undefined, 'must not update from a positive integer to nil value');
    return true;
  }
  if (after < 0 || after > mostInt32) {
    found.invalid(after, notInRange(0, mostInt32));
    return false;
  }
  if (before === undefined || after <= before) return true;
  found.invalid(after, 'must be less than or equal to previous value');
  return false;
}

/** A toleration may only change in its seconds. */
function validateTolerationChange(spec: PodSpec, old: PodSpec, found: Finding): void {
  const given = spec.tolerations ?? [];
  for (const { tolerationSeconds: _, ...before } of old.tolerations ?? []) {
    const isKept = given.some(({ tolerationSeconds: __, ...after }) => semanticallyEqual(before, after));
    if (isKept) continue;
    found.forbidden('existing toleration can not be modified except its tolerationSeconds');
    return;
  }
}

function validateGateChange(spec: PodSpec, old: PodSpec, found: Finding): void {
  const before = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (before.has(name)) continue;
    found.at(index).child('name').forbidden(`only deletion is allowed, but found new scheduling gate '${name}'`);
  }
}

function restoreChangeable(spec: PodSpec, old: PodSpec): PodSpec {
  const { activeDeadlineSeconds, schedulingGates, tolerations } = old;
  const { activeDeadlineSeconds: _, schedulingGates: __, tolerations: ___, ...kept } = spec;
  const mended = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  return {
    ...kept,
    containers: restoreImages(spec.containers, old.containers),
    initContainers: restoreImages(spec.initContainers ?? [], old.initContainers ?? []),
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
    ...(schedulingGates === undefined ? {} : { schedulingGates }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(mended ? { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds ?? 0 } : {}),
  };
}

const restoreImages = (containers: readonly Container[], old: readonly Container[]): readonly Container[] =>
  containers.map((container, index) => {
    const image = old[index]?.image;
    return image === undefined ? container : { ...container, image };
  });

function validateGatedPlacement(spec: PodSpec, old: PodSpec, found: Finding): void {
  const isNarrower = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => spec.nodeSelector?.[key] === value);
  if (!isNarrower) {
    const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    found.child('nodeSelector').invalid(spec.nodeSelector ?? {}, why);
  }
  const before = requiredTerms(old);
  const after = requiredTerms(spec);
  if (before.length === 0) return;
  const own = found.child('affinity').child('nodeAffinity').child('requiredDuringSchedulingIgnoredDuringExecution');
  const terms = own.child('nodeSelectorTerms');
  if (before.length !== after.length) {
    terms.invalid(after, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed');
    return;
  }
  for (const [index, term] of after.entries()) {
    if (hasOnlyAdditions(term, before[index] ?? {})) continue;
    terms.at(index).invalid(term, 'only additions are allowed (no mutations or deletions)');
  }
}

const requiredTerms = (spec: PodSpec): readonly NodeSelectorTerm[] =>
  spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];

/** An empty term matches nothing: whatever is added to it would make it match more. */
function hasOnlyAdditions(after: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const;
  if (lists.every((name) => (before[name]?.length ?? 0) === 0)) {
    return lists.every((name) => (after[name]?.length ?? 0) === 0);
  }
  return lists.every((name) => {
    const kept = before[name] ?? [];
    return semanticallyEqual((after[name] ?? []).slice(0, kept.length), kept);
  });
}

function restorePlacement(spec: PodSpec, old: PodSpec): PodSpec {
  const { nodeSelector: _, affinity, ...kept } = spec;
  const { nodeAffinity: __, ...others } = affinity ?? {};
  const nodeAffinity = old.affinity?.nodeAffinity;
  return {
    ...kept,
    ...(old.nodeSelector === undefined ? {} : { nodeSelector: old.nodeSelector }),
    affinity: nodeAffinity === undefined ? others : { ...others, nodeAffinity },
  };
}
