/**
 * The container runtime port: what a kubelet needs of a runtime, split by caller. It knows sandboxes, containers and
 * images; it knows no Pod. Adapters: grpc/ (CRI v1 over a unix socket) and simulated/ (in process). conformance.ts runs on both.
 *
 *  1. The runtime is the authority for what exists. A client that restarts lists, and has lost nothing.
 *  2. Stopping or removing what is already gone succeeds, and so does doing it twice: every step may be repeated.
 *  3. What is absent is an answer (`undefined`), not a failure. Failures throw RuntimeFault (fault.ts).
 *  4. Two lists show every pod of a node; `status` adds what lists leave out (addresses, exit codes, times) for those that changed.
 *  5. An event says "look again". It comes after the runtime's own status shows the change, may be missed while the
 *     runtime is down, and then is made good by a `resync`, upon which a consumer lists again. Only `ended` is ahead of it:
 *     a container's processes are gone, and the runtime still clears up after them; its `exited` follows.
 *  6. Every call takes an AbortSignal: when it fires the call rejects with the signal's reason, and whether the runtime
 *     did the thing is unknown until the next look. Calls work again by themselves once a lost runtime is back.
 *  7. Times are epoch milliseconds, with a fraction where the runtime knows more (resolution 0.25 µs).
 */
import type { ContainerConfig, LinuxResources, Mount, SandboxConfig, SandboxMetadata, StringMap } from '#cri/config.ts';
import type { Brand } from '#lib/brand.ts';

export type SandboxId = Brand<string, 'SandboxId'>;
export type ContainerId = Brand<string, 'ContainerId'>;
/** The runtime's own, immutable name of an image (`sha256:…`), as against what users call it. */
export type ImageRef = Brand<string, 'ImageRef'>;

export interface ContainerRuntime extends AsyncDisposable {
  readonly info: RuntimeInfo;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
  readonly images: Images;
  readonly streams: Streams;
  readonly stats: Stats;
  readonly events: RuntimeEvents;
}

export interface RuntimeInfo {
  version(signal: AbortSignal): Promise<RuntimeVersion>;
  status(signal: AbortSignal): Promise<RuntimeStatus>;
}

/** `name` is 'containerd', 'cri-o', 'simulated', …; a node reports `name://version`. */
export interface RuntimeVersion {
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
}

export interface RuntimeStatus {
  readonly runtime: RuntimeCondition;
  readonly network: RuntimeCondition;
  /** Handler names of RuntimeClasses; '' is the default. Empty where the runtime does not tell. */
  readonly handlers: readonly string[];
  /** undefined where the runtime does not tell (containerd before 2.0): then it is the configuration's business. */
  readonly cgroupDriver: 'systemd' | 'cgroupfs' | undefined;
}

/** `reason` and `message` are '' when ready. */
export interface RuntimeCondition {
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface Sandboxes {
  /**
   * Creates and starts a sandbox; it is ready, with its addresses, when this resolves. `already-exists` when the same
   * (uid, attempt) is there. After a failure a not-ready sandbox of that attempt may be left: list and remove it.
   */
  run(config: SandboxConfig, signal: AbortSignal): Promise<SandboxId>;
  /** Kills the containers in it, gives back its addresses. Its containers stay listed as exited. */
  stop(id: SandboxId, signal: AbortSignal): Promise<void>;
  /** Removes it with all its containers, stopping first if need be. */
  remove(id: SandboxId, signal: AbortSignal): Promise<void>;
  status(id: SandboxId, signal: AbortSignal): Promise<ObservedSandbox | undefined>;
  list(filter: SandboxFilter, signal: AbortSignal): Promise<readonly ListedSandbox[]>;
  /** Path of the network namespace on the host; undefined when gone, stopped, the node's own, or not told by the runtime. */
  networkNamespace(id: SandboxId, signal: AbortSignal): Promise<string | undefined>;
}

export interface ListedSandbox {
  readonly id: SandboxId;
  readonly metadata: SandboxMetadata;
  readonly state: 'ready' | 'not-ready';
  readonly createdAt: number;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly runtimeHandler: string;
}

export interface ObservedSandbox extends ListedSandbox {
  /** The primary address first, then the others. Empty in the node's network and once stopped. */
  readonly addresses: readonly string[];
  readonly network: 'pod' | 'node';
}

/** All given conditions must hold; {} is everything. */
export interface SandboxFilter {
  readonly id?: SandboxId | undefined;
  readonly state?: 'ready' | 'not-ready' | undefined;
  readonly labels?: StringMap | undefined;
}

export interface Containers {
  /** `sandboxConfig` is the very config the sandbox was run with. `not-found` when sandbox or image are not there. */
  create(sandbox: SandboxId, configs: CreateConfigs, signal: AbortSignal): Promise<ContainerId>;
  /**
   * Refused ('other') unless the container is in state created. When its command cannot be run this throws and the
   * container is exited with code 128 and reason StartError.
   */
  start(id: ContainerId, signal: AbortSignal): Promise<void>;
  /** Its stop signal, then SIGKILL after `graceMs` (rounded up to a second; 0 kills at once). Resolves when it has exited. */
  stop(id: ContainerId, graceMs: number, signal: AbortSignal): Promise<void>;
  /** Kills it if it runs. Its log file stays. */
  remove(id: ContainerId, signal: AbortSignal): Promise<void>;
  status(id: ContainerId, signal: AbortSignal): Promise<ObservedContainer | undefined>;
  list(filter: ContainerFilter, signal: AbortSignal): Promise<readonly ListedContainer[]>;
  /** Fields left out keep their values. */
  updateResources(id: ContainerId, resources: LinuxResources, signal: AbortSignal): Promise<void>;
  /** To be called after the log file was renamed away. */
  reopenLog(id: ContainerId, signal: AbortSignal): Promise<void>;
}

export interface CreateConfigs {
  readonly container: ContainerConfig;
  readonly sandbox: SandboxConfig;
}

/** A container as the runtime sees it. Fields exist only in the states where they mean something. */
export type ContainerState =
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly startedAt: number }
  | ExitedState
  | { readonly kind: 'unknown'; readonly reason: string; readonly message: string };

