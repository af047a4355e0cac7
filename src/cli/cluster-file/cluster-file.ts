import type { ClusterFile, ClusterShape, NodeTraits } from '#cli/cluster-shape.ts';

/** The cluster's file as people write it, once cluster-file.schema.json has nothing against it. */
export interface WrittenClusterFile {
  readonly nodes?: readonly (WrittenTraits & { readonly name?: string })[];
  readonly simulatedNodes?: readonly (WrittenTraits & { readonly count: number })[];
  readonly podCIDRs?: readonly string[];
  readonly registryMirrors?: ClusterShape['mirrors'];
}

/** Quantities may be numbers in it: `cpu: 4`. */
type WrittenTraits = Omit<NodeTraits, 'capacity'> & { readonly capacity?: Readonly<Record<string, string | number>> };

/** A field of the file that is not as it should be. */
export interface FileProblem {
  /** `['nodes', 0, 'taints']`. */
  readonly path: readonly (string | number)[];
  /** In the words of the API's field errors. */
  readonly body: string;
}

/** What it says. It must have been checked. */
export function clusterFileOf({ nodes, simulatedNodes, podCIDRs, registryMirrors }: WrittenClusterFile): ClusterFile {
  const v4 = podCIDRs?.find((range) => !range.includes(':'));
  const v6 = podCIDRs?.find((range) => range.includes(':'));
  return {
    ...(nodes === undefined ? {} : { nodes: nodes.map(withTexts) }),
    ...(simulatedNodes === undefined ? {} : { simulatedNodes: simulatedNodes.map(withTexts) }),
    ...(v4 === undefined ? {} : { podRange: { v4, ...(v6 === undefined ? {} : { v6 }) } }),
    ...(registryMirrors === undefined ? {} : { mirrors: registryMirrors }),
  };
}

function withTexts<T extends WrittenTraits>({
  capacity,
  ...rest
}: T): Omit<T, 'capacity'> & Pick<NodeTraits, 'capacity'> {
  if (capacity === undefined) return rest;
  return {
    ...rest,
    capacity: Object.fromEntries(Object.entries(capacity).map(([name, text]) => [name, String(text)])),
  };
}
