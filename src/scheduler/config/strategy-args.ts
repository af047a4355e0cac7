import { Fields } from '#scheduler/config/fields.ts';
import {
  cpuAndMemory,
  type ScoringStrategy,
  type Shape,
  type WeightedResource,
} from '#scheduler/plugins/scoring-strategy.ts';
import { defaultStrategy } from '#scheduler/plugins/resources-fit.ts';

const types = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] as const;
/** A shape's scores go up to this. */
const MOST_SCORE = 10;

export function strategyOf(fields: Fields | undefined): ScoringStrategy {
  if (fields === undefined) return defaultStrategy;
  const type = fields.text('type') ?? types[0];
  fields.at('type').oneOf(type, types);
  const resources = fields.has('resources') ? weightedResources(fields) : cpuAndMemory;
  const ratio = fields.fields('requestedToCapacityRatio');
  const shape = ratio === undefined ? [] : shapeOf(ratio);
  ratio?.end();
  fields.end();
  switch (type) {
    case 'MostAllocated':
      return { kind: 'most-allocated', resources };
    case 'RequestedToCapacityRatio':
      if (ratio === undefined) fields.at('requestedToCapacityRatio').required('a shape says what is worth how much');
      return { kind: 'ratio', resources, shape };
    default:
      return resources === cpuAndMemory ? defaultStrategy : { kind: 'least-allocated', resources };
  }
}

/** The list `resources`; a weight is 1 when nothing is said of it. */
export function weightedResources(fields: Fields): readonly WeightedResource[] {
  const resources: WeightedResource[] = [];
  for (const [item, found] of fields.list('resources')) {
    const own = Fields.of(item, found);
    const name = own?.text('name');
    const weight = own?.whole('weight', 1, 100) ?? 1;
    own?.end();
    if (own === undefined) continue;
    if (!name) found.child('name').required();
    else if (resources.some((each) => each.name === name)) found.child('name').duplicate(name);
    else resources.push({ name, weight });
  }
  return resources;
}

function shapeOf(ratio: Fields): Shape {
  const shape: { utilization: number; score: number }[] = [];
  const items = ratio.list('shape');
  if (items.length === 0) ratio.at('shape').required('at least one point must be specified');
  for (const [item, found] of items) {
    const own = Fields.of(item, found);
    const utilization = own?.whole('utilization', 0, 100) ?? 0;
    const score = (own?.whole('score', 0, MOST_SCORE) ?? 0) * (100 / MOST_SCORE);
    own?.end();
    const before = shape.at(-1);
    if (before !== undefined && before.utilization >= utilization)
      found.child('utilization').invalid(utilization, 'must be more than that of the point before');
    shape.push({ utilization, score });
  }
  return shape;
}
