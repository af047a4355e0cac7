import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import { priorityOf } from '#scheduler/pod-facts.ts';
import { byImportance } from '#scheduler/preemption/importance.ts';

import { defaultProfile } from '#scheduler/profile.ts';
import {
  aBudget,
  clusterOf,
  decided,
  far,
  type Made,
  made,
  type World,
  zoned,
} from '#scheduler/preemption/fixtures.ts';

const somePod = fc.record({
  cpu: fc.constantFrom('250m', '500m', '1'),
  priority: fc.constantFrom(-5, 0, 3, 7),
  app: fc.constantFrom('web', 'db'),
  node: fc.nat(2),
  started: fc.option(fc.nat(9), { nil: undefined }),
  far: fc.boolean(),
  spread: fc.boolean(),
});
type SomePod = typeof somePod extends fc.Arbitrary<infer T> ? T : never;
const spread: Partial<PodSpec> = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
};
type Wanted = Omit<SomePod, 'cpu' | 'priority'> & Pick<Made, 'cpu' | 'priority'>;

const podOf = (name: string, { cpu = '1', priority = 0, app, started, far: isFar, spread: isSpread }: Wanted): Pod =>
  made(name, {
    cpu,
    priority,
    labels: { app },
    ...(started === undefined ? {} : { started }),
    spec: { ...(isFar ? far : {}), ...(isSpread ? spread : {}) },
  });

const someWorld = fc.record({
  placed: fc.array(somePod, { maxLength: 9 }),
  nominated: fc.array(somePod, { maxLength: 2 }),
  incoming: somePod,
  allowed: fc.option(fc.nat(2), { nil: undefined }),
});

/** Whether the pod fits a node when exactly these are there: asked of a cluster made for the question, nominated pods being there. */
function fits(pod: Pod, node: string, world: World): boolean {
  const profile = defaultProfile();
  const ahead = (world.nominated ?? []).filter(
    ([each, where]) => where === node && priorityOf(each) >= priorityOf(pod),
  );
  return [[], ahead].every((more) => {
    const cluster = clusterOf({ nodes: world.nodes, placed: [...world.placed, ...more] }, profile);
    return profile.plugins.every(({ plugin }) => {
      const opinion = plugin.consider(pod, cluster);
      if (opinion.kind !== 'opinion') return opinion.kind === 'skip';
      return opinion.filter?.(cluster.node(node)!).kind !== 'rejected';
    });
  });
}

/** The documented procedure, word for word, with a new cluster for every question. */
function slowVictims(pod: Pod, node: string, world: World): readonly string[] | undefined {
  const lower = world.placed
    .filter(([each, at]) => at === node && priorityOf(each) < priorityOf(pod))
    .map(([each]) => each);
  if (lower.length === 0) return undefined;
  let left = world.placed.filter(([each]) => !lower.includes(each));
  if (!fits(pod, node, { ...world, placed: left })) return undefined;
  const allowed = world.budgets?.[0]?.status?.disruptionsAllowed ?? Infinity;
  const important = lower.toSorted(byImportance);
  const covered = important.filter(({ metadata }) => metadata.labels?.['app'] === 'web');
  const violating = covered.slice(Math.min(allowed, covered.length));
  const victims: string[] = [];
  for (const each of [...violating, ...important.filter((one) => !violating.includes(one))]) {
    const more = [...left, [each, node] as const];
    if (fits(pod, node, { ...world, placed: more })) left = more;
    else victims.push(each.metadata.name);
  }
  return victims;
}

test('preempt: comes to the same as the documented procedure, and keeps what it promises', () => {
  let [preempted, helpless] = [0, 0];
  fc.assert(
    fc.property(someWorld, ({ placed, nominated, incoming, allowed }) => {
      const nodes = [zoned('n0', 'a'), zoned('n1', 'b'), zoned('n2', 'b')];
      const at = (prefix: string) => (each: SomePod, index: number) =>
        [podOf(`${prefix}${index}`, each), `n${each.node}`] as const;
      const world: World = {
        nodes,
        placed: placed.map(at('p')),
        nominated: nominated.map(at('m')),
        ...(allowed === undefined ? {} : { budgets: [aBudget('web', allowed)] }),
      };
      const pod = podOf('incoming', { ...incoming, priority: incoming.priority + 1, cpu: '2' });
      const found = decided(pod, world);
      if (found === undefined) return;
      if (found.kind !== 'victims') {
        helpless++;
        return;
      }
      preempted++;
      assert.deepEqual(
        found.pods.map(({ metadata }) => metadata.name).toSorted(),
        slowVictims(pod, found.node, world)?.toSorted(),
      );
      for (const victim of found.pods)
        assert.ok(priorityOf(victim) < priorityOf(pod), 'nobody of as high a priority goes');
      const left = world.placed.filter(([each]) => !found.pods.includes(each));
      assert.ok(fits(pod, found.node, { ...world, placed: left }), 'it fits when they have gone');
    }),
    { numRuns: 1_500 },
  );
  assert.ok(preempted > 200 && helpless > 50, `${preempted} preempted, ${helpless} helpless`);
});
