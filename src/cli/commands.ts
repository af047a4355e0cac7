import type { ShapeRequest } from '#cli/cluster-shape.ts';

/**
 * What the commands of `peapod` do, as the command line asks for it. The implementation is handed in by main: the command
 * line itself knows the API alone. Each gives the exit code; what people can do something about is thrown as UserError.
 */
export interface Commands {
  up(global: Global, options: UpRequest): Promise<number>;
  down(global: Global, options: DownRequest): Promise<number>;
  status(global: Global, options: { readonly output: Output }): Promise<number>;
  why(global: Global, options: WhyRequest): Promise<number>;
  /** 0 when every pod fits, 1 when some do not. */
  simulate(global: Global, options: SimulateRequest): Promise<number>;
  kubeconfig(global: Global): Promise<number>;
  node(global: Global, options: NodeCommand): Promise<number>;
  imageLoad(global: Global, options: { readonly file: string }): Promise<number>;
  imagePull(global: Global, options: { readonly name: string }): Promise<number>;
  imageList(global: Global, options: { readonly output: Output }): Promise<number>;
}

/** Which cluster is meant. */
export interface Global {
  readonly name: string;
  /** As given; undefined: the usual place for this name. */
  readonly dataDir: string | undefined;
}

export interface WhyRequest {
  /** undefined: all that are not ready. */
  readonly pod: string | undefined;
  /** undefined: all of them. */
  readonly namespace: string | undefined;
  /** The node whose verdict is asked for; only with a pod. */
  readonly node: string | undefined;
  readonly output: Output;
}

export interface SimulateRequest {
  /** Manifests of pods: files and directories that exist, or `-`. At least one. */
  readonly files: readonly string[];
  /** Of each pod; at least 1. undefined: as many as its manifest asks for. */
  readonly replicas: number | undefined;
  /** Manifests of a cluster; []: the one that runs. */
  readonly nodes: readonly string[];
  /** A file that exists; undefined: what the cluster was started with. */
  readonly schedulerConfig: string | undefined;
  readonly output: Output;
}

export type Output = 'text' | 'json';

export interface UpRequest {
  /** Files and directories that exist, or `-`. */
  readonly files: readonly string[];
  /** 1 to 65535; undefined: the one it had before, else 6443. */
  readonly port: number | undefined;
  readonly runtime: RuntimeChoice;
  /** An http or https URL. */
  readonly registryMirror: string | undefined;
  readonly images: ImageChoice;
  /** A directory that exists; undefined: `manifests` in the data directory. */
  readonly staticPods: string | undefined;
  /** A file that exists; undefined: the scheduler is upstream's default one. */
  readonly schedulerConfig: string | undefined;
  /** Names, and beginnings of names that end in `*`, of kernel parameters that a pod can have for itself. */
  readonly allowedUnsafeSysctls: readonly string[];
  readonly detach: boolean;
  readonly shape: Omit<ShapeRequest, 'file'>;
  /** A file that exists: the cluster's (cluster-file/cluster-file.schema.json). */
  readonly clusterFile: string | undefined;
  readonly node: NodeRequest;
}

/** What may be chosen about the node; upstream's defaults stand for what is undefined. */
export interface NodeRequest {
  /** 1,000 to 3,600,000. Of the control plane; its nodes renew their leases often enough for it. */
  readonly nodeMonitorGraceMs: number | undefined;
  /** 1,000 to 300,000. */
  readonly crashLoopMaxDelayMs: number | undefined;
  readonly logMaxBytes: number | undefined;
  /** At least 2. */
  readonly logMaxFiles: number | undefined;
}

export interface NodeCommand {
  readonly action: 'stop' | 'start' | 'partition' | 'heal';
  /** Of the node. */
  readonly node: string;
}

export interface DownRequest {
  readonly purge: boolean;
  /** What a pod's own grace period is cut to; 0 kills at once. */
  readonly graceSeconds: number;
}

/** Long enough for what ends when it is told to, short enough to wait for what does not. */
export const DEFAULT_GRACE_SECONDS = 10;

/** Who runs containers; `socket` is a path. */
export type RuntimeChoice =
  | { readonly kind: 'containerd' }
  | { readonly kind: 'simulated' }
  | { readonly kind: 'socket'; readonly socket: string };

export const imageChoices = ['auto', 'hub', 'kit'] as const;
export type ImageChoice = (typeof imageChoices)[number];
