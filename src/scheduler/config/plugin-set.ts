import type { Finding } from '#api/validation/check.ts';
import { Fields } from '#scheduler/config/fields.ts';

/** Where in a pod's way to its node plugins have a say, as upstream calls it. */
export const points = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
] as const;
export type Point = (typeof points)[number];

/** The plugins there are here, in upstream's order, with the points they have a say at and upstream's weights. */
const known = {
  SchedulingGates: { points: ['preEnqueue'], weight: 0 },
  PrioritySort: { points: ['queueSort'], weight: 0 },
  NodeUnschedulable: { points: ['filter'], weight: 0 },
  NodeName: { points: ['filter'], weight: 0 },
  TaintToleration: { points: ['filter', 'preScore', 'score'], weight: 3 },
  NodeAffinity: { points: ['preFilter', 'filter', 'preScore', 'score'], weight: 2 },
  NodePorts: { points: ['preFilter', 'filter'], weight: 0 },
  NodeResourcesFit: { points: ['preFilter', 'filter', 'preScore', 'score'], weight: 1 },
  VolumeRestrictions: { points: ['preFilter', 'filter'], weight: 0 },
  NodeVolumeLimits: { points: ['preFilter', 'filter'], weight: 0 },
  VolumeBinding: { points: ['preFilter', 'filter', 'reserve', 'preBind'], weight: 0 },
  VolumeZone: { points: ['preFilter', 'filter'], weight: 0 },
  PodTopologySpread: { points: ['preFilter', 'filter', 'preScore', 'score'], weight: 2 },
  InterPodAffinity: { points: ['preFilter', 'filter', 'preScore', 'score'], weight: 2 },
  DefaultPreemption: { points: ['postFilter'], weight: 0 },
  NodeResourcesBalancedAllocation: { points: ['preScore', 'score'], weight: 1 },
  ImageLocality: { points: ['score'], weight: 1 },
  DefaultBinder: { points: ['bind'], weight: 0 },
} as const satisfies Readonly<Record<string, { readonly points: readonly Point[]; readonly weight: number }>>;
export type PluginName = keyof typeof known;
export const pluginNames = Object.keys(known) as readonly PluginName[];

/** Upstream's that are not here yet: they may be turned off, which they are. */
const absent: readonly string[] = ['DynamicResources', 'NodeDeclaredFeatures'];
export const isAbsent = (name: string): boolean => absent.includes(name);

/** Who has a say at each point, in the order in which they are asked. */
export interface PluginSet {
  readonly at: Readonly<Record<Point, readonly PluginName[]>>;
  /** At the point `score`. */
  readonly weightOf: (name: PluginName) => number;
}

interface Enabled {
  readonly name: PluginName;
  /** 0 when nothing is said. */
  readonly weight: number;
}

interface Choice {
  readonly enabled: readonly Enabled[];
  readonly disabled: ReadonlySet<string>;
}

const nothingChosen: Choice = { enabled: [], disabled: new Set() };

/**
 * Upstream's rules: multiPoint begins with the defaults, of which those disabled go and those enabled anew change their weight; at a
 * point of its own a plugin may be disabled (`*`: all that come of multiPoint) or enabled, which wins.
 */
export function pluginSetOf(plugins: Fields | undefined): PluginSet {
  const multi = withDefaults(choiceAt(plugins, 'multiPoint'));
  const choices = points.map((point) => [point, choiceAt(plugins, point)] as const);
  plugins?.end();
  const at = Object.fromEntries(choices.map(([point, choice]) => [point, inOrder(point, choice, multi)]));
  const scored = choices.find(([point]) => point === 'score')?.[1] ?? nothingChosen;
  const weights = new Map([...multi, ...scored.enabled].map(({ name, weight }) => [name, weight] as const));
  const set: PluginSet = {
    at: at as Readonly<Record<Point, readonly PluginName[]>>,
    weightOf: (name) => weights.get(name) || 1,
  };
  if (plugins !== undefined) check(set, plugins);
  return set;
}