export interface ExitedState {
  readonly kind: 'exited';
  /** undefined when it never ran (StartError). */
  readonly startedAt: number | undefined;
  readonly finishedAt: number;
  readonly exitCode: number;
  /** 'Completed', 'Error', 'OOMKilled', 'StartError', …: shown to users as it is. */
  readonly reason: string;
  readonly message: string;
}

export interface ListedContainer {
  readonly id: ContainerId;
  readonly sandbox: SandboxId;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState['kind'];
  readonly createdAt: number;
  /** What the container was created with, and what that resolved to. */
  readonly image: string;
  readonly imageRef: ImageRef;
  readonly labels: StringMap;
  readonly annotations: StringMap;
}

/** No sandbox here: CRI's container status does not say; the list does. */
export interface ObservedContainer {
  readonly id: ContainerId;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAt: number;
  readonly image: string;
  readonly imageRef: ImageRef;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly mounts: readonly Mount[];
  /** Absolute. */
  readonly logPath: string;
  /** What is in force; undefined where the runtime does not tell. */
  readonly resources: LinuxResources | undefined;
  /** Who the first process started as; undefined where the runtime does not tell (containerd before 2.0). */
  readonly user:
    | { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
    | undefined;
  /** What `stop` sends first, `SIGTERM`; undefined where neither the runtime nor its config tells. */
  readonly stopSignal: string | undefined;
}

export interface ContainerFilter {
  readonly id?: ContainerId | undefined;
  readonly sandbox?: SandboxId | undefined;
  readonly state?: ContainerState['kind'] | undefined;
  readonly labels?: StringMap | undefined;
}

export interface Images {
  /** By any name: short, tagged, digested, or an ImageRef. undefined: not here, or no name at all (`pull` tells these apart). */
  status(name: string, signal: AbortSignal): Promise<Image | undefined>;
  /** Fetches even if present (a registry decides whether anything changed). No deadline but the signal. */
  pull(name: string, options: PullOptions, signal: AbortSignal): Promise<ImageRef>;
  list(signal: AbortSignal): Promise<readonly Image[]>;
  remove(name: string, signal: AbortSignal): Promise<void>;
  fsInfo(signal: AbortSignal): Promise<readonly FilesystemUsage[]>;
}

export interface PullOptions {
  readonly auth?: RegistryAuth | undefined;
  readonly sandbox?: SandboxConfig | undefined;
  readonly runtimeHandler?: string | undefined;
}

export interface RegistryAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** base64 of `username:password`. */
  readonly auth?: string | undefined;
  readonly serverAddress?: string | undefined;
  readonly identityToken?: string | undefined;
  readonly registryToken?: string | undefined;
}

export interface Image {
  readonly id: ImageRef;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** Who the image says to run as: a number, else a name; both undefined is root. */
  readonly user: number | undefined;
  readonly username: string | undefined;
  readonly pinned: boolean;
}

