import type {
  Affinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
  WeightedPodAffinityTerm,
} from '#api/generated/core-v1.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, labelValueProblems } from '#api/names.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateLabelName, validateLabelSelector } from '#api/validation/metadata.ts';

/** What a pod says about the nodes it may go to, and beside whom. */
export function validateAffinity(affinity: Affinity | undefined, found: Finding): void {
  if (affinity === undefined) return;
  const { nodeAffinity: node } = affinity;
  if (node !== undefined) {
    const own = found.child('nodeAffinity');
    const { requiredDuringSchedulingIgnoredDuringExecution: required } = node;
    if (required !== undefined) {
      validateNodeSelector(required, own.child('requiredDuringSchedulingIgnoredDuringExecution'));
    }
    for (const [index, term] of (node.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const at = own.child('preferredDuringSchedulingIgnoredDuringExecution').at(index);
      validateWeight(term.weight, at.child('weight'));
      validateNodeSelectorTerm(term.preference ?? {}, 'preferred', at.child('preference'));
    }
  }
  for (const name of ['podAffinity', 'podAntiAffinity'] as const) {
    const pods = affinity[name];
    if (pods === undefined) continue;
    const own = found.child(name);
    for (const [index, term] of (pods.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      validatePodTerm(term, own.child('requiredDuringSchedulingIgnoredDuringExecution').at(index));
    }
    for (const [index, term] of (pods.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      validateWeightedTerm(term, own.child('preferredDuringSchedulingIgnoredDuringExecution').at(index));
    }
  }
}

export function validateNodeSelector(selector: NodeSelector, found: Finding): void {
  const nodeSelectorTerms = selector.nodeSelectorTerms ?? [];
  const own = found.child('nodeSelectorTerms');
  if (nodeSelectorTerms.length === 0) own.required('must have at least one node selector term');
  for (const [index, term] of nodeSelectorTerms.entries()) validateNodeSelectorTerm(term, 'required', own.at(index));
}

/** A preferred term may name values that no label can have: it then matches nothing, which does no harm. */
function validateNodeSelectorTerm(term: NodeSelectorTerm, kind: 'required' | 'preferred', found: Finding): void {
  for (const [index, requirement] of (term.matchExpressions ?? []).entries()) {
    const own = found.child('matchExpressions').at(index);
    validateExpression(requirement, own);
    if (kind === 'preferred') continue;
    for (const [at, value] of (requirement.values ?? []).entries()) {
      own.child('values').at(at).problems(value, labelValueProblems(value));
    }
  }
  for (const [index, requirement] of (term.matchFields ?? []).entries()) {
    validateFieldRequirement(requirement, found.child('matchFields').at(index));
  }
}

function validateExpression({ key, operator, values = [] }: NodeSelectorRequirement, found: Finding): void {
  const own = found.child('values');
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) own.required("must be specified when `operator` is 'In' or 'NotIn'");
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) own.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) own.required("must be specified single value when `operator` is 'Lt' or 'Gt'");
      break;
    default:
      found.child('operator').invalid(operator ?? '', 'not a valid selector operator');
  }
  validateLabelName(key, found.child('key'));
}

function validateFieldRequirement({ key, operator, values = [] }: NodeSelectorRequirement, found: Finding): void {
  if (operator !== 'In' && operator !== 'NotIn') {
    found.child('operator').invalid(operator ?? '', 'not a valid selector operator');
  } else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    found.child('values').required(why);
  }
  if (key !== 'metadata.name') found.child('key').invalid(key ?? '', 'not a valid field selector key');
  else {
    for (const [index, value] of values.entries()) {
      found.child('values').at(index).problems(value, dns1123SubdomainProblems(value));
    }
  }
}

function validateWeight(weight: number | undefined, found: Finding): void {
  if (weight === undefined || weight < 1 || weight > 100) found.invalid(weight ?? 0, 'must be in the range 1-100');
}

function validateWeightedTerm({ weight, podAffinityTerm }: WeightedPodAffinityTerm, found: Finding): void {
  validateWeight(weight, found.child('weight'));
  validatePodTerm(podAffinityTerm ?? { topologyKey: '' }, found.child('podAffinityTerm'));
}

