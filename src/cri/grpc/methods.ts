/** CRI v1's calls: what each is named on the wire, how its request is written and how its response is read. */
import {
  Container,
  ContainerConfig,
  ContainerStats,
  ContainerStatus,
  FilesystemUsage,
  Image,
  ImageSpec,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStats,
  PodSandboxStatus,
  containerStates,
  sandboxStates,
} from '#cri/grpc/messages.ts';
import {
  type Message,
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
} from '#wire/protobuf.ts';

const eventTypes = ['created', 'started', 'exited', 'deleted', 'unknown'] as const;
const cgroupDrivers = ['systemd', 'cgroupfs', 'unknown'] as const;

export interface Method<In, Out> {
  readonly path: string;
  readonly request: Message<In, unknown>;
  readonly response: Message<never, Out>;
}

const Empty = message({});
const SandboxRef = message({ podSandboxId: string(1) });
const ContainerRef = message({ containerId: string(1) });
const VerboseSandboxRef = message({ podSandboxId: string(1), verbose: bool(2) });
const SandboxStateValue = message({ state: enumeration(1, sandboxStates, 'not-ready') });
const ContainerStateValue = message({ state: enumeration(1, containerStates, 'unknown') });
const PodSandboxFilter = message({
  id: string(1),
  state: embedded(2, SandboxStateValue),
  labelSelector: stringMap(3),
});
const ContainerFilter = message({
  id: string(1),
  state: embedded(2, ContainerStateValue),
  podSandboxId: string(3),
  labelSelector: stringMap(4),
});
const ContainerStatsFilter = message({ id: string(1), podSandboxId: string(2), labelSelector: stringMap(3) });
const PodSandboxStatsFilter = message({ id: string(1), labelSelector: stringMap(2) });
const AuthConfig = message({
  username: string(1),
  password: string(2),
  auth: string(3),
  serverAddress: string(4),
  identityToken: string(5),
  registryToken: string(6),
});
const RuntimeCondition = message({ type: string(1), status: bool(2), reason: string(3), message: string(4) });
const RuntimeStatus = message({ conditions: repeated(1, RuntimeCondition) });
const RuntimeHandler = message({ name: string(1) });
const UrlResponse = message({ url: string(1) });

const runtime = <In, Out>(
  name: string,
  request: Message<In, unknown>,
  response: Message<never, Out>,
): Method<In, Out> => ({
  path: `/runtime.v1.RuntimeService/${name}`,
  request,
  response,
});
const image = <In, Out>(
  name: string,
  request: Message<In, unknown>,
  response: Message<never, Out>,
): Method<In, Out> => ({
  path: `/runtime.v1.ImageService/${name}`,
  request,
  response,
});

export const methods = {
  version: runtime(
    'Version',
    message({ version: string(1) }),
    message({ version: string(1), runtimeName: string(2), runtimeVersion: string(3), runtimeApiVersion: string(4) }),
  ),
  status: runtime(
    'Status',
    message({ verbose: bool(1) }),
    message({ status: embedded(1, RuntimeStatus), runtimeHandlers: repeated(3, RuntimeHandler) }),
  ),
  runtimeConfig: runtime(
    'RuntimeConfig',
    Empty,
    message({ linux: embedded(1, message({ cgroupDriver: enumeration(1, cgroupDrivers, 'unknown') })) }),
  ),
  runPodSandbox: runtime(
    'RunPodSandbox',
    message({ config: embedded(1, PodSandboxConfig), runtimeHandler: string(2) }),
    SandboxRef,
  ),
  stopPodSandbox: runtime('StopPodSandbox', SandboxRef, Empty),
  removePodSandbox: runtime('RemovePodSandbox', SandboxRef, Empty),
  podSandboxStatus: runtime(
    'PodSandboxStatus',
    VerboseSandboxRef,
    message({ status: embedded(1, PodSandboxStatus), info: stringMap(2) }),
  ),
  listPodSandbox: runtime(
    'ListPodSandbox',
    message({ filter: embedded(1, PodSandboxFilter) }),
    message({ items: repeated(1, PodSandbox) }),
  ),
  createContainer: runtime(
    'CreateContainer',
    message({
      podSandboxId: string(1),
      config: embedded(2, ContainerConfig),
      sandboxConfig: embedded(3, PodSandboxConfig),
    }),
    ContainerRef,
  ),
  startContainer: runtime('StartContainer', ContainerRef, Empty),
  stopContainer: runtime('StopContainer', message({ containerId: string(1), timeout: int64(2) }), Empty),
  removeContainer: runtime('RemoveContainer', ContainerRef, Empty),
  listContainers: runtime(
    'ListContainers',
    message({ filter: embedded(1, ContainerFilter) }),
    message({ containers: repeated(1, Container) }),
  ),
  containerStatus: runtime('ContainerStatus', ContainerRef, message({ status: embedded(1, ContainerStatus) })),
  updateContainerResources: runtime(
    'UpdateContainerResources',
    message({ containerId: string(1), linux: embedded(2, LinuxContainerResources) }),
    Empty,
  ),
  reopenContainerLog: runtime('ReopenContainerLog', ContainerRef, Empty),
  execSync: runtime(
    'ExecSync',
    message({ containerId: string(1), cmd: strings(2), timeout: int64(3) }),
    message({ stdout: bytes(1), stderr: bytes(2), exitCode: int32(3) }),
  ),
  exec: runtime(
    'Exec',
    message({
      containerId: string(1),
      cmd: strings(2),
      tty: bool(3),
      stdin: bool(4),
      stdout: bool(5),
      stderr: bool(6),
    }),
    UrlResponse,
  ),
  attach: runtime(
    'Attach',
    message({ containerId: string(1), stdin: bool(2), tty: bool(3), stdout: bool(4), stderr: bool(5) }),
    UrlResponse,
  ),
  portForward: runtime('PortForward', message({ podSandboxId: string(1), port: integers(2) }), UrlResponse),
  listContainerStats: runtime(
    'ListContainerStats',
    message({ filter: embedded(1, ContainerStatsFilter) }),
    message({ stats: repeated(1, ContainerStats) }),
  ),
  listPodSandboxStats: runtime(
    'ListPodSandboxStats',
    message({ filter: embedded(1, PodSandboxStatsFilter) }),
    message({ stats: repeated(1, PodSandboxStats) }),
  ),
  getContainerEvents: runtime(
    'GetContainerEvents',
    Empty,
    message({
      containerId: string(1),
      type: enumeration(2, eventTypes, 'unknown'),
      createdAt: nanos(3),
      sandbox: embedded(4, message({ id: string(1) })),
    }),
  ),
  imageStatus: image('ImageStatus', message({ image: embedded(1, ImageSpec) }), message({ image: embedded(1, Image) })),
  pullImage: image(
    'PullImage',
    message({
      image: embedded(1, ImageSpec),
      auth: embedded(2, AuthConfig),
      sandboxConfig: embedded(3, PodSandboxConfig),
    }),
    message({ imageRef: string(1) }),
  ),
  listImages: image('ListImages', Empty, message({ images: repeated(1, Image) })),
  removeImage: image('RemoveImage', message({ image: embedded(1, ImageSpec) }), Empty),
  imageFsInfo: image('ImageFsInfo', Empty, message({ imageFilesystems: repeated(1, FilesystemUsage) })),
} as const;
