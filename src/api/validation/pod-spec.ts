import type { PodDNSConfig, PodResourceClaim, PodSpec } from '#api/generated/core-v1.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, labelKeyProblems, notInRange } from '#api/names.ts';
import { containerRequests } from '#api/pod-resources.ts';
import { compareQuantities, formatQuantity, parseQuantity, quantityProblem, zero } from '#api/quantity.ts';
import { tooLongValue } from '#api/field-error.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateAllContainers } from '#api/validation/containers.ts';
import { validateLabels } from '#api/validation/metadata.ts';
import { validateAffinity, validateSpread, validateTolerations } from '#api/validation/placement.ts';
import { validateRequirements } from '#api/validation/resources.ts';
import { validatePodSecurity, validateSystem } from '#api/validation/security.ts';
import { validateVolumes } from '#api/validation/volumes.ts';

/** What the kernel takes. */
const kernelHostnameMost = 64;
const mostInt32 = 2 ** 31 - 1;
const noClaims: ReadonlySet<string> = new Set();

/** A defaulted spec, of a pod (then `podName` is given) or of a template. `found` stands at the spec. */
export function validatePodSpec(spec: PodSpec, podName: string | undefined, found: Finding): void {
  if (spec.terminationGracePeriodSeconds === undefined) found.child('terminationGracePeriodSeconds').required();
  const volumes = validateVolumes(spec, podName, found.child('volumes'));
  validateResourceClaims(spec.resourceClaims ?? [], found.child('resourceClaims'));
  validateAllContainers(spec, volumes, found);
  validatePodResources(spec, found.child('resources'));
  validateHostNetworkPorts(spec, podName !== undefined, found.child('containers'));
  found.child('restartPolicy').requiredOneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  found
    .child('dnsPolicy')
    .requiredOneOf(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']);
  validateLabels(spec.nodeSelector, found.child('nodeSelector'));
  validatePodSecurity(spec, found);
  validateAffinity(spec.affinity, found.child('affinity'));
  validateDnsConfig(spec, found.child('dnsConfig'));
  validateGates(spec, found);
  if (spec.topologySpreadConstraints !== undefined) {
    validateSpread(spec.topologySpreadConstraints, found.child('topologySpreadConstraints'));
  }
  validateNames(spec, found);
  if (spec.tolerations !== undefined) validateTolerations(spec.tolerations, found.child('tolerations'));
  validateHostAliases(spec.hostAliases ?? [], found.child('hostAliases'));
  found.child('preemptionPolicy').oneOf(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  if (spec.overhead !== undefined) {
    validateRequirements({ limits: spec.overhead }, 'container', noClaims, found.child('overhead'));
  }
  validateSystem(spec, found);
}

/** The single names a spec refers to things by, and its one deadline. */
function validateNames(spec: PodSpec, found: Finding): void {
  for (const name of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName'] as const) {
    const value = spec[name];
    if (value) found.child(name).problems(value, dns1123SubdomainProblems(value));
  }
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name];
    if (value) found.child(name).problems(value, dns1123LabelProblems(value));
  }
  validateHostnameOverride(spec, found.child('hostnameOverride'));
  const { activeDeadlineSeconds: deadline } = spec;
  if (deadline !== undefined && (deadline < 1 || deadline > mostInt32)) {
    found.child('activeDeadlineSeconds').invalid(deadline, notInRange(1, mostInt32));
  }
}

/** A whole name for the pod itself (KEP-4762): it leaves nothing to put together, and the node's name is not the pod's to change. */
function validateHostnameOverride({ hostnameOverride, setHostnameAsFQDN, hostNetwork }: PodSpec, found: Finding): void {
  if (hostnameOverride === undefined) return;
  found.problems(hostnameOverride, dns1123SubdomainProblems(hostnameOverride));
  if (hostnameOverride.length > kernelHostnameMost) found.add(tooLongValue(found, kernelHostnameMost));
  if (setHostnameAsFQDN === true) found.forbidden('may not be specified when `setHostnameAsFQDN` is true');
  if (hostNetwork === true) found.forbidden('may not be specified when `hostNetwork` is true');
}

function validateResourceClaims(claims: readonly PodResourceClaim[], found: Finding): void {
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const own = found.at(index);
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (own.child('name').text(name)) {
      if (names.has(name)) own.child('name').duplicate(name);
      else own.child('name').problems(name, dns1123LabelProblems(name));
      names.add(name);
    }
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      own.invalid(claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified');
    } else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      own.invalid(claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    }
    for (const each of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[each];
      if (value !== undefined) own.child(each).problems(value, dns1123SubdomainProblems(value));
    }
  }
}

