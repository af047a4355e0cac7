/**
 * kill -9 of peapod, of containerd, of both, at random instants while pods come and go: afterwards nothing runs twice,
 * nothing is left over, and nobody was restarted that should live.
 *
 * PEAPOD_CRASH_ROUNDS says how many rounds, PEAPOD_TEST_SEED which instants. Without the first it gives up after ten minutes,
 * however few rounds that were.
 */
import test from 'node:test';
import { inspect } from 'node:util';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import { realClock } from '#lib/clock.ts';
import { KilledNode } from '#test/e2e/crash/killed-node.ts';
import { describeRound, planRound } from '#test/e2e/crash/round.ts';
import { nodeOf } from '#test/e2e/support/census.ts';
import { E2eCluster } from '#test/e2e/support/cluster.ts';
import { PodWatch } from '#test/e2e/support/pod-watch.ts';
import { randomFrom, testSeed } from '#test/e2e/support/random.ts';

const chosen = process.env['PEAPOD_CRASH_ROUNDS'];
const ROUNDS = Number(chosen ?? 30);
/** On a machine that has other things to do a suite has to end all the same. */
const PATIENCE_MS = 10 * 60_000;

test(
  'crash: kill -9 of peapod, containerd or both, at any instant',
  { timeout: chosen === undefined ? 14 * 60_000 : Infinity },
  async (t) => {
    const seed = testSeed();
    t.diagnostic(`${ROUNDS} rounds from seed ${seed}`);
    await using cluster = await E2eCluster.start('e2e-rounds');
    await using pods = await PodWatch.on(cluster);
    await using runtime = criRuntime(nodeOf(cluster).containerdSocket, realClock);
    const node = new KilledNode(cluster, pods, runtime);
    await node.begin();
    const random = randomFrom(seed);
    const began = performance.now();
    let round = 0;
    for (; round < ROUNDS && (chosen || performance.now() - began < PATIENCE_MS); round++) {
      const plan = planRound(round, random);
      try {
        await node.play(plan);
      } catch (error) {
        // Should what follows fail too, this would not be seen.
        t.diagnostic(inspect(error));
        throw new Error(`seed ${seed}, round ${round}: ${describeRound(plan)}`, { cause: error });
      }
    }
    t.diagnostic(
      `${round} rounds in ${Math.round(performance.now() - began)} ms; blows: ${JSON.stringify(node.blows)}`,
    );
    await node.end();
  },
);
