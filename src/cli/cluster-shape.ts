import type { Taint } from '#api/generated/core-v1.ts';

/**
 * Which nodes a cluster has, and what was chosen about them: what `--nodes`, `--simulated-nodes` and the cluster's file come
 * to. It is remembered, so that a later `peapod up` without any of these starts the same cluster.
 */
export interface ClusterShape {
  readonly nodes: readonly NodeShape[];
  /** Nodes without containers, in peapod's own process. */
  readonly simulated: readonly SimulatedGroup[];
  /** undefined: the first that is free. */
  readonly podRange: { readonly v4: string; readonly v6?: string } | undefined;
  /** URLs to ask first, by the registry's host: `docker.io`. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
}

export interface NodeShape {
  readonly name: string;
  /** From 1, its own for as long as it is in the cluster: addresses follow from it. */
  readonly index: number;
  readonly traits: NodeTraits;
}

/** Nodes that differ in nothing but their names. */
export interface SimulatedGroup {
  readonly count: number;
  readonly traits: NodeTraits;
}

/** What a node is told to be beside what its machine is. */
export interface NodeTraits {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Quantities by resource, instead of the machine's own: `{ cpu: '2' }`. */
  readonly capacity?: Readonly<Record<string, string>>;
}

/** What the command line asks for; undefined: as before. */
export interface ShapeRequest {
  /** At least 1. */
  readonly nodes: number | undefined;
  readonly simulatedNodes: number | undefined;
  readonly file: ClusterFile | undefined;
}

/** The cluster's file, as far as it says something. Its schema: cluster-file/cluster-file.schema.json. */
export interface ClusterFile {
  readonly nodes?: readonly ({ readonly name?: string } & NodeTraits)[];
  readonly simulatedNodes?: readonly ({ readonly count: number } & NodeTraits)[];
  readonly podRange?: ClusterShape['podRange'];
  readonly mirrors?: ClusterShape['mirrors'];
}

/** As many as a cluster's range has room for: a /16 holds 256 /24, the first of which is the nodes' own. */
export const MOST_NODES = 250;
/** As many /24 as 100.64.0.0/10 holds, roughly. */
export const MOST_SIMULATED_NODES = 16_000;

export const nodeName = (clusterName: string, number: number): string => `${clusterName}-node${number}`;
export const simulatedNodeName = (clusterName: string, number: number): string => `${clusterName}-sim${number}`;

export const simulatedCount = (groups: readonly { readonly count: number }[]): number =>
  groups.reduce((sum, { count }) => sum + count, 0);

/**
 * A file says everything about nodes, ranges and mirrors; without one, `--nodes` counts nodes called NAME-node1 and so on, and
 * what is not said stays as it was `before`.
 */
export function clusterShape(
  clusterName: string,
  request: ShapeRequest,
  before: ClusterShape | undefined,
): ClusterShape {
  const { file } = request;
  const known = file === undefined ? before : undefined;
  return {
    nodes: numbered(namedNodes(clusterName, request, known), before?.nodes ?? []),
    simulated: simulatedGroups(request, known),
    podRange: file?.podRange ?? known?.podRange,
    mirrors: file?.mirrors ?? known?.mirrors ?? {},
  };
}

type Named = { readonly name: string } & NodeTraits;

function namedNodes(
  clusterName: string,
  { nodes, file }: ShapeRequest,
  known: ClusterShape | undefined,
): readonly Named[] {
  if (file?.nodes !== undefined)
    return file.nodes.map((node, index) => ({ ...node, name: node.name ?? nodeName(clusterName, index + 1) }));
  if (nodes === undefined && known !== undefined) return known.nodes.map(({ name, traits }) => ({ name, ...traits }));
  return Array.from({ length: nodes ?? 1 }, (_, index) => ({ name: nodeName(clusterName, index + 1) }));
}

function simulatedGroups(
  { simulatedNodes, file }: ShapeRequest,
  known: ClusterShape | undefined,
): readonly SimulatedGroup[] {
  if (simulatedNodes !== undefined) return simulatedNodes === 0 ? [] : [{ count: simulatedNodes, traits: {} }];
  return file?.simulatedNodes?.map(({ count, ...traits }) => ({ count, traits })) ?? known?.simulated ?? [];
}

/** Who was there keeps its number; who is new gets the lowest that is free. */
function numbered(named: readonly Named[], before: readonly NodeShape[]): readonly NodeShape[] {
  const numbers = new Map(
    before.filter(({ name }) => named.some((one) => one.name === name)).map(({ name, index }) => [name, index]),
  );
  const taken = new Set(numbers.values());
  let next = 1;
  return named.map(({ name, ...traits }) => {
    while (!numbers.has(name) && taken.has(next)) next++;
    const index = numbers.get(name) ?? next;
    taken.add(index);
    return { name, index, traits };
  });
}
