/** CRI v1 (package runtime.v1) on the wire: field names and numbers of the messages this adapter sends or reads, and no others. */
import {
  bool,
  bytes,
  embedded,
  enumeration,
  int32,
  int64,
  integers,
  message,
  nanos,
  repeated,
  string,
  stringMap,
  strings,
  uint32,
  uint64,
} from '#wire/protobuf.ts';

const namespaceModes = ['pod', 'container', 'node', 'target'] as const;
const groupsPolicies = ['merge', 'strict'] as const;
export const sandboxStates = ['ready', 'not-ready'] as const;
export const containerStates = ['created', 'running', 'exited', 'unknown'] as const;
const propagations = ['private', 'host-to-container', 'bidirectional'] as const;
const protocols = ['TCP', 'UDP', 'SCTP'] as const;
const profileTypes = ['runtime-default', 'unconfined', 'localhost'] as const;
// prettier-ignore
const signals = [
  'RUNTIME_DEFAULT', 'SIGABRT', 'SIGALRM', 'SIGBUS', 'SIGCHLD', 'SIGCLD', 'SIGCONT', 'SIGFPE', 'SIGHUP', 'SIGILL', 'SIGINT',
  'SIGIO', 'SIGIOT', 'SIGKILL', 'SIGPIPE', 'SIGPOLL', 'SIGPROF', 'SIGPWR', 'SIGQUIT', 'SIGSEGV', 'SIGSTKFLT', 'SIGSTOP',
  'SIGSYS', 'SIGTERM', 'SIGTRAP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGUSR1', 'SIGUSR2', 'SIGVTALRM', 'SIGWINCH',
  'SIGXCPU', 'SIGXFSZ', 'SIGRTMIN', ...Array.from({ length: 15 }, (_, i) => `SIGRTMIN+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `SIGRTMAX-${14 - i}`), 'SIGRTMAX',
];
export const isSignal = (name: string): boolean => signals.includes(name);

const Int64Value = message({ value: int64(1) });
const UInt64Value = message({ value: uint64(1) });

// What is asked for.

const DNSConfig = message({ servers: strings(1), searches: strings(2), options: strings(3) });
const PortMapping = message({
  protocol: enumeration(1, protocols, 'TCP'),
  containerPort: int32(2),
  hostPort: int32(3),
  hostIp: string(4),
});
export const ImageSpec = message({
  image: string(1),
  annotations: stringMap(2),
  userSpecifiedImage: string(18),
  runtimeHandler: string(19),
  imageRef: string(20),
});
const Mount = message({
  containerPath: string(1),
  hostPath: string(2),
  readonly: bool(3),
  selinuxRelabel: bool(4),
  propagation: enumeration(5, propagations, 'private'),
  recursiveReadonly: bool(8),
  image: embedded(9, ImageSpec),
  imageSubPath: string(10),
});
const NamespaceOption = message({
  network: enumeration(1, namespaceModes, 'pod'),
  pid: enumeration(2, namespaceModes, 'pod'),
  ipc: enumeration(3, namespaceModes, 'pod'),
  targetId: string(4),
});
const SecurityProfile = message({ kind: enumeration(1, profileTypes, 'unconfined'), ref: string(2) });
const SELinuxOption = message({ user: string(1), role: string(2), type: string(3), level: string(4) });
const HugepageLimit = message({ pageSize: string(1), limitBytes: uint64(2) });
export const LinuxContainerResources = message({
  cpuPeriod: int64(1),
  cpuQuota: int64(2),
  cpuShares: int64(3),
  memoryLimitBytes: int64(4),
  oomScoreAdj: int64(5),
  cpusetCpus: string(6),
  cpusetMems: string(7),
  hugepageLimits: repeated(8, HugepageLimit),
  unified: stringMap(9),
  memorySwapLimitBytes: int64(10),
});
const LinuxSandboxSecurityContext = message({
  namespaceOptions: embedded(1, NamespaceOption),
  selinux: embedded(2, SELinuxOption),
  runAsUser: embedded(3, Int64Value),
  readonlyRootfs: bool(4),
  supplementalGroups: integers(5),
  privileged: bool(6),
  runAsGroup: embedded(8, Int64Value),
  seccomp: embedded(9, SecurityProfile),
  apparmor: embedded(10, SecurityProfile),
  supplementalGroupsPolicy: enumeration(11, groupsPolicies, 'merge'),
});
const LinuxPodSandboxConfig = message({
  cgroupParent: string(1),
  securityContext: embedded(2, LinuxSandboxSecurityContext),
  sysctls: stringMap(3),
  overhead: embedded(4, LinuxContainerResources),
  resources: embedded(5, LinuxContainerResources),
});
const PodSandboxMetadata = message({ name: string(1), uid: string(2), namespace: string(3), attempt: uint32(4) });
export const PodSandboxConfig = message({
  metadata: embedded(1, PodSandboxMetadata),
  hostname: string(2),
  logDirectory: string(3),
  dns: embedded(4, DNSConfig),
  portMappings: repeated(5, PortMapping),
  labels: stringMap(6),
  annotations: stringMap(7),
  linux: embedded(8, LinuxPodSandboxConfig),
});

// `value` is declared bytes here although older tables say string: the wire is the same and an environment is bytes.
const KeyValue = message({ key: string(1), value: bytes(2) });
const Device = message({ containerPath: string(1), hostPath: string(2), permissions: string(3) });
const Capability = message({ add: strings(1), drop: strings(2), addAmbient: strings(3) });
const LinuxContainerSecurityContext = message({
  capabilities: embedded(1, Capability),
  privileged: bool(2),
  namespaceOptions: embedded(3, NamespaceOption),
  selinux: embedded(4, SELinuxOption),
  runAsUser: embedded(5, Int64Value),
  runAsUsername: string(6),
  readonlyRootfs: bool(7),
  supplementalGroups: integers(8),
  noNewPrivs: bool(11),
  runAsGroup: embedded(12, Int64Value),
  maskedPaths: strings(13),
  readonlyPaths: strings(14),
  seccomp: embedded(15, SecurityProfile),
  apparmor: embedded(16, SecurityProfile),
  supplementalGroupsPolicy: enumeration(17, groupsPolicies, 'merge'),
});
const LinuxContainerConfig = message({
  resources: embedded(1, LinuxContainerResources),
  securityContext: embedded(2, LinuxContainerSecurityContext),
});
const ContainerMetadata = message({ name: string(1), attempt: uint32(2) });
export const ContainerConfig = message({
  metadata: embedded(1, ContainerMetadata),
  image: embedded(2, ImageSpec),
  command: strings(3),
  args: strings(4),
  workingDir: string(5),
  envs: repeated(6, KeyValue),
  mounts: repeated(7, Mount),
  devices: repeated(8, Device),
  labels: stringMap(9),
  annotations: stringMap(10),
  logPath: string(11),
  stdin: bool(12),
  stdinOnce: bool(13),
  tty: bool(14),
  linux: embedded(15, LinuxContainerConfig),
  stopSignal: enumeration(18, signals, 'RUNTIME_DEFAULT'),
});

// What is seen.

const PodIP = message({ ip: string(1) });
const PodSandboxNetworkStatus = message({ ip: string(1), additionalIps: repeated(2, PodIP) });
const Namespace = message({ options: embedded(2, NamespaceOption) });
const LinuxPodSandboxStatus = message({ namespaces: embedded(1, Namespace) });
export const PodSandboxStatus = message({
  id: string(1),
  metadata: embedded(2, PodSandboxMetadata),
  state: enumeration(3, sandboxStates, 'not-ready'),
  createdAt: nanos(4),
  network: embedded(5, PodSandboxNetworkStatus),
  linux: embedded(6, LinuxPodSandboxStatus),
  labels: stringMap(7),
  annotations: stringMap(8),
  runtimeHandler: string(9),
});
export const PodSandbox = message({
  id: string(1),
  metadata: embedded(2, PodSandboxMetadata),
  state: enumeration(3, sandboxStates, 'not-ready'),
  createdAt: nanos(4),
  labels: stringMap(5),
  annotations: stringMap(6),
  runtimeHandler: string(7),
});
export const Container = message({
  id: string(1),
  podSandboxId: string(2),
  metadata: embedded(3, ContainerMetadata),
  image: embedded(4, ImageSpec),
  imageRef: string(5),
  state: enumeration(6, containerStates, 'unknown'),
  createdAt: nanos(7),
  labels: stringMap(8),
  annotations: stringMap(9),
  imageId: string(10),
});
const ContainerResources = message({ linux: embedded(1, LinuxContainerResources) });
const LinuxContainerUser = message({ uid: int64(1), gid: int64(2), supplementalGroups: integers(3) });
const ContainerUser = message({ linux: embedded(1, LinuxContainerUser) });
export const ContainerStatus = message({
  id: string(1),
  metadata: embedded(2, ContainerMetadata),
  state: enumeration(3, containerStates, 'unknown'),
  createdAt: nanos(4),
  startedAt: nanos(5),
  finishedAt: nanos(6),
  exitCode: int32(7),
  image: embedded(8, ImageSpec),
  imageRef: string(9),
  reason: string(10),
  message: string(11),
  labels: stringMap(12),
  annotations: stringMap(13),
  mounts: repeated(14, Mount),
  logPath: string(15),
  resources: embedded(16, ContainerResources),
  imageId: string(17),
  user: embedded(18, ContainerUser),
  stopSignal: enumeration(19, signals, 'RUNTIME_DEFAULT'),
});
export const Image = message({
  id: string(1),
  repoTags: strings(2),
  repoDigests: strings(3),
  size: uint64(4),
  uid: embedded(5, Int64Value),
  username: string(6),
  pinned: bool(8),
});

const FilesystemIdentifier = message({ mountpoint: string(1) });
export const FilesystemUsage = message({
  timestamp: nanos(1),
  fsId: embedded(2, FilesystemIdentifier),
  usedBytes: embedded(3, UInt64Value),
  inodesUsed: embedded(4, UInt64Value),
});
export const CpuUsage = message({
  timestamp: nanos(1),
  usageCoreNanoSeconds: embedded(2, UInt64Value),
  usageNanoCores: embedded(3, UInt64Value),
});
export const MemoryUsage = message({
  timestamp: nanos(1),
  workingSetBytes: embedded(2, UInt64Value),
  availableBytes: embedded(3, UInt64Value),
  usageBytes: embedded(4, UInt64Value),
  rssBytes: embedded(5, UInt64Value),
  pageFaults: embedded(6, UInt64Value),
  majorPageFaults: embedded(7, UInt64Value),
});
const ContainerAttributes = message({
  id: string(1),
  metadata: embedded(2, ContainerMetadata),
  labels: stringMap(3),
});
export const ContainerStats = message({
  attributes: embedded(1, ContainerAttributes),
  cpu: embedded(2, CpuUsage),
  memory: embedded(3, MemoryUsage),
  writableLayer: embedded(4, FilesystemUsage),
});
const NetworkInterfaceUsage = message({
  name: string(1),
  rxBytes: embedded(2, UInt64Value),
  rxErrors: embedded(3, UInt64Value),
  txBytes: embedded(4, UInt64Value),
  txErrors: embedded(5, UInt64Value),
});
export const NetworkUsage = message({
  timestamp: nanos(1),
  defaultInterface: embedded(2, NetworkInterfaceUsage),
  interfaces: repeated(3, NetworkInterfaceUsage),
});
const ProcessUsage = message({ processCount: embedded(2, UInt64Value) });
const LinuxPodSandboxStats = message({
  cpu: embedded(1, CpuUsage),
  memory: embedded(2, MemoryUsage),
  network: embedded(3, NetworkUsage),
  process: embedded(4, ProcessUsage),
  containers: repeated(5, ContainerStats),
});
const PodSandboxAttributes = message({
  id: string(1),
  metadata: embedded(2, PodSandboxMetadata),
  labels: stringMap(3),
});
export const PodSandboxStats = message({
  attributes: embedded(1, PodSandboxAttributes),
  linux: embedded(2, LinuxPodSandboxStats),
});
