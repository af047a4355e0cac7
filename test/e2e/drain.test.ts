/** A node is emptied, by kubectl old and new, as far as disruption budgets allow. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { Background } from '#test/e2e/support/background.ts';
import { E2eCluster, peapod, until } from '#test/e2e/support/cluster.ts';
import { sleeper } from '#test/e2e/support/manifests.ts';
import { conditionOf, isReady, PodWatch } from '#test/e2e/support/pod-watch.ts';

interface Stage {
  readonly cluster: E2eCluster;
  readonly pods: PodWatch;
  readonly node: string;
  /** Two ready pods, of which the budget lets one go. */
  two(one: string, other: string): Promise<void>;
  allowed(count: number): Promise<void>;
}

test('drain', { timeout: 240_000 }, async (t) => {
  await using cluster = await E2eCluster.start('e2e-drain');
  await using pods = await PodWatch.on(cluster);
  const allowed = async (count: number): Promise<void> => {
    const ask = (): Promise<PodDisruptionBudget> =>
      cluster.get<PodDisruptionBudget & Record<string, never>>('pdb', 'web');
    await until('the budget', ask, ({ status }) => status?.disruptionsAllowed === count);
  };
  const stage: Stage = {
    cluster,
    pods,
    node: `${cluster.name}-node1`,
    allowed,
    async two(one, other) {
      await cluster.ok('patch', 'pdb', 'web', '--type=merge', '-p', '{"spec":{"minAvailable":1}}');
      for (const name of [one, other]) await cluster.apply(sleeper(name, { app: 'web' }));
      for (const name of [one, other]) await pods.running(name);
      await allowed(1);
    },
  };
  assert.match(
    await cluster.ok('create', 'poddisruptionbudget', 'web', '--selector=app=web', '--min-available=1'),
    /^poddisruptionbudget.policy\/web created$/m,
  );
  for (const [name, story] of stories) await t.test(`drain: ${name}`, () => story(stage));
});

const stories: readonly (readonly [string, (stage: Stage) => Promise<void>])[] = [
  ['bare pods need --force, the budget is waited for, static pods stay', drained],
  ['as kubectl 1.20 does it', drainedByOld],
  ['--disable-eviction asks no budget', deleted],
];

async function drained(stage: Stage): Promise<void> {
  const { cluster, pods, node, two } = stage;
  writeFileSync(join(cluster.dataDir, 'manifests', 'static.json'), sleeper('static'));
  const mirror = `static-${node}`;
  await pods.running(mirror);
  await two('a', 'b');
  const columns = (await cluster.ok('get', 'pdb')).split('\n')[0];
  assert.match(columns ?? '', /^NAME +MIN AVAILABLE +MAX UNAVAILABLE +ALLOWED DISRUPTIONS +AGE$/);
  const unforced = await cluster.kubectl('drain', node);
  assert.equal(unforced.code, 1);
  assert.match(unforced.stderr, /use --force to override.*: default\/a, default\/b/);
  assert.match(await cluster.ok('get', 'node', node, '--no-headers'), /Ready,SchedulingDisabled/);
  await goesOnceAllowed(stage, cluster.kubectlInBackground('drain', node, '--force', '--timeout=60s'), ['a', 'b']);
  assert.ok(isReady(pods.get(mirror)!), 'a static pod is not drained');
  const why = await peapod(['why', 'a', ...cluster.global]);
  assert.match(why.stdout, /evicted by kubernetes-admin \(kubectl\), with 2 s to end in/);
  assert.match(await cluster.ok('uncordon', node), /uncordoned/);
  assert.doesNotMatch(await cluster.ok('get', 'node', node, '--no-headers'), /SchedulingDisabled/);
}

async function drainedByOld(stage: Stage): Promise<void> {
  const { cluster, pods, node, two } = stage;
  await two('c', 'd');
  assert.equal((await cluster.kubectl120('cordon', node)).code, 0);
  await goesOnceAllowed(stage, cluster.kubectl120InBackground('drain', node, '--force', '--timeout=60s'), ['c', 'd']);
  assert.ok(isReady(pods.get(`static-${node}`)!));
  assert.equal((await cluster.kubectl120('uncordon', node)).code, 0);
}

async function deleted({ cluster, pods, node, two, allowed }: Stage): Promise<void> {
  await two('e', 'f');
  await cluster.ok('patch', 'pdb', 'web', '--type=merge', '-p', '{"spec":{"minAvailable":2}}');
  await allowed(0);
  await cluster.ok('drain', node, '--force', '--disable-eviction', '--timeout=60s');
  for (const name of ['e', 'f']) {
    await pods.gone(name);
    assert.ok(!pods.history(name).some(isTarget), 'a deletion is no eviction');
  }
  await cluster.ok('uncordon', node);
}

/** One of the two goes at once; the other is refused until the budget is changed. */
async function goesOnceAllowed(
  { cluster, pods }: Stage,
  draining: Background,
  names: readonly string[],
): Promise<void> {
  await using drain = draining;
  const [, kept = ''] = await drain.printed(
    /error when evicting pods\/"(\w)" -n "default" \(will retry after 5s\): Cannot evict pod as it would violate the/,
  );
  const [gone = ''] = names.filter((name) => name !== kept);
  await pods.gone(gone);
  assert.equal(pods.get(kept)?.metadata.deletionTimestamp, undefined);
  assert.equal(pods.get(kept) && isTarget(pods.get(kept)!), false);
  await cluster.ok('patch', 'pdb', 'web', '--type=merge', '-p', '{"spec":{"minAvailable":0}}');
  const { code } = await drain.ended;
  assert.equal(code, 0, drain.output);
  await pods.gone(kept);
  for (const name of names) {
    const marked = pods.history(name).find(isTarget);
    assert.equal(conditionOf(marked?.status, 'DisruptionTarget')?.reason, 'EvictionByEvictionAPI', name);
  }
}

const isTarget = ({ status }: Pod): boolean => conditionOf(status, 'DisruptionTarget')?.status === 'True';
