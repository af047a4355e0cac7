import type { Node, Pod } from '#api/generated/core-v1.ts';

/** All that a sentence about a pod may depend on. */
export interface WhyFacts {
  readonly pod: Pod;
  /** undefined where nobody has asked. */
  readonly cluster: ClusterFacts | undefined;
  readonly recalled: Recalled;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** All there are. */
export interface ClusterFacts {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

/** What a pod's status does not tell and its timeline does. */
export interface Recalled {
  readonly containers: ReadonlyMap<string, RecalledContainer>;
  /** What keeps the pod from having volumes or a sandbox, as long as it does. */
  readonly trouble: RecalledTrouble | undefined;
  /** The first time somebody asked for it. */
  readonly deletion:
    | { readonly at: number; readonly by: string; readonly evicted: boolean; readonly because: string | undefined }
    | undefined;
}

export interface RecalledTrouble {
  readonly kind: 'MountFailed' | 'SandboxFailed';
  readonly message: string;
  /** The first time in a row. */
  readonly since: number;
}

export interface RecalledContainer {
  /** The last lines of the log of the attempt that ended last. */
  readonly lastLines?: readonly string[];
  /** When it is tried again: the pull, the creation, the start. */
  readonly retryAt?: number;
  /** Its image is being fetched since then. */
  readonly pullingSince?: number;
  /** Of probes that have failed last time: what they said. */
  readonly probes?: { readonly [Kind in ProbeKind]?: RecalledProbe };
  /** peapod is stopping it. */
  readonly stopped?: boolean;
  /** The probe for whose sake its last attempt was stopped, and what that had said. */
  readonly killedBy?: { readonly probe: ProbeKind; readonly output: string };
  readonly hookFailed?: { readonly hook: 'postStart' | 'preStop'; readonly message: string };
}

export const probeKinds = ['startup', 'liveness', 'readiness'] as const;
export type ProbeKind = (typeof probeKinds)[number];

export interface RecalledProbe {
  readonly output: string;
  /** The first failure in a row. */
  readonly since: number;
  /** So many in a row that it counts: the container is unready, or is killed. */
  readonly reached: boolean;
}

/** Of a pod that nothing is remembered of. */
export const nothingRecalled: Recalled = {
  containers: new Map(),
  trouble: undefined,
  deletion: undefined,
};

/** What is the matter with a pod, or with a container of it. */
export interface Finding {
  /** undefined: the pod itself. */
  readonly container?: string;
  /** What follows the name of the container or pod: `has crashed 4 times, exit 1`. */
  readonly what: string;
  /** '' when nothing needs to be done. */
  readonly help: string;
  /** stuck: it takes people; retrying: it is tried again, likely in vain; coming: it goes on by itself; fine: nothing is wrong. */
  readonly weight: Weight;
}

export const weights = ['stuck', 'retrying', 'coming', 'fine'] as const;
export type Weight = (typeof weights)[number];

/** How kubectl is told which pod is meant. */
export const kubectlRef = ({ metadata }: Pod): string => `${metadata.name} -n ${metadata.namespace ?? 'default'}`;
