/** From CRI's messages to what the port promises. A message without its mandatory parts is answered with empty names, as Go would. */
import type { LinuxResources, Mount, SandboxMetadata } from '#cri/config.ts';
import type * as messages from '#cri/grpc/messages.ts';
import { wantedStopSignal } from '#cri/grpc/stop-signals.ts';
import type {
  ContainerId,
  ContainerState,
  ContainerStats,
  CpuUsage,
  FilesystemUsage,
  Image,
  ImageRef,
  InterfaceUsage,
  ListedContainer,
  ListedSandbox,
  MemoryUsage,
  NetworkUsage,
  ObservedContainer,
  ObservedSandbox,
  SandboxId,
  SandboxStats,
} from '#cri/runtime.ts';
import { unreachable } from '#lib/unreachable.ts';
import type { OutputFor } from '#wire/protobuf.ts';

type Seen<Name extends keyof typeof messages> = OutputFor<(typeof messages)[Name]>;

export function listedSandbox(seen: Seen<'PodSandbox'>): ListedSandbox {
  const { id, metadata, state, createdAt, labels, annotations, runtimeHandler } = seen;
  return {
    id: id as SandboxId,
    metadata: metadata ?? nobody,
    state,
    createdAt,
    labels,
    annotations,
    runtimeHandler,
  };
}

export function observedSandbox(seen: Seen<'PodSandboxStatus'>): ObservedSandbox {
  const all = [seen.network?.ip ?? '', ...(seen.network?.additionalIps ?? []).map((more) => more.ip)];
  const node = seen.linux?.namespaces?.options?.network === 'node';
  return { ...listedSandbox(seen), addresses: all.filter((ip) => ip !== ''), network: node ? 'node' : 'pod' };
}

export function listedContainer(seen: Seen<'Container'>): ListedContainer {
  return {
    id: seen.id as ContainerId,
    sandbox: seen.podSandboxId as SandboxId,
    name: seen.metadata?.name ?? '',
    attempt: seen.metadata?.attempt ?? 0,
    state: seen.state,
    createdAt: seen.createdAt,
    image: seen.image?.image ?? '',
    imageRef: seen.imageRef as ImageRef,
    labels: seen.labels,
    annotations: seen.annotations,
  };
}

export function observedContainer(seen: Seen<'ContainerStatus'>): ObservedContainer {
  const { id, metadata, createdAt, labels, annotations, logPath } = seen;
  const user = seen.user?.linux;
  const told = seen.stopSignal === 'RUNTIME_DEFAULT' ? undefined : seen.stopSignal;
  return {
    id: id as ContainerId,
    name: metadata?.name ?? '',
    attempt: metadata?.attempt ?? 0,
    state: containerState(seen),
    createdAt,
    image: seen.image?.image ?? '',
    imageRef: seen.imageRef as ImageRef,
    labels,
    annotations,
    mounts: seen.mounts.map(mount),
    logPath,
    resources: seen.resources?.linux && resources(seen.resources.linux),
    user,
    stopSignal: told ?? wantedStopSignal(annotations),
  };
}

function containerState(seen: Seen<'ContainerStatus'>): ContainerState {
  const { startedAt, finishedAt, exitCode, reason, message } = seen;
  switch (seen.state) {
    case 'created':
      return { kind: 'created' };
    case 'running':
      return { kind: 'running', startedAt };
    case 'exited':
      return {
        kind: 'exited',
        startedAt: startedAt > 0 ? startedAt : undefined,
        finishedAt,
        exitCode,
        reason,
        message,
      };
    case 'unknown':
      return { kind: 'unknown', reason, message };
    default:
      return unreachable(seen.state);
  }
}

function mount(seen: Seen<'ContainerStatus'>['mounts'][number]): Mount {
  const { image, ...rest } = seen;
  return { ...rest, image: image && { ref: image.image, userSpecified: image.userSpecifiedImage } };
}

