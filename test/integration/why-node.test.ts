/** `peapod why POD --node NODE`, and what it says of a pod that fits nowhere: real server, memory store, scheduler. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '#api/errors.ts';
import { UserError } from '#cli/user-error.ts';
import { type NodeAnswer, verdictText } from '#cli/verdict-text.ts';
import { why } from '#cli/why.ts';
import { whyText } from '#cli/why-text.ts';
import type { Client } from '#client/client.ts';
import { TimelineRecorder } from '#client/timeline-recorder.ts';
import { Scope } from '#lib/scope.ts';
import { whyNode } from '#main/why-node.ts';
import { whyNowhere } from '#main/why-nowhere.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { never, SchedulerWorld } from '#test/integration/scheduler-world.ts';

interface Told extends AsyncDisposable {
  readonly world: SchedulerWorld;
  ask(name: string, node: string, client?: Client): Promise<NodeAnswer>;
  text(answer: NodeAnswer): readonly string[];
  told(name: string): Promise<readonly string[]>;
}

async function start(): Promise<Told> {
  const world = await SchedulerWorld.start();
  const { clock } = world.api;
  const recorder = new TimelineRecorder({ client: world.schedulerClient(), clock });
  const scope = new Scope();
  scope.spawn('recorder', (stop) => recorder.run(stop));
  await world.schedule({ timeline: recorder });
  const profiles = [defaultProfile()];
  const answerOf = async (name: string) => {
    await world.advance(1000);
    return why({ client: world.client, now: () => clock.now() }, { name, namespace: 'default' }, never);
  };
  return {
    world,
    ask: async (name, node, client = world.client) => whyNode({ client, profiles }, await answerOf(name), node, never),
    text: (answer) => verdictText(answer, clock.now(), (_, text) => text),
    async told(name) {
      const answer = await answerOf(name);
      const impasse = await whyNowhere(world.client, profiles, answer, never);
      return whyText({ ...answer, ...(impasse && { impasse }) }, answer.at, (_, text) => text);
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      scope.stop();
      await scope.join();
    },
  };
}

test('why --node: the cluster as it was at the attempt, and what is different now', async () => {
  await using it = await start();
  const { world } = it;
  await world.node('n1');
  await world.node('n2', { cpu: '1' }, { taints: [{ key: 'a', effect: 'NoSchedule' }] });
  await world.pod('first', { cpu: '1500m' });
  await world.pod('second', { cpu: '1' });
  await world.remove('first');
  // It has found room by now; what is asked about is how it was when that was found.
  await world.advance(20_000);
  assert.equal(await world.nodeOf('second'), 'n1');
  const n1 = await it.ask('second', 'n1');
  assert.deepEqual([n1.basis.kind, n1.verdict.fits, n1.now], ['attempt', true, undefined]);
  await world.pod('third', { cpu: '1500m' });
  const first = await it.ask('third', 'n1');
  assert.ok(first.basis.kind === 'attempt' && first.basis.repeats);
  assert.deepEqual(
    [first.verdict.fits, first.verdict.feasible, first.verdict.nodes, first.now],
    [false, 0, 2, undefined],
  );
  await world.pod('fourth', { cpu: '1' });
  const second = await it.ask('third', 'n1');
  assert.deepEqual(obstacles(second.verdict), ['500m']);
  assert.deepEqual(obstacles(second.now!), ['1500m']);
  const lines = it.text(second);
  assert.match(
    lines[0]!,
    /^n1 cannot take third; 0 of 2 nodes can \(as at attempt 1, \ds ago, revision \d+ \(nodes: \d+\)\)$/,
  );
  assert.ok(
    lines.includes('  NodeResourcesFit   refuses  short of cpu by 500m (1500m asked, 1 of 2 free)'),
    lines.join('\n'),
  );
  assert.equal(
    lines.at(-1),
    'now: n1 cannot take third; 0 of 2 nodes can: short of cpu by 1500m (1500m asked, 0 of 2 free)',
  );
});

const obstacles = ({ plugins }: NodeAnswer['verdict']): readonly string[] =>
  plugins.flatMap((one) => one.obstacles.map((each) => (each.kind === 'short' ? each.by : each.kind)));

test('why --node: a revision that is not kept any more is named, and the verdict is of now', async () => {
  await using it = await start();
  const { world } = it;
  await world.node('n1');
  await world.pod('web', { cpu: '1500m' });
  const forgetful: Client = {
    ...world.client,
    list: async (resource, options, signal) => {
      if (options.resourceVersionMatch === 'Exact') throw new ApiError('Expired', 'too old');
      return world.client.list(resource, options, signal);
    },
  };
  const answer = await it.ask('web', 'n1', forgetful);
  assert.deepEqual([answer.basis.kind, answer.basis.kind === 'now' && answer.basis.attempt], ['now', 1]);
  // It does not stand in its own way.
  assert.equal(answer.verdict.fits, true);
  assert.match(it.text(answer)[0]!, /as the cluster is now: revision \d+ .*of attempt 1 is not kept any more\)$/);
});

test('why --node: no such node, no such pod any more, a pod of another scheduler', async () => {
  await using it = await start();
  const { world } = it;
  await world.node('n1');
  await world.pod('web');
  await world.pod('foreign', {}, { schedulerName: 'x' });
  const refuses = (asked: Promise<NodeAnswer>, want: RegExp): Promise<void> =>
    assert.rejects(asked, (error) => error instanceof UserError && want.test(error.message));
  await refuses(it.ask('web', 'n9'), /^there is no node "n9", but n1$/);
  await refuses(it.ask('foreign', 'n1'), /is for scheduler x/);
  await world.remove('web');
  await refuses(it.ask('web', 'n1'), /pod default\/web is gone/);
});

test('why: of a pod that fits nowhere, what stands in the way on the nearest nodes', async () => {
  await using it = await start();
  const { world } = it;
  await world.node('n1');
  await world.node('n2', { cpu: '4' }, { taints: [{ key: 'a', effect: 'NoSchedule' }] });
  await world.pod('big', { cpu: '3' });
  const lines = await it.told('big');
  assert.deepEqual(lines.slice(0, 5), [
    'big has no node: none of 2 fits: 1 is short of cpu (3 asked, 2 free at best), 1 is tainted in a way it does not tolerate (a:NoSchedule)',
    '  → ask for less (resources.requests.cpu), or delete pods that are not needed: it is then placed by itself',
    '  nearest: n2: tainted a:NoSchedule',
    '           n1: short of cpu by 1 (3 asked, 2 of 2 free)',
    '  evicting pods of lower priority would not help',
  ]);
  await world.pod('small', { cpu: '1' });
  assert.ok(!(await it.told('small')).some((line) => line.includes('nearest')));
});
