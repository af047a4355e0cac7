/**
 * What stands in the way of a pod on one node, in a form that can be counted, compared and told. The reasons in events and conditions
 * are upstream's words and say less: they are for counting nodes.
 */
export type Obstacle =
  /** The node has too little left of a resource. Quantities are Kubernetes' (`500m`, `2Gi`). */
  | {
      readonly kind: 'short';
      readonly resource: string;
      readonly asked: string;
      /** 0 also of a node that has promised more than it has. */
      readonly free: string;
      /** How much must be given back, or not asked for. */
      readonly by: string;
      readonly allocatable: string;
    }
  /** As many pods as it takes. */
  | { readonly kind: 'full'; readonly pods: number }
  | { readonly kind: 'cordoned' }
  | { readonly kind: 'taint'; readonly key: string; readonly value?: string; readonly effect: string }
  /** The pod names another node. */
  | { readonly kind: 'name'; readonly wanted: string }
  /** A label (or, with `field`, a field) is not as nodeSelector, node affinity or the scheduler's configuration asks. */
  | {
      readonly kind: 'label';
      readonly asker: 'nodeSelector' | 'nodeAffinity' | 'scheduler';
      readonly field?: true;
      readonly key: string;
      /** As in node affinity; nodeSelector's is `In`. */
      readonly operator: string;
      readonly values: readonly string[];
      /** What it is; absent where there is none. */
      readonly actual?: string;
    }
  /** Another pod has the port of the node. */
  | {
      readonly kind: 'port';
      readonly port: number;
      readonly protocol: string;
      readonly address: string;
      readonly pods: readonly PodName[];
    }
  /** Pods in the node's domain are not to be near this one, by a rule of its own or of theirs. */
  | {
      readonly kind: 'pod';
      readonly rule: 'its own' | 'theirs';
      readonly topologyKey: string;
      readonly domain: string;
      readonly pods: readonly PodName[];
    }
  /** It must be near pods that are not in the node's domain. */
  | { readonly kind: 'no-pod'; readonly topologyKey: string; readonly domain: string; readonly wanted: string }
  /** The node has not the label by which it would be told which domain it is in. */
  | { readonly kind: 'no-domain'; readonly rule: 'pod affinity' | 'topology spread'; readonly topologyKey: string }
  /** The node's domain has more of the pods that are to be spread than it may. */
  | {
      readonly kind: 'spread';
      readonly topologyKey: string;
      readonly domain: string;
      readonly pods: number;
      /** In the domain with the fewest. */
      readonly least: number;
      readonly maxSkew: number;
    }
  /** What a plugin does not tell more closely: its reasons. */
  | { readonly kind: 'other'; readonly reasons: readonly string[] };

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}
