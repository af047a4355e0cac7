import { factPackage } from '#api/fact-table.ts';
import type { NodeAffinity, TopologySpreadConstraint } from '#api/generated/core-v1.ts';
import { checkFields } from '#api/strict.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateAffinity, validateSpread } from '#api/validation/placement.ts';
import { Fields } from '#scheduler/config/fields.ts';
import { isAbsent, type PluginName, pluginNames } from '#scheduler/config/plugin-set.ts';
import { strategyOf, weightedResources } from '#scheduler/config/strategy-args.ts';
import type { SchedulerPlugin } from '#scheduler/plugin.ts';
import { balancedAllocation, balancedAllocationOf } from '#scheduler/plugins/balanced-allocation.ts';
import { interPodAffinity } from '#scheduler/plugins/inter-pod-affinity/inter-pod-affinity.ts';
import { nodeAffinity, nodeAffinityWith } from '#scheduler/plugins/node-affinity.ts';
import { systemSpread } from '#scheduler/plugins/pod-topology-spread/constraints.ts';
import { podTopologySpread } from '#scheduler/plugins/pod-topology-spread/pod-topology-spread.ts';
import { resourcesFitWith } from '#scheduler/plugins/resources-fit.ts';
import {
  defaultPreemption,
  defaultVolumeBinding,
  type PreemptionLimits,
  type VolumeBindingSettings,
} from '#scheduler/profile.ts';

export const API_VERSION = 'kubescheduler.config.k8s.io/v1';

/** The plugins that are set up by arguments, with the arguments they were given or the defaults. */
export interface Configured {
  readonly plugins: ReadonlyMap<PluginName, SchedulerPlugin>;
  readonly preemption: PreemptionLimits;
  readonly volumeBinding: VolumeBindingSettings;
}

/** Whose arguments are for something else than their plugin. */
const settings = ['DefaultPreemption', 'VolumeBinding'];

type Read = (args: Fields | undefined) => SchedulerPlugin;

const readers: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['NodeResourcesFit', resourcesFitOf],
  ['NodeResourcesBalancedAllocation', balancedOf],
  ['InterPodAffinity', interPodAffinityOf],
  ['PodTopologySpread', spreadOf],
  ['NodeAffinity', affinityOf],
]);

/** Reads `pluginConfig` of a profile. */
export function configuredBy(items: readonly (readonly [unknown, Finding])[]): Configured {
  const given = new Map<string, Fields | undefined>();
  for (const [item, found] of items) {
    const fields = Fields.of(item, found);
    const name = fields?.text('name');
    if (fields === undefined || name === undefined) {
      if (fields !== undefined) found.child('name').required();
      continue;
    }
    if (given.has(name)) found.child('name').duplicate(name);
    given.set(name, argsOf(name, fields, found));
    fields.end();
  }
  const plugins = new Map<PluginName, SchedulerPlugin>();
  for (const name of pluginNames) {
    const plugin = readers.get(name)?.(given.get(name));
    if (plugin !== undefined) plugins.set(name, plugin);
  }
  const preemption = preemptionOf(given.get('DefaultPreemption'));
  const volumeBinding = volumeBindingOf(given.get('VolumeBinding'));
  for (const args of given.values()) args?.end();
  return { plugins, preemption, volumeBinding };
}

function argsOf(name: string, fields: Fields, found: Finding): Fields | undefined {
  if (isAbsent(name))
    found.child('name').forbidden(`peapod's scheduler does not have the plugin ${name} yet: leave it out`);
  else if (!readers.has(name) && !settings.includes(name))
    found.child('name').unsupported(name, [...readers.keys(), ...settings]);
  else {
    const args = fields.fields('args');
    args?.typeIs(API_VERSION, `${name}Args`);
    return args;
  }
  fields.raw('args');
  return undefined;
}

function resourcesFitOf(args: Fields | undefined): SchedulerPlugin {
  const resources = new Set(args?.texts('ignoredResources'));
  const groups = new Set(args?.texts('ignoredResourceGroups'));
  for (const [group, found] of args?.list('ignoredResourceGroups') ?? [])
    if (typeof group === 'string' && group.includes('/')) found.invalid(group, 'is the part in front of the /');
  const isIgnored = (name: string): boolean => resources.has(name) || groups.has(name.split('/', 1)[0] ?? '');
  return resourcesFitWith({ strategy: strategyOf(args?.fields('scoringStrategy')), isIgnored });
}

