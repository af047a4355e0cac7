import { type FieldError, fieldErrorText } from '#api/field-error.ts';
import type { Finding } from '#api/validation/check.ts';
import type { BackoffPolicy } from '#lib/backoff.ts';
import { Fields } from '#scheduler/config/fields.ts';
import { parted } from '#scheduler/config/parted.ts';
import { API_VERSION, type Configured, configuredBy } from '#scheduler/config/plugin-args.ts';
import { type PluginName, type PluginSet, pluginSetOf } from '#scheduler/config/plugin-set.ts';
import type { SchedulerPlugin } from '#scheduler/plugin.ts';
import { imageLocality } from '#scheduler/plugins/image-locality.ts';
import { nodeName } from '#scheduler/plugins/node-name.ts';
import { nodePorts } from '#scheduler/plugins/node-ports.ts';
import { nodeUnschedulable } from '#scheduler/plugins/node-unschedulable.ts';
import { nodeVolumeLimits } from '#scheduler/plugins/node-volume-limits.ts';
import { taintToleration } from '#scheduler/plugins/taint-toleration.ts';
import { volumeBinding } from '#scheduler/plugins/volume-binding/volume-binding.ts';
import { volumeRestrictions } from '#scheduler/plugins/volume-restrictions.ts';
import { volumeZone } from '#scheduler/plugins/volume-zone.ts';
import type { Profile, WeightedPlugin } from '#scheduler/profile.ts';
import { defaultBackoff } from '#scheduler/queue.ts';

/** What a scheduler is made with: the parts of `SchedulerOptions` that a file may choose. */
export interface SchedulerConfiguration {
  readonly profiles: readonly Profile[];
  readonly backoff: BackoffPolicy;
}

/** A text each, which begins with the field: `profiles[0].schedulerName: Required value`. */
export class SchedulerConfigurationError extends Error {
  override readonly name = 'SchedulerConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * Understands a KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1, as it is after YAML has been read. What is not honoured
 * is refused rather than passed over. Each call makes plugins anew: they are for one scheduler. Throws SchedulerConfigurationError.
 */
export function readSchedulerConfiguration(value: unknown): SchedulerConfiguration {
  const errors: FieldError[] = [];
  const fields = Fields.root(value, errors);
  const configuration = fields === undefined ? undefined : configurationOf(fields);
  if (configuration === undefined || errors.length > 0)
    throw new SchedulerConfigurationError([...new Set(errors.map(fieldErrorText))]);
  return configuration;
}

function configurationOf(fields: Fields): SchedulerConfiguration {
  for (const name of ['apiVersion', 'kind'] as const) if (!fields.has(name)) fields.at(name).required();
  fields.typeIs(API_VERSION, 'KubeSchedulerConfiguration');
  refuseOthers(fields);
  // Everything is computed in one thread: it is accepted, and nothing follows from it.
  fields.whole('parallelism', 1);
  const percentage = fields.whole('percentageOfNodesToScore', 0, 100);
  const initial = fields.whole('podInitialBackoffSeconds', 1) ?? defaultBackoff.baseMs / 1000;
  const longest = fields.whole('podMaxBackoffSeconds', 1) ?? Math.max(defaultBackoff.maxMs / 1000, initial);
  if (longest < initial)
    fields.at('podMaxBackoffSeconds').invalid(longest, 'must be no less than podInitialBackoffSeconds');
  const items = fields.list('profiles');
  const profiles: Profile[] = [];
  for (const [item, found] of items) {
    const own = Fields.of(item, found);
    if (own === undefined) continue;
    const profile = profileOf(own, found, { percentage, isOnly: items.length === 1 });
    if (profiles.some(({ schedulerName }) => schedulerName === profile.schedulerName))
      found.child('schedulerName').duplicate(profile.schedulerName);
    profiles.push(profile);
  }
  if (items.length === 0)
    profiles.push(assembled('default-scheduler', pluginSetOf(undefined), configuredBy([]), percentage));
  fields.end();
  return { profiles, backoff: { ...defaultBackoff, baseMs: initial * 1000, maxMs: longest * 1000 } };
}

function refuseOthers(fields: Fields): void {
  const election = fields.fields('leaderElection');
  if (election?.flag('leaderElect') !== false && election !== undefined)
    fields.at('leaderElection').forbidden('there is one scheduler, in the process of the API server: leave it out');
  for (const name of ['enableProfiling', 'enableContentionProfiling'])
    if (fields.flag(name) === true) fields.at(name).forbidden('nothing is profiled here: leave it out');
  fields.refuse('clientConnection', "peapod's scheduler reaches the API without a connection: leave it out");
  fields.refuse('extenders', "peapod's scheduler asks nobody else: leave it out");
  if (fields.flag('delayCacheUntilActive') === true)
    fields.at('delayCacheUntilActive').forbidden('nobody waits to become the leader here: leave it out');
}

interface Around {
  readonly percentage: number | undefined;
  readonly isOnly: boolean;
}

function profileOf(fields: Fields, found: Finding, { percentage, isOnly }: Around): Profile {
  const name = fields.text('schedulerName');
  if (name === '' || (name === undefined && !isOnly))
    found.child('schedulerName').required('of several profiles each has its own');
  const own = fields.whole('percentageOfNodesToScore', 0, 100) ?? percentage;
  const set = pluginSetOf(fields.fields('plugins'));
  const configured = configuredBy(fields.list('pluginConfig'));
  fields.end();
  return assembled(name ?? 'default-scheduler', set, configured, own);
}

const plain: ReadonlyMap<PluginName, SchedulerPlugin> = new Map([
  ['NodeUnschedulable', nodeUnschedulable],
  ['NodeName', nodeName],
  ['TaintToleration', taintToleration],
  ['NodePorts', nodePorts],
  ['ImageLocality', imageLocality],
  ['NodeVolumeLimits', nodeVolumeLimits],
  ['VolumeBinding', volumeBinding],
  ['VolumeZone', volumeZone],
]);

/** Those that keep something, for one scheduler each. */
const own: ReadonlyMap<PluginName, () => SchedulerPlugin> = new Map([['VolumeRestrictions', volumeRestrictions]]);

/** Plugins that filter come in the order they are asked in; those that only score follow. */
function assembled(
  schedulerName: string,
  { at, weightOf }: PluginSet,
  { plugins: configured, preemption, volumeBinding: settings }: Configured,
  percentageOfNodesToScore: number | undefined,
): Profile {
  const names = new Set([...at.filter, ...at.preFilter, ...at.score]);
  const plugins = [...names].flatMap((name): readonly WeightedPlugin[] => {
    const plugin = configured.get(name) ?? plain.get(name) ?? own.get(name)?.();
    if (plugin === undefined) return [];
    const filters = at.filter.includes(name);
    const narrows = at.preFilter.includes(name) || (filters && plain.has(name));
    return [{ plugin: parted(plugin, { narrows, filters, scores: at.score.includes(name) }), weight: weightOf(name) }];
  });
  return {
    schedulerName,
    plugins,
    binding: [],
    percentageOfNodesToScore,
    ...(at.postFilter.includes('DefaultPreemption') ? { preemption } : {}),
    ...(at.preBind.includes('VolumeBinding') ? { volumeBinding: settings } : {}),
  };
}