function withDefaults({ enabled, disabled }: Choice): readonly Enabled[] {
  const defaults = disabled.has('*') ? [] : pluginNames.filter((name) => !disabled.has(name));
  const chosen = new Map(enabled.map((each) => [each.name, each] as const));
  return [
    ...defaults.map((name) => chosen.get(name) ?? { name, weight: known[name].weight }),
    ...enabled.filter(({ name }) => !defaults.includes(name)),
  ];
}

function inOrder(point: Point, { enabled, disabled }: Choice, multi: readonly Enabled[]): readonly PluginName[] {
  const own = enabled.map(({ name }) => name);
  const general = multi.map(({ name }) => name).filter((name) => has(name, point));
  const kept = general.filter((name) => !own.includes(name) && !disabled.has('*') && !disabled.has(name));
  const overridden = own.filter((name) => general.includes(name));
  return [...overridden, ...kept, ...own.filter((name) => !general.includes(name))];
}

const has = (name: PluginName, point: Point): boolean => (known[name].points as readonly Point[]).includes(point);

function choiceAt(plugins: Fields | undefined, point: Point | 'multiPoint'): Choice {
  const fields = plugins?.fields(point);
  if (fields === undefined) return nothingChosen;
  const enabled: Enabled[] = [];
  for (const [item, found] of fields.list('enabled')) {
    const one = enabledAt(item, point, found);
    if (one === undefined) continue;
    if (enabled.some(({ name }) => name === one.name)) found.child('name').duplicate(one.name);
    else enabled.push(one);
  }
  const disabled = new Set<string>();
  for (const [item, found] of fields.list('disabled')) {
    const own = Fields.of(item, found);
    const name = own?.text('name');
    own?.whole('weight', 0);
    own?.end();
    if (name === undefined) continue;
    if (name === '*' || isAbsent(name) || isKnown(name)) disabled.add(name);
    else found.child('name').unsupported(name, [...pluginNames, '*']);
  }
  fields.end();
  return { enabled, disabled };
}

const isKnown = (name: string): name is PluginName => Object.hasOwn(known, name);

function enabledAt(item: unknown, point: Point | 'multiPoint', found: Finding): Enabled | undefined {
  const fields = Fields.of(item, found);
  const name = fields?.text('name');
  const weight = fields?.whole('weight', 0) ?? 0;
  fields?.end();
  const at = found.child('name');
  if (fields === undefined) return undefined;
  if (name === undefined) at.required();
  else if (isAbsent(name)) at.forbidden(`peapod's scheduler does not have the plugin ${name} yet: leave it out`);
  else if (!isKnown(name)) at.unsupported(name, pluginNames);
  else if (point !== 'multiPoint' && !has(name, point))
    at.invalid(name, `has no say at ${point}: it is a plugin for ${known[name].points.join(', ')}`);
  else return { name, weight };
  return undefined;
}

/** What cannot be otherwise here, and what would be asked of a plugin that has not been told what it needs for an answer. */
function check({ at }: PluginSet, plugins: Fields): void {
  for (const [point, name] of [
    ['preEnqueue', 'SchedulingGates'],
    ['queueSort', 'PrioritySort'],
    ['bind', 'DefaultBinder'],
  ] as const) {
    if (at[point].includes(name)) continue;
    plugins.at(point).forbidden(`the plugin ${name} cannot be turned off: there is no other that does it`);
  }
  const volumes = points.filter((point) => has('VolumeBinding', point) && at[point].includes('VolumeBinding'));
  if (volumes.length > 0 && volumes.length < known.VolumeBinding.points.length) {
    for (const point of known.VolumeBinding.points) {
      if (!volumes.includes(point))
        plugins.at(point).forbidden('VolumeBinding is one thing: disable it at multiPoint, or leave it on');
    }
  }
  for (const [before, point] of [
    ['preFilter', 'filter'],
    ['preScore', 'score'],
  ] as const) {
    for (const name of at[point]) {
      if (!has(name, before) || at[before].includes(name)) continue;
      plugins.at(before).forbidden(`${name} cannot ${point} without it: disable its ${point} too, or leave both on`);
    }
  }
}