function balancedOf(args: Fields | undefined): SchedulerPlugin {
  if (args === undefined || !args.has('resources')) return balancedAllocation;
  const resources = weightedResources(args);
  for (const [at, { weight }] of resources.entries())
    if (weight !== 1) args.at('resources').at(at).child('weight').invalid(weight, 'must be 1: they count alike here');
  return balancedAllocationOf(resources.map(({ name }) => name));
}

function interPodAffinityOf(args: Fields | undefined): SchedulerPlugin {
  return interPodAffinity({
    hardPodAffinityWeight: args?.whole('hardPodAffinityWeight', 0, 100) ?? 1,
    ignorePreferred: args?.flag('ignorePreferredTermsOfExistingPods') ?? false,
  });
}

function spreadOf(args: Fields | undefined): SchedulerPlugin {
  const type = args?.text('defaultingType') ?? 'System';
  const constraints = args === undefined ? [] : spreadConstraints(args);
  args?.at('defaultingType').oneOf(type, ['System', 'List']);
  if (type === 'List') return podTopologySpread({ constraints, needsAllLabels: true });
  if (constraints.length > 0)
    args
      ?.at('defaultConstraints')
      .invalid(constraints.length, 'say defaultingType: List to have constraints of your own');
  return podTopologySpread(systemSpread);
}

function spreadConstraints(args: Fields): readonly TopologySpreadConstraint[] {
  const constraints: TopologySpreadConstraint[] = [];
  for (const [item, found] of args.list('defaultConstraints')) {
    const constraint = typed<TopologySpreadConstraint>('TopologySpreadConstraint', item, found);
    if (constraint === undefined) continue;
    if (constraint.labelSelector !== undefined)
      found.child('labelSelector').forbidden('a default takes it from the Services of the pod');
    constraints.push(constraint);
  }
  validateSpread(constraints, args.at('defaultConstraints'));
  return constraints;
}

function affinityOf(args: Fields | undefined): SchedulerPlugin {
  const raw = args?.raw('addedAffinity');
  if (args === undefined || raw === undefined) return nodeAffinity;
  const found = args.at('addedAffinity');
  const added = typed<NodeAffinity>('NodeAffinity', raw, found);
  if (added === undefined) return nodeAffinity;
  validateAffinity({ nodeAffinity: added }, args.at('addedAffinity'));
  return nodeAffinityWith(added);
}

function preemptionOf(args: Fields | undefined): PreemptionLimits {
  const { minCandidateNodesPercentage, minCandidateNodesAbsolute } = defaultPreemption;
  const limits = {
    minCandidateNodesPercentage: args?.whole('minCandidateNodesPercentage', 0, 100) ?? minCandidateNodesPercentage,
    minCandidateNodesAbsolute: args?.whole('minCandidateNodesAbsolute', 0) ?? minCandidateNodesAbsolute,
  };
  if (limits.minCandidateNodesPercentage + limits.minCandidateNodesAbsolute === 0)
    args
      ?.at('minCandidateNodesAbsolute')
      .invalid(0, 'must not be 0 where minCandidateNodesPercentage is: no node would be tried');
  return limits;
}

function volumeBindingOf(args: Fields | undefined): VolumeBindingSettings {
  args?.refuse('shape', "nodes are not scored by the room on their volumes here, as upstream's are not by default");
  const seconds = args?.whole('bindTimeoutSeconds', 0);
  return seconds === undefined ? defaultVolumeBinding : { timeoutMs: seconds * 1000 };
}

/** A value of one of the API's own types, whose fields are known. */
function typed<T>(type: string, value: unknown, found: Finding): T | undefined {
  const facts = factPackage('core/v1').type(type);
  if (facts?.kind !== 'struct') throw new Error(`there is no type ${type}`);
  const { unknown, mismatch } = checkFields(facts, value);
  for (const problem of unknown) found.forbidden(`${problem}: is it spelt right?`);
  if (mismatch !== undefined) found.invalid(value, mismatch);
  return unknown.length === 0 && mismatch === undefined ? (value as T) : undefined;
}