/** What the pod as a whole is given must cover its containers. */
function validatePodResources(spec: PodSpec, found: Finding): void {
  const { resources } = spec;
  if (resources === undefined) return;
  if (resources.claims !== undefined)
    found.child('claims').forbidden('claims cannot be set for Resources at pod-level');
  const before = found.errors.length;
  validateRequirements(resources, 'pod', noClaims, found);
  // With a text that is no quantity anywhere in the pod there is nothing to compare.
  if (found.errors.length > before || spec.containers === undefined || !hasOnlyQuantities(spec)) return;
  for (const [name, total] of containerRequests({ spec })) {
    const text = resources.requests?.[name];
    const granted = text === undefined ? zero : parseQuantity(text);
    if (compareQuantities(total, granted) <= 0) continue;
    const why = `must be greater than or equal to aggregate container requests of ${formatQuantity(total)}`;
    found.child('requests').key(name).invalid(formatQuantity(granted), why);
  }
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, text] of Object.entries(container.resources?.limits ?? {})) {
      const most = resources.limits?.[name];
      if (most === undefined || compareQuantities(parseQuantity(text), parseQuantity(most)) <= 0) continue;
      const own = found.child('containers').at(index).key(name).child('limits');
      const why = `must be less than or equal to pod limits of ${formatQuantity(parseQuantity(most))}`;
      own.invalid(formatQuantity(parseQuantity(text)), why);
    }
  }
}

const hasOnlyQuantities = ({ containers, initContainers }: PodSpec): boolean =>
  [...(containers ?? []), ...(initContainers ?? [])].every(({ resources }) =>
    [...Object.values(resources?.requests ?? {}), ...Object.values(resources?.limits ?? {})].every(
      (text) => quantityProblem(text) === undefined,
    ),
  );

/** On the host's network a container's port is the host's; a template may leave it open until the pod is made. */
function validateHostNetworkPorts(spec: PodSpec, isPod: boolean, found: Finding): void {
  if (spec.hostNetwork !== true) return;
  for (const [index, { ports = [] }] of (spec.containers ?? []).entries()) {
    for (const [at, { hostPort = 0, containerPort }] of ports.entries()) {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) continue;
      const own = found.at(index).child('ports').at(at).child('hostPort');
      own.invalid(hostPort, 'must match `containerPort` when `hostNetwork` is true');
    }
  }
}

const nameserversMost = 3;
const searchPathsMost = 32;
const searchListMostCharacters = 2048;

function validateDnsConfig({ dnsConfig, dnsPolicy }: PodSpec, found: Finding): void {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) {
      found.required('must provide `dnsConfig` when `dnsPolicy` is None');
    } else if ((dnsConfig.nameservers?.length ?? 0) === 0) {
      found.child('nameservers').required('must provide at least one DNS nameserver when `dnsPolicy` is None');
      return;
    }
  }
  if (dnsConfig !== undefined) validateDnsLists(dnsConfig, found);
}

function validateDnsLists({ nameservers = [], searches = [], options = [] }: PodDNSConfig, found: Finding): void {
  const servers = found.child('nameservers');
  if (nameservers.length > nameserversMost) {
    servers.invalid(nameservers, `must not have more than ${nameserversMost} nameservers`);
  }
  for (const [index, server] of nameservers.entries()) servers.at(index).ip(server);
  const paths = found.child('searches');
  if (searches.length > searchPathsMost) {
    paths.invalid(searches, `must not have more than ${searchPathsMost} search paths`);
  }
  if (searches.join(' ').length > searchListMostCharacters) {
    const why = `must not have more than ${searchListMostCharacters} characters (including spaces) in the search list`;
    paths.invalid(searches, why);
  }
  for (const [index, search] of searches.entries()) {
    // The root by itself, a trailing dot and underscores (SRV records) are all right here.
    if (search === '.') continue;
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    paths.at(index).problems(name, dns1123SubdomainProblems(name.replace(/(^|\.)_/g, '$1').replaceAll('_', '-')));
  }
  for (const [index, { name }] of options.entries()) found.child('options').at(index).text(name, 'must not be empty');
}

function validateGates({ readinessGates = [], schedulingGates = [] }: PodSpec, found: Finding): void {
  for (const [index, { conditionType = '' }] of readinessGates.entries()) {
    found
      .child('readinessGates')
      .at(index)
      .child('conditionType')
      .problems(conditionType, labelKeyProblems(conditionType));
  }
  const names = new Set<string>();
  for (const [index, { name = '' }] of schedulingGates.entries()) {
    const own = found.child('schedulingGates').at(index);
    own.problems(name, labelKeyProblems(name));
    if (names.has(name)) own.duplicate(name);
    names.add(name);
  }
}

function validateHostAliases(aliases: NonNullable<PodSpec['hostAliases']>, found: Finding): void {
  for (const [index, { ip, hostnames = [] }] of aliases.entries()) {
    found.at(index).child('ip').ip(ip);
    for (const [at, name] of hostnames.entries()) {
      found.at(index).child('hostnames').at(at).problems(name, dns1123SubdomainProblems(name));
    }
  }
}
