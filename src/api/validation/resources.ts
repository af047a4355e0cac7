import type { ResourceRequirements } from '#api/generated/core-v1.ts';
import { bare } from '#api/field-error.ts';
import { dns1123LabelProblems, labelKeyProblems } from '#api/names.ts';
import { isHugePages } from '#api/pod-resources.ts';
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityProblem,
  roundUpQuantity,
  signOf,
  type Quantity,
} from '#api/quantity.ts';
import { isExtendedResource, isNativeResource } from '#api/resource-names.ts';
import { isNegative, type Finding } from '#api/validation/check.ts';

/** Names, quantities and the rule that what is requested is not more than what is limited. */
const containerResources = ['cpu', 'ephemeral-storage', 'memory'];
/** Counted one by one, in quotas. */
const wholeResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
/** Names without a domain that mean something somewhere: in quotas, on nodes. */
const standardResources = new Set([
  ...containerResources,
  ...containerResources.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  ...wholeResources,
  'storage',
  'requests.storage',
]);

type Kind = 'container' | 'pod';

/** Of a container, a pod as a whole, or (as limits) a pod's overhead. `claims` are the names in `spec.resourceClaims`. */
export function validateRequirements(
  requirements: ResourceRequirements | undefined,
  kind: Kind,
  claims: ReadonlySet<string>,
  found: Finding,
): void {
  if (requirements === undefined) return;
  const { limits, requests } = requirements;
  const validateName = kind === 'container' ? validateContainerResourceName : validatePodResourceName;
  let hasHugePages = false;
  let hasCompute = false;
  for (const [name, text] of Object.entries(limits ?? {})) {
    const own = found.child('limits').key(name);
    validateName(name, own);
    const amount = validateQuantity(name, text, own);
    hasHugePages ||= isHugePages(name);
    hasCompute ||= name === 'cpu' || name === 'memory';
    if (amount !== undefined) validateHugePageMultiple(name, amount, own);
  }
  for (const [name, text] of Object.entries(requests ?? {})) {
    const own = found.child('requests').key(name);
    validateName(name, own);
    const amount = validateQuantity(name, text, own);
    hasHugePages ||= isHugePages(name);
    hasCompute ||= name === 'cpu' || name === 'memory';
    if (amount === undefined) continue;
    validateAgainstLimit(name, amount, limits?.[name], found);
    validateHugePageMultiple(name, amount, own);
  }
  if (hasHugePages && !hasCompute) found.forbidden('HugePages require cpu or memory');
  validateClaims(requirements.claims ?? [], claims, found.child('claims'));
}

/** The quantity, when it is one. */
export function validateQuantity(name: string, text: string, found: Finding): Quantity | undefined {
  const problem = quantityProblem(text);
  if (problem !== undefined) {
    found.invalid(text, problem);
    return undefined;
  }
  const quantity = parseQuantity(text);
  if (signOf(quantity) < 0) found.invalid(formatQuantity(quantity), isNegative);
  if (isWholeResource(name) && compareQuantities(roundUpQuantity(quantity, 0), quantity) !== 0) {
    found.invalid(bare(formatQuantity(quantity)), 'must be an integer');
  }
  return quantity;
}

const isWholeResource = (name: string): boolean => wholeResources.has(name) || isExtendedResource(name);

/** Of huge pages and extended resources one cannot promise more than there is: request and limit are the same. */
const isOvercommittable = (name: string): boolean => isNativeResource(name) && !isHugePages(name);

function validateResourceName(name: string, found: Finding): void {
  const problems = labelKeyProblems(name);
  found.problems(name, problems);
  if (problems.length > 0 || name.includes('/') || standardResources.has(name) || isHugePages(name)) return;
  found.invalid(name, 'must be a standard resource type or fully qualified');
}

function validateContainerResourceName(name: string, found: Finding): void {
  if (containerResources.includes(name)) return;
  validateResourceName(name, found);
  if (!name.includes('/')) {
    if (!isHugePages(name)) found.invalid(name, 'must be a standard resource for containers');
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    found.invalid(name, "doesn't follow extended resource name standard");
  }
}

function validatePodResourceName(name: string, found: Finding): void {
  if (name === 'cpu' || name === 'memory' || isHugePages(name)) return;
  const before = found.errors.length;
  validateResourceName(name, found);
  if (found.errors.length === before) found.unsupported(name, ['cpu', 'hugepages-', 'memory']);
}

function validateAgainstLimit(name: string, amount: Quantity, text: string | undefined, found: Finding): void {
  if (text === undefined) {
    if (isOvercommittable(name)) return;
    found.child('limits').required('Limit must be set for non overcommitable resources');
    return;
  }
  if (quantityProblem(text) !== undefined) return;
  const limit = parseQuantity(text);
  const order = compareQuantities(amount, limit);
  const requests = found.child('requests');
  if (order !== 0 && !isOvercommittable(name)) {
    requests.invalid(formatQuantity(amount), `must be equal to ${name} limit of ${formatQuantity(limit)}`);
  } else if (order > 0) {
    requests.invalid(formatQuantity(amount), `must be less than or equal to ${name} limit of ${formatQuantity(limit)}`);
  }
}

function validateHugePageMultiple(name: string, amount: Quantity, found: Finding): void {
  if (!isHugePages(name)) return;
  const size = name.slice('hugepages-'.length);
  if (quantityProblem(size) === undefined) {
    const page = wholeOf(parseQuantity(size));
    if (page > 0n && wholeOf(amount) % page === 0n && signOf(amount) > 0) return;
  }
  found.invalid(formatQuantity(amount), `${formatQuantity(amount)} is not positive integer multiple of ${name}`);
}

const wholeOf = (amount: Quantity): bigint => {
  const { coefficient, scale } = roundUpQuantity(amount, 0);
  return BigInt(coefficient) * 10n ** BigInt(scale);
};

function validateClaims(
  claims: NonNullable<ResourceRequirements['claims']>,
  known: ReadonlySet<string>,
  found: Finding,
): void {
  const seen = new Set<string>();
  for (const [index, { name, request }] of claims.entries()) {
    const own = found.at(index);
    if (!own.text(name)) continue;
    const key = request ? `${name}/${request}` : name;
    const overlaps =
      seen.has(name) || seen.has(key) || (!request && [...seen].some((each) => each.startsWith(`${name}/`)));
    if (overlaps) own.duplicate(seen.has(name) ? name : key);
    else if (request) own.child('request').problems(request, dns1123LabelProblems(request));
    seen.add(key);
    if (known.has(name)) continue;
    const names = known.size === 0 ? ' which is empty' : `: ${[...known].toSorted().join(', ')}`;
    own.absent(name, `must be one of the names in pod.spec.resourceClaims${names}`);
  }
}
