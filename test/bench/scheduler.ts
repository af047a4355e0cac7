import type { Node, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { indexedCluster } from '#scheduler/indexed-cluster.ts';
import { seededTieBreak } from '#scheduler/place.ts';
import { Placer } from '#scheduler/placer.ts';
import { defaultProfile } from '#scheduler/profile.ts';
import { median, type Result } from '#test/bench/result.ts';

export interface Size {
  readonly nodes: number;
  readonly pods: number;
}

const ROUNDS = 5;

/**
 * Placing alone, in memory: no server, no queue, no writes. Each pod is placed and counted on its node, on a cluster
 * that fills up. The floor is one bare loop over typed arrays a pod, which asks of each node whether cpu and memory are
 * enough and which has the most left: what no scheduler that considers every node can be faster than by much.
 */
export async function benchScheduler({ nodes, pods }: Size): Promise<readonly Result[]> {
  const samples = cases.map((): number[] => []);
  const floors: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(bareLoop(nodes, pods));
    for (const [at, { spec }] of cases.entries()) samples[at]?.push(placing({ nodes, pods }, spec));
  }
  const floor = median(floors);
  return [
    { name: `placing on ${nodes} nodes: bare loop`, unit: 'pods/s', value: floor },
    ...cases.map(({ name }, at) => {
      const value = median(samples[at] ?? []);
      return { name: `placing on ${nodes} nodes: ${name}`, unit: 'pods/s', value, floor, ratio: value / floor };
    }),
  ];
}

const requests = { cpu: '100m', memory: '500Mi' };
const containers: PodSpec['containers'] = [{ name: 'c', image: 'registry.example/pause:3', resources: { requests } }];
const zones = (operator: 'In', values: readonly string[]) => ({ key: 'zone', operator, values });

const cases: readonly { readonly name: string; readonly spec: PodSpec }[] = [
  { name: 'basic', spec: { containers } },
  {
    name: 'node affinity',
    spec: {
      containers,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [zones('In', ['zone-0', 'zone-1'])] }],
          },
        },
      },
    },
  },
  {
    name: 'one node by name',
    spec: {
      containers,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }],
          },
        },
      },
    },
  },
  { name: 'fits nowhere', spec: { containers, nodeSelector: { zone: 'nowhere' } } },
];

/** Pods a second. */
function placing({ nodes, pods }: Size, spec: PodSpec): number {
  const { plugins } = defaultProfile();
  const cluster = indexedCluster(plugins);
  const placer = new Placer({ plugins });
  for (let at = 0; at < nodes; at++) cluster.setNode(newNode(at));
  const waiting = Array.from({ length: pods }, (_, at) => newPod(at, spec));
  const start = performance.now();
  for (const [seed, pod] of waiting.entries()) {
    const placement = placer.place(pod, cluster, seededTieBreak(seed));
    if (placement.kind === 'chosen') cluster.setPod(pod, placement.node);
  }
  return (pods / (performance.now() - start)) * 1000;
}

function bareLoop(nodes: number, pods: number): number {
  const cpu = new Float64Array(nodes).fill(32_000);
  const memory = new Float64Array(nodes).fill(2 ** 38);
  const start = performance.now();
  for (let pod = 0; pod < pods; pod++) {
    let best = -1;
    let most = -1;
    for (let at = 0; at < nodes; at++) {
      const cpuLeft = cpu[at]! - 100;
      const memoryLeft = memory[at]! - 500 * 2 ** 20;
      const score = cpuLeft / 32_000 + memoryLeft / 2 ** 38;
      if (cpuLeft < 0 || memoryLeft < 0 || score <= most) continue;
      best = at;
      most = score;
    }
    if (best < 0) continue;
    cpu[best]! -= 100;
    memory[best]! -= 500 * 2 ** 20;
  }
  return (pods / (performance.now() - start)) * 1000;
}

const newNode = (at: number): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...identity(`node-${at}`), labels: { zone: `zone-${at % 10}`, 'kubernetes.io/hostname': `node-${at}` } },
  spec: {},
  status: { allocatable: { cpu: '32', memory: '256Gi', pods: '110' } },
});

const newPod = (at: number, spec: PodSpec): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...identity(`pod-${at}`), namespace: 'default' },
  // As from the server, each pod has a spec of its own.
  spec: structuredClone(spec),
});

const identity = (name: string): Pod['metadata'] => ({
  name,
  uid: name as Uid,
  resourceVersion: '1' as ResourceVersion,
  creationTimestamp: '2026-01-01T00:00:00Z',
});

if (import.meta.main) {
  const [nodes = '500', pods = '1000'] = process.argv.slice(2);
  for (const { name, unit, value, ratio } of await benchScheduler({ nodes: Number(nodes), pods: Number(pods) })) {
    const compared = ratio === undefined ? '' : `  ratio ${ratio.toPrecision(2)}`;
    process.stdout.write(`${name}: ${value.toPrecision(3)} ${unit}${compared}\n`);
  }
}
