/**
 * `npm run bench [-- NAME…] [--json FILE] [--baseline] [--nodes N] [--pods N] [--case NAME] [--quick]`: measures what the project promises about
 * its speed, each thing beside what it is compared with, in one run. Without names everything runs, one after the other: half an hour.
 *
 * Exit code 1 when a target is missed. `--baseline` writes the results to baseline.json, with which later runs are compared.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { isMet, type Result, tableOf } from '#test/bench/result.ts';

type Benchmark = () => Promise<readonly Result[]>;

/** In the order of the table. Loaded when asked for: each leaves its own traces in memory. */
const benchmarks: Readonly<Record<string, (sizes: Sizes) => Promise<Benchmark>>> = {
  start: async () => (await import('#test/bench/start.ts')).benchStart,
  pod: async () => (await import('#test/bench/pod.ts')).benchPod,
  hundred: async () => (await import('#test/bench/hundred.ts')).benchHundred,
  reaction: async () => (await import('#test/bench/reaction.ts')).benchReaction,
  probes: async () => (await import('#test/bench/probes.ts')).benchProbes,
  'exec-probes': async () => (await import('#test/bench/exec-probes.ts')).benchExecProbes,
  exec: async () => (await import('#test/bench/exec.ts')).benchExec,
  writes: async () => (await import('#test/bench/writes.ts')).benchWrites,
  api: async () => (await import('#test/bench/api.ts')).benchApi,
  idle: async () => (await import('#test/bench/idle.ts')).benchIdle,
  nodes: async () => (await import('#test/bench/nodes.ts')).benchNodes,
  restarts: async () => {
    const { benchRestarts } = await import('#test/bench/restarts.ts');
    return () => benchRestarts({ pods: Number(process.env['PEAPOD_BENCH_PODS'] ?? 100) });
  },
  store: async () => (await import('#test/bench/store.ts')).benchStore,
  'scheduler-growth': async () => (await import('#test/bench/scheduler-growth.ts')).benchSchedulerGrowth,
  scheduler: async ({ nodes, pods, only, quick }) => {
    const { benchScheduler } = await import('#test/bench/scheduler.ts');
    const { benchSchedulerPerf } = await import('#test/bench/scheduler-perf/bench.ts');
    return async () => [
      ...(quick ? [] : await benchScheduler({ nodes: 500, pods: 1000 })),
      ...(await benchSchedulerPerf({ nodes, pods, only, memory: !quick })),
    ];
  },
};

/** Of the scheduler's benchmark alone: as upstream's unless it is told otherwise. Only then are upstream's floors targets. */
interface Sizes {
  readonly nodes: number | undefined;
  readonly pods: number | undefined;
  /** Part of the name of a case. */
  readonly only: string | undefined;
  /** Over the durable store alone. */
  readonly quick: boolean;
}

interface Run {
  readonly at: string;
  readonly machine: string;
  /** Before and after, over a minute: on a busy machine only ratios mean anything. */
  readonly load: readonly [number, number];
  readonly results: readonly Result[];
}

const baselineFile = join(import.meta.dirname, 'baseline.json');

function readBaseline(): readonly Result[] {
  try {
    return (JSON.parse(readFileSync(baselineFile, 'utf8')) as Run).results;
  } catch {
    return [];
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      json: { type: 'string' },
      baseline: { type: 'boolean', default: false },
      nodes: { type: 'string' },
      pods: { type: 'string' },
      case: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !(name in benchmarks));
  if (unknown.length > 0) {
    process.stderr.write(
      `there is no benchmark ${unknown.join(', ')}: there are ${Object.keys(benchmarks).join(', ')}\n`,
    );
    return 2;
  }
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const sizes = { nodes: number(values.nodes), pods: number(values.pods), only: values.case, quick: values.quick };
  const before = loadavg()[0]!;
  const results: Result[] = [];
  for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
    process.stderr.write(`${name} …\n`);
    const bench = await benchmarks[name]!(sizes);
    results.push(...(await bench()));
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`;
  const run: Run = { at: new Date().toISOString(), machine, load: [before, loadavg()[0]!], results };
  process.stdout.write(tableOf(results, values.baseline ? [] : readBaseline()));
  process.stdout.write(`\n${machine}; load ${run.load.map((load) => load.toFixed(1)).join(' → ')}\n`);
  const text = `${JSON.stringify(run, undefined, 2)}\n`;
  if (values.json !== undefined) writeFileSync(values.json, text);
  if (values.baseline) writeFileSync(baselineFile, text);
  return results.some((result) => isMet(result) === false) ? 1 : 0;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1));
try {
  process.exit(await main());
} catch (error) {
  // What failed first is in a cause or in what was suppressed.
  process.stderr.write(`${inspect(error, { depth: 8 })}\n`);
  process.exit(1);
}
