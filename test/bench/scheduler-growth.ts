import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { seededTieBreak } from '#scheduler/place.ts';
import { Placer } from '#scheduler/placer.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { median, type Result } from '#test/bench/result.ts';
import { nodeOf, podOf, type PodTemplate, templates, ZONE } from '#test/bench/scheduler-perf/templates.ts';

const ATTEMPTS = 400;
const WARM = 100;

interface Size {
  readonly nodes: number;
  /** Placed before, one after the other on the nodes. */
  readonly pods: number;
  /** How many colours these have: each is a term of its own where the pods have terms. */
  readonly colours?: number;
}

/** How an attempt's cost grows: with the nodes, with the pods that are there, with the terms these have. Alone, in memory. */
export async function benchSchedulerGrowth(): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const name of kinds) {
    const sizes = [1000, 5000, 15_000].flatMap((nodes): readonly Size[] => [
      { nodes, pods: nodes },
      { nodes, pods: 4 * nodes },
    ]);
    for (const size of sizes) results.push(await attemptAmong(name, size));
  }
  for (const name of ['antiAffinity', 'spread'] as const)
    for (const colours of [1, 100, 1000]) results.push(await attemptAmong(name, { nodes: 5000, pods: 4000, colours }));
  return results;
}

const kinds = ['plain', 'nodeAffinity', 'preferredAffinity', 'affinity', 'spread', 'preferredSpread'] as const;

async function attemptAmong(name: keyof typeof templates, size: Size): Promise<Result> {
  const { nodes, pods, colours = 1 } = size;
  const { plugins } = defaultProfile();
  const cluster = indexedCluster(plugins);
  const placer = new Placer({ plugins });
  for (let at = 0; at < nodes; at++) cluster.setNode(newNode(at));
  for (let at = 0; at < pods; at++) cluster.setPod(newPod(templates[name], at, at % colours), `node-${at % nodes}`);
  const took: number[] = [];
  for (let at = 0; at < WARM + ATTEMPTS; at++) {
    // Those that are tried are of a colour of their own where there are several, so that all find a node.
    const pod = newPod(templates[name], pods + at, colours === 1 && name !== 'antiAffinity' ? 0 : colours + at);
    const begun = performance.now();
    const placement = placer.place(pod, cluster, seededTieBreak(at));
    if (placement.kind === 'nowhere') throw new Error(`${name}: no node of ${nodes} fits`);
    cluster.setPod(pod, placement.node);
    if (at >= WARM) took.push((performance.now() - begun) * 1000);
    // Who else is in the process gets its turn, as it does while a cluster runs.
    if (at % 50 === 0) await new Promise((done) => setImmediate(done));
  }
  const what = colours === 1 ? '' : `, ${colours} terms`;
  return { name: `an attempt, ${name}: ${nodes} nodes, ${pods} pods${what}`, unit: 'µs', value: median(took) };
}

const newNode = (at: number): Node => {
  const made = nodeOf(`node-${at}`, { labels: { [ZONE]: `zone${at % 10}` } });
  return { ...made, metadata: { ...made.metadata, ...identity(`node-${at}`) } } as Node;
};

function newPod(template: PodTemplate, at: number, colour: number): Pod {
  const made = podOf(template, `pod-${at}`, 'sched-0');
  const text =
    colour === 0 ? JSON.stringify(made) : JSON.stringify(made).replace(/"(green|blue|red)"/g, `"$1-${colour}"`);
  const pod = JSON.parse(text) as Pod;
  return { ...pod, metadata: { ...pod.metadata, ...identity(`pod-${at}`) }, spec: { ...pod.spec, schedulerName: 'x' } };
}

const identity = (name: string): Pick<Node['metadata'], 'name' | 'uid' | 'resourceVersion' | 'creationTimestamp'> => ({
  name,
  uid: name as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
});
