/**
 * What a kubelet asks a runtime to make. The words are CRI's, in camelCase; a field left out (or undefined) means what
 * the CRI default means, except where said here. Both runtimes take these as they are and never change them.
 */
export type StringMap = Readonly<Record<string, string>>;

/** Which pod a sandbox stands for. `(uid, attempt)` is unique: a second `run` of the same pair is refused. */
export interface SandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  /** Must be '' when the network namespace is the node's: the hostname is the node's then. */
  readonly hostname: string;
  /** Absolute directory on the host; container log paths are relative to it. The runtime creates it. */
  readonly logDirectory: string;
  readonly dns?: DnsConfig | undefined;
  readonly portMappings?: readonly PortMapping[] | undefined;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** RuntimeClass handler; undefined or '' is the runtime's default. */
  readonly runtimeHandler?: string | undefined;
  readonly linux: LinuxSandboxConfig;
}

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  /** 0: not exposed on the host. */
  readonly hostPort: number;
  readonly hostIp?: string | undefined;
}

export interface LinuxSandboxConfig {
  /** In cgroupfs notation (`/kubepods/burstable/podUID`). The runtime creates it and never removes it: that is the kubelet's. */
  readonly cgroupParent?: string | undefined;
  readonly sysctls?: StringMap | undefined;
  readonly overhead?: LinuxResources | undefined;
  /** The sum of the pod's containers, for runtimes that size the sandbox by it. */
  readonly resources?: LinuxResources | undefined;
  readonly securityContext: SandboxSecurityContext;
}

/** All three are required: CRI's default for `pid` is the pod's, Kubernetes' is the container's, and silence picks the former. */
export interface NamespaceOptions {
  readonly network: 'pod' | 'node';
  readonly pid: 'pod' | 'container' | 'node' | 'target';
  readonly ipc: 'pod' | 'node';
  /** The container whose PID namespace is joined when `pid` is 'target'. */
  readonly targetId?: string | undefined;
}

export interface SandboxSecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly runAsUser?: number | undefined;
  readonly runAsGroup?: number | undefined;
  readonly readonlyRootfs?: boolean | undefined;
  readonly supplementalGroups?: readonly number[] | undefined;
  readonly supplementalGroupsPolicy?: 'merge' | 'strict' | undefined;
  /** Must be true when any container of the sandbox is privileged. */
  readonly privileged?: boolean | undefined;
  readonly seccomp?: SecurityProfile | undefined;
  readonly apparmor?: SecurityProfile | undefined;
  readonly selinux?: SelinuxOptions | undefined;
}

export type SecurityProfile =
  | { readonly kind: 'runtime-default' }
  | { readonly kind: 'unconfined' }
  | { readonly kind: 'localhost'; readonly ref: string };

export interface SelinuxOptions {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}

/** `(name, attempt)` is unique in a sandbox for as long as the sandbox lives. */
export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  readonly image: ImageUse;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** '' or undefined: the image's. */
  readonly workingDir?: string | undefined;
  readonly envs: readonly EnvVar[];
  readonly mounts: readonly Mount[];
  readonly devices?: readonly Device[] | undefined;
  readonly labels: StringMap;
  readonly annotations: StringMap;
  /** Relative to the sandbox's log directory. */
  readonly logPath: string;
  readonly stdin?: boolean | undefined;
  readonly stdinOnce?: boolean | undefined;
  readonly tty?: boolean | undefined;
  /** A name such as 'SIGUSR1'; undefined: the image's, else SIGTERM. */
  readonly stopSignal?: string | undefined;
  readonly linux: LinuxContainerConfig;
}

export interface ImageUse {
  /** What `Images.pull` or `Images.status` returned as id: the image that is meant, whatever its tag says by now. */
  readonly ref: string;
  /** What the pod says. */
  readonly userSpecified: string;
}

/** A value is text (encoded as UTF-8) or bytes as they are; containerd 1.6 puts U+FFFD for what is not UTF-8. */
export interface EnvVar {
  readonly name: string;
  readonly value: string | Uint8Array;
}

export interface Mount {
  /** '' when `image` is given. containerd creates a missing host path as a directory. */
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readonly?: boolean | undefined;
  readonly recursiveReadonly?: boolean | undefined;
  readonly selinuxRelabel?: boolean | undefined;
  readonly propagation?: 'private' | 'host-to-container' | 'bidirectional' | undefined;
  /** An image mounted as a volume (containerd 2.1 and later). */
  readonly image?: ImageUse | undefined;
  readonly imageSubPath?: string | undefined;
}

export interface Device {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Some of 'r', 'w', 'm'. */
  readonly permissions: string;
}

export interface LinuxContainerConfig {
  readonly resources?: LinuxResources | undefined;
  readonly securityContext: ContainerSecurityContext;
}

/** 0, '' and undefined all mean "not specified". Bytes, microseconds for the cfs period and quota. */
export interface LinuxResources {
  readonly cpuPeriod?: number | undefined;
  readonly cpuQuota?: number | undefined;
  readonly cpuShares?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
  readonly memorySwapLimitBytes?: number | undefined;
  readonly oomScoreAdj?: number | undefined;
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  readonly hugepageLimits?: readonly HugepageLimit[] | undefined;
  /** cgroup v2 files and their values. */
  readonly unified?: StringMap | undefined;
}

export interface HugepageLimit {
  /** '2MB', '1GB'. */
  readonly pageSize: string;
  readonly limitBytes: number;
}

export interface ContainerSecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly capabilities?: Capabilities | undefined;
  readonly privileged?: boolean | undefined;
  readonly runAsUser?: number | undefined;
  readonly runAsGroup?: number | undefined;
  readonly runAsUsername?: string | undefined;
  readonly readonlyRootfs?: boolean | undefined;
  readonly noNewPrivs?: boolean | undefined;
  readonly supplementalGroups?: readonly number[] | undefined;
  readonly supplementalGroupsPolicy?: 'merge' | 'strict' | undefined;
  readonly seccomp?: SecurityProfile | undefined;
  readonly apparmor?: SecurityProfile | undefined;
  readonly selinux?: SelinuxOptions | undefined;
  /** Passed as they are: an empty list masks nothing, so a kubelet always gives Kubernetes' default list. */
  readonly maskedPaths?: readonly string[] | undefined;
  readonly readonlyPaths?: readonly string[] | undefined;
}

/** Names without 'CAP_'. */
export interface Capabilities {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly addAmbient?: readonly string[] | undefined;
}
