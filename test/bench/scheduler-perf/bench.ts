import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { hasReason } from '#api/errors.ts';
import { createClient } from '#client/api-client.ts';
import { readKubeconfig, transportTo } from '#client/kubeconfig.ts';
import { namespaceResource } from '#client/resources.ts';
import { realClock } from '#lib/clock.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { quantile, type Result } from '#test/bench/result.ts';
import { type PerfCase, perfCases } from '#test/bench/scheduler-perf/cases.ts';
import type { PerfMessage, PerfOrder, PerfResult } from '#test/bench/scheduler-perf/child.ts';

export interface SchedulerBenchOptions {
  /** As upstream's workload has it when absent; pods follow the nodes then. */
  readonly nodes?: number | undefined;
  readonly pods?: number | undefined;
  /** Part of a case's name; all when absent. */
  readonly only?: string | undefined;
  /** Beside each, the same over a store in memory: what the scheduler and the API server cost without the disk. */
  readonly memory?: boolean;
}

/**
 * Upstream's scheduler_perf: pods a second that get a node, with the API server, its store and the scheduler at work and
 * nodes that are objects only. The floor is the number below which upstream's CI fails; it holds at upstream's size, so at any other
 * the result is reported and nothing is promised.
 */
export async function benchSchedulerPerf(options: SchedulerBenchOptions): Promise<readonly Result[]> {
  const cases = perfCases.filter(({ name }) => name.includes(options.only ?? ''));
  if (cases.length === 0)
    throw new Error(`no case is called ${options.only}: there are ${perfCases.map(({ name }) => name).join('; ')}`);
  const results: Result[] = [];
  for (const one of cases) results.push(...(await benchCase(one, options)));
  return results;
}

async function benchCase(one: PerfCase, options: SchedulerBenchOptions): Promise<readonly Result[]> {
  const order = { name: one.name, nodes: options.nodes, pods: options.pods };
  const [durable, late] = await measured({ ...order, store: 'sqlite' });
  const name = `scheduler, ${one.name} (${durable.nodes} nodes, ${durable.pods} pods)`;
  const isUpstreamsSize = durable.nodes === one.nodes && durable.pods === one.pods;
  const results: Result[] = [
    {
      name,
      unit: 'pods/s',
      value: durable.podsPerSecond,
      ...(isUpstreamsSize
        ? {
            floor: one.podsPerSecond,
            ratio: durable.podsPerSecond / one.podsPerSecond,
            target: { of: 'ratio', atLeast: 1 } as const,
          }
        : {}),
    },
    { name: `${name}: an attempt, p99`, unit: 'ms', value: durable.attemptP99 },
    ...(late.length === 0
      ? []
      : [{ name: `${name}: a GET over HTTPS meanwhile, p99`, unit: 'ms', value: quantile(late, 0.99) }]),
    { name: `${name}: resident`, unit: 'MB', value: durable.resident },
  ];
  process.stderr.write(
    `  ${one.name}: ${durable.podsPerSecond.toFixed(0)} pods/s, seconds: ${durable.samples.join(' ')}\n`,
  );
  if (options.memory !== true) return results;
  const [memory] = await measured({ ...order, store: 'memory' });
  return [...results, { name: `${name}: store in memory`, unit: 'pods/s', value: memory.podsPerSecond }];
}

/** Those in use. Who is told to end takes them along. */
const directories = new Set<string>();
process.on('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'peapod-scheduler-perf-'));
  directories.add(directory);
  return directory;
}

/** What the child found, and how long GETs of this process took while it measured (ms). */
async function measured(order: Omit<PerfOrder, 'directory'>): Promise<readonly [PerfResult, readonly number[]]> {
  const child = fork(join(import.meta.dirname, 'child.ts'), { execArgv: ['--expose-gc'] });
  const probing = new AbortController();
  let gets: Promise<readonly number[]> = Promise.resolve([]);
  const result = Promise.withResolvers<PerfResult>();
  child.on('message', (message: PerfMessage) => {
    if (message.kind === 'progress') process.stderr.write(`${message.text}\n`);
    else if (message.kind === 'measuring') gets = getAllTheTime(message.kubeconfig, probing.signal);
    else result.resolve(message.result);
  });
  child.once('exit', (code) => result.reject(new Error(`the case "${order.name}" ended with code ${code}`)));
  const directory = await newDirectory();
  child.send({ ...order, directory } satisfies PerfOrder);
  try {
    const found = await result.promise;
    probing.abort();
    return [found, await gets];
  } finally {
    probing.abort();
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(directory, { recursive: true });
  }
}

const EVERY_MS = 20;

async function getAllTheTime(kubeconfig: string, signal: AbortSignal): Promise<readonly number[]> {
  const directory = await newDirectory();
  const file = join(directory, 'kubeconfig');
  await writeFile(file, kubeconfig);
  using transport = transportTo(await readKubeconfig(file), 'peapod-bench');
  await rm(directory, { recursive: true });
  const client = createClient(transport);
  const took: number[] = [];
  try {
    for (;;) {
      const begun = performance.now();
      await client.get(namespaceResource, { name: 'default' }, signal);
      took.push(performance.now() - begun);
      await realClock.sleep(EVERY_MS, signal);
    }
  } catch (error) {
    // The server goes with the child, which may be before we are told to stop, and before it has answered at all.
    if (signal.aborted || hasReason(error, 'ServiceUnavailable')) return took;
    throw error;
  }
}