export interface FilesystemUsage {
  readonly mountpoint: string;
  readonly at: number;
  readonly usedBytes: number;
  readonly inodesUsed: number;
}

export interface Streams {
  /**
   * Runs a command to its end. After `timeoutMs` (rounded up to a second; 0: none) the process is killed and this throws
   * `deadline`. Output above 16 MiB throws `exhausted`. A command that cannot be run throws `other`.
   */
  execSync(id: ContainerId, command: readonly string[], options: ExecOptions, signal: AbortSignal): Promise<ExecResult>;
  /** The URL of the runtime's streaming server (SPDY/3.1, and WebSocket v4 where it is spoken); good for one connection, for a minute. */
  exec(request: ExecRequest, signal: AbortSignal): Promise<string>;
  attach(request: AttachRequest, signal: AbortSignal): Promise<string>;
  portForward(sandbox: SandboxId, ports: readonly number[], signal: AbortSignal): Promise<string>;
}

export interface ExecOptions {
  readonly timeoutMs: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** One of the three streams at least; `stderr` must be false with a `tty`. */
export interface AttachRequest {
  readonly container: ContainerId;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface ExecRequest extends AttachRequest {
  readonly command: readonly string[];
}

export interface Stats {
  /** Exited containers have neither cpu nor memory. Costly (half a second for 40 sandboxes on containerd): poll sparingly. */
  containers(filter: StatsFilter, signal: AbortSignal): Promise<readonly ContainerStats[]>;
  sandboxes(filter: StatsFilter, signal: AbortSignal): Promise<readonly SandboxStats[]>;
}

export interface StatsFilter {
  readonly sandbox?: SandboxId | undefined;
  readonly labels?: StringMap | undefined;
}

export interface CpuUsage {
  readonly at: number;
  /** Cumulative. Exact up to 104 days of one core, to the nearest microsecond long after. */
  readonly usageCoreNanoSeconds: number;
  readonly usageNanoCores: number | undefined;
}

export interface MemoryUsage {
  readonly at: number;
  readonly workingSetBytes: number;
  readonly availableBytes: number | undefined;
  readonly usageBytes: number | undefined;
  readonly rssBytes: number | undefined;
  readonly pageFaults: number | undefined;
  readonly majorPageFaults: number | undefined;
}

export interface ContainerStats {
  readonly id: ContainerId;
  readonly name: string;
  readonly attempt: number;
  readonly labels: StringMap;
  readonly cpu: CpuUsage | undefined;
  readonly memory: MemoryUsage | undefined;
  readonly writableLayer: FilesystemUsage | undefined;
}

export interface SandboxStats {
  readonly id: SandboxId;
  readonly metadata: SandboxMetadata;
  readonly labels: StringMap;
  readonly cpu: CpuUsage | undefined;
  readonly memory: MemoryUsage | undefined;
  readonly network: NetworkUsage | undefined;
  readonly processCount: number | undefined;
  readonly containers: readonly ContainerStats[];
}

export interface NetworkUsage {
  readonly at: number;
  readonly interfaces: readonly InterfaceUsage[];
}

/** The default interface comes first. */
export interface InterfaceUsage {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxErrors: number;
  readonly txBytes: number;
  readonly txErrors: number;
}

export interface RuntimeEvents {
  /**
   * Endless until `signal` fires, upon which it throws the signal's reason. The first event is a `resync`, and one more
   * follows each time events may have been lost (the runtime was restarted, this consumer was too slow). Each call has its own stream.
   */
  subscribe(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

/**
 * `sandbox` is the container's where the adapter knows it. An `id` that the consumer does not know belongs to a call of its
 * own that is still under way, or to a stranger: it may be ignored, since the call's return and the next `resync` tell the same.
 */
export type RuntimeEvent =
  | { readonly kind: 'resync' }
  | {
      readonly kind: 'container';
      readonly change: 'created' | 'started' | 'exited' | 'oom' | 'deleted';
      readonly id: ContainerId;
      readonly sandbox: SandboxId | undefined;
      readonly at: number;
    }
  /** Not from every runtime, and never of containers that the adapter does not know. Its last output may not be in its log yet. */
  | {
      readonly kind: 'container';
      readonly change: 'ended';
      readonly id: ContainerId;
      readonly sandbox: SandboxId | undefined;
      readonly at: number;
      readonly exitCode: number;
    }
  | {
      readonly kind: 'sandbox';
      readonly change: 'started' | 'exited' | 'deleted';
      readonly id: SandboxId;
      readonly at: number;
    };
