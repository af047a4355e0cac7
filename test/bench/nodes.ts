import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, kilobytes } from '#test/bench/processes.ts';
import { median, type Result } from '#test/bench/result.ts';
import { E2eCluster } from '#test/e2e/support/cluster.ts';

const ROUNDS = 3;
const SETTLE_MS = 10_000;
const WINDOW_MS = 20_000;

/**
 * From `peapod up --detach` until it returns, when all nodes are Ready: one, three that are hosts of their own, and thousands that are
 * simulated. Images and certificates are there; the first start of each sees to that. What simulated ones cost is told beside.
 */
export async function benchNodes(): Promise<readonly Result[]> {
  return [
    ...(await readyAfter('one node', [])),
    ...(await readyAfter('three nodes, hosts of their own', ['--nodes', '3'])),
    ...(await simulated(1000)),
    ...(await simulated(5000)),
  ];
}

async function readyAfter(name: string, args: readonly string[]): Promise<readonly Result[]> {
  await using cluster = E2eCluster.reserve('bench-nodes');
  const took: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const begun = performance.now();
    await cluster.up(...args);
    if (round > 0) took.push(performance.now() - begun);
    await cluster.down();
  }
  return [{ name: `nodes: ${name}, all Ready`, unit: 'ms', value: median(took) }];
}

async function simulated(count: number): Promise<readonly Result[]> {
  await using cluster = E2eCluster.reserve('bench-nodes');
  const name = `nodes: ${count} simulated ones`;
  const begun = performance.now();
  await cluster.up('--runtime', 'simulated', '--simulated-nodes', String(count));
  const ready = performance.now() - begun;
  const pid = await cluster.pid();
  await sleep(SETTLE_MS);
  const [used, since] = [cpuSeconds(pid), performance.now()];
  await sleep(WINDOW_MS);
  const share = (cpuSeconds(pid) - used) / ((performance.now() - since) / 1000);
  return [
    { name: `${name}, all Ready, data dir empty`, unit: 'ms', value: ready },
    { name: `${name}, resident`, unit: 'MB', value: kilobytes(pid, 'status', 'VmRSS') / 1024 },
    { name: `${name}, idle, of one core`, unit: '%', value: share * 100 },
  ];
}