function validatePodTerm(term: PodAffinityTerm, found: Finding): void {
  const { labelSelector, namespaceSelector, namespaces = [] } = term;
  const topologyKey = term.topologyKey ?? '';
  validateLabelSelector(labelSelector, found.child('labelSelector'));
  validateLabelSelector(namespaceSelector, found.child('namespaceSelector'));
  for (const name of namespaces) found.child('namespace').problems(name, dns1123LabelProblems(name));
  validateLabelKeys(term, found);
  if (topologyKey === '') found.child('topologyKey').required('can not be empty');
  validateLabelName(topologyKey, found.child('topologyKey'));
}

function validateLabelKeys(term: PodAffinityTerm, found: Finding): void {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  for (const [name, keys] of [
    ['matchLabelKeys', matchLabelKeys] as const,
    ['mismatchLabelKeys', mismatchLabelKeys] as const,
  ]) {
    if (keys.length === 0) continue;
    const own = found.child(name);
    if (labelSelector === undefined) own.forbidden('must not be specified when labelSelector is not set');
    else for (const [index, key] of keys.entries()) validateLabelName(key, own.at(index));
  }
  for (const [index, key] of matchLabelKeys.entries()) {
    if (!mismatchLabelKeys.includes(key)) continue;
    found.child('matchLabelKeys').at(index).invalid(key, 'exists in both matchLabelKeys and mismatchLabelKeys');
  }
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateTaintEffect(effect: string | undefined, found: Finding): void {
  found.requiredOneOf(effect, effects);
}

export function validateTolerations(tolerations: readonly Toleration[], found: Finding): void {
  for (const [index, { key, operator, value = '', effect, tolerationSeconds }] of tolerations.entries()) {
    const own = found.at(index);
    if (key) validateLabelName(key, own.child('key'));
    else if (operator !== 'Exists') {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      own.child('operator').invalid(operator ?? '', why);
    }
    if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
      own.child('effect').invalid(effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (!operator || operator === 'Equal') {
      const problems = labelValueProblems(value);
      if (problems.length > 0) own.child('operator').invalid(value, problems.join(';'));
    } else if (operator === 'Exists') {
      if (value !== '') own.child('operator').invalid(value, "value must be empty when `operator` is 'Exists'");
    } else own.child('operator').unsupported(operator, ['Equal', 'Exists']);
    if (effect) own.child('effect').oneOf(effect, effects);
  }
}

export function validateSpread(constraints: readonly TopologySpreadConstraint[], found: Finding): void {
  for (const [index, constraint] of constraints.entries()) {
    const own = found.at(index);
    const { whenUnsatisfiable, minDomains, labelSelector } = constraint;
    const maxSkew = constraint.maxSkew ?? 0;
    const topologyKey = constraint.topologyKey ?? '';
    if (maxSkew <= 0) own.child('maxSkew').invalid(maxSkew, 'must be greater than zero');
    own.child('topologyKey').text(topologyKey, 'can not be empty');
    const actions = ['DoNotSchedule', 'ScheduleAnyway'];
    if (!actions.includes(whenUnsatisfiable))
      own.child('whenUnsatisfiable').unsupported(whenUnsatisfiable ?? '', actions);
    const isRepeated = constraints
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (isRepeated) {
      own.child('{topologyKey, whenUnsatisfiable}').duplicate(`{${topologyKey}, ${whenUnsatisfiable}}`);
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) own.child('minDomains').invalid(minDomains, 'must be greater than zero');
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        own.child('minDomains').invalid(minDomains, why);
      }
    }
    own.child('nodeAffinityPolicy').oneOf(constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
    own.child('nodeTaintsPolicy').oneOf(constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
    validateSpreadKeys(constraint, own.child('matchLabelKeys'));
    validateLabelSelector(labelSelector, own.child('labelSelector'));
  }
}

function validateSpreadKeys({ matchLabelKeys = [], labelSelector }: TopologySpreadConstraint, found: Finding): void {
  if (matchLabelKeys.length === 0) return;
  if (labelSelector === undefined) found.forbidden('must not be specified when labelSelector is not set');
  const selected = new Set([
    ...Object.keys(labelSelector?.matchLabels ?? {}),
    ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
  ]);
  for (const [index, key] of matchLabelKeys.entries()) {
    validateLabelName(key, found.at(index));
    if (selected.has(key)) found.at(index).invalid(key, 'exists in both matchLabelKeys and labelSelector');
  }
}