/** CRI's zero is "not specified": it is left out, so that it cannot be taken for a limit of nothing. */
function resources(seen: Seen<'LinuxContainerResources'>): LinuxResources {
  const { hugepageLimits, unified, ...scalars } = seen;
  return {
    ...Object.fromEntries(Object.entries(scalars).filter(([, value]) => value !== 0 && value !== '')),
    ...(hugepageLimits.length > 0 && { hugepageLimits }),
    ...(Object.keys(unified).length > 0 && { unified }),
  };
}

export function image(seen: Seen<'Image'>): Image {
  return {
    id: seen.id as ImageRef,
    repoTags: seen.repoTags,
    repoDigests: seen.repoDigests,
    sizeBytes: seen.size,
    user: seen.uid?.value,
    username: seen.username === '' ? undefined : seen.username,
    pinned: seen.pinned,
  };
}

export function filesystemUsage(seen: Seen<'FilesystemUsage'>): FilesystemUsage {
  return {
    mountpoint: seen.fsId?.mountpoint ?? '',
    at: seen.timestamp,
    usedBytes: seen.usedBytes?.value ?? 0,
    inodesUsed: seen.inodesUsed?.value ?? 0,
  };
}

export function containerStats(seen: Seen<'ContainerStats'>): ContainerStats {
  return {
    id: (seen.attributes?.id ?? '') as ContainerId,
    name: seen.attributes?.metadata?.name ?? '',
    attempt: seen.attributes?.metadata?.attempt ?? 0,
    labels: seen.attributes?.labels ?? {},
    cpu: seen.cpu && cpuUsage(seen.cpu),
    memory: seen.memory && memoryUsage(seen.memory),
    writableLayer: seen.writableLayer && filesystemUsage(seen.writableLayer),
  };
}

export function sandboxStats(seen: Seen<'PodSandboxStats'>): SandboxStats {
  const linux = seen.linux;
  return {
    id: (seen.attributes?.id ?? '') as SandboxId,
    metadata: seen.attributes?.metadata ?? nobody,
    labels: seen.attributes?.labels ?? {},
    cpu: linux?.cpu && cpuUsage(linux.cpu),
    memory: linux?.memory && memoryUsage(linux.memory),
    network: linux?.network && networkUsage(linux.network),
    processCount: linux?.process?.processCount?.value,
    containers: (linux?.containers ?? []).map(containerStats),
  };
}

function cpuUsage(seen: Seen<'CpuUsage'>): CpuUsage {
  return {
    at: seen.timestamp,
    usageCoreNanoSeconds: seen.usageCoreNanoSeconds?.value ?? 0,
    usageNanoCores: seen.usageNanoCores?.value,
  };
}

function memoryUsage(seen: Seen<'MemoryUsage'>): MemoryUsage {
  return {
    at: seen.timestamp,
    workingSetBytes: seen.workingSetBytes?.value ?? 0,
    availableBytes: seen.availableBytes?.value,
    usageBytes: seen.usageBytes?.value,
    rssBytes: seen.rssBytes?.value,
    pageFaults: seen.pageFaults?.value,
    majorPageFaults: seen.majorPageFaults?.value,
  };
}

function networkUsage(seen: Seen<'NetworkUsage'>): NetworkUsage {
  const all = seen.defaultInterface ? [seen.defaultInterface, ...seen.interfaces] : seen.interfaces;
  return { at: seen.timestamp, interfaces: all.map(interfaceUsage) };
}

function interfaceUsage(seen: Seen<'NetworkUsage'>['interfaces'][number]): InterfaceUsage {
  return {
    name: seen.name,
    rxBytes: seen.rxBytes?.value ?? 0,
    rxErrors: seen.rxErrors?.value ?? 0,
    txBytes: seen.txBytes?.value ?? 0,
    txErrors: seen.txErrors?.value ?? 0,
  };
}

const nobody: SandboxMetadata = { name: '', uid: '', namespace: '', attempt: 0 };
