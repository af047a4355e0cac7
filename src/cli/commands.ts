/**
 * What the commands of `peapod` do, as the command line asks for it. The implementation is handed in by main: the command
 * line itself knows the API alone. Each gives the exit code; what people can do something about is thrown as UserError.
 */
export interface Commands {
  up(global: Global, options: UpRequest): Promise<number>;
  down(global: Global, options: { readonly purge: boolean }): Promise<number>;
  status(global: Global, options: { readonly output: Output }): Promise<number>;
  kubeconfig(global: Global): Promise<number>;
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
  /** Names, and beginnings of names that end in `*`, of kernel parameters that a pod can have for itself. */
  readonly allowedUnsafeSysctls: readonly string[];
  readonly detach: boolean;
}

/** Who runs containers; `socket` is a path. */
export type RuntimeChoice =
  | { readonly kind: 'containerd' }
  | { readonly kind: 'simulated' }
  | { readonly kind: 'socket'; readonly socket: string };

export const imageChoices = ['auto', 'hub', 'kit'] as const;
export type ImageChoice = (typeof imageChoices)[number];
