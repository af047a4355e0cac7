/**
 * What a crash in the middle of making or ending a pod leaves of its network: an address without a pod, a namespace
 * without a sandbox (and in it the pod's end of a veth), port rules, a cached result. Found by comparing with the
 * sandboxes the runtime knows. Only safe while no sandbox is being made: before the kubelet's first step.
 */
import { unreachable } from '#lib/unreachable.ts';
import { pinnedNamespaces, removeNetworkNamespace } from '#host/namespaces.ts';
import { run } from '#host/process.ts';
import { attachments, removeFile, reservations, type Attachment, type Reservation } from '#network/ipam.ts';

export interface NetworkState {
  readonly reservations: readonly Reservation[];
  readonly attachments: readonly Attachment[];
  /** Pinned network namespaces of pods. */
  readonly namespaces: readonly string[];
}

export type LeakStep =
  /** Lets the plugins undo what they did outside of the namespace: port rules. */
  | { readonly kind: 'detach'; readonly attachment: Attachment }
  | { readonly kind: 'release-address'; readonly reservation: Reservation }
  | { readonly kind: 'remove-namespace'; readonly file: string };

/** Steps in their order: plugins look into a namespace, so it goes last. `live` holds the ids of all sandboxes that exist. */
export function planLeaks(state: NetworkState, live: ReadonlySet<string>): readonly LeakStep[] {
  const dead = <T extends { readonly containerId: string }>(all: readonly T[]): readonly T[] =>
    all.filter(({ containerId }) => !live.has(containerId));
  const kept = new Set(
    state.attachments.filter(({ containerId }) => live.has(containerId)).map(({ namespace }) => namespace),
  );
  // A live sandbox whose attachment cannot be read may be in any of them: then none can be called unused.
  const uncertain = kept.has(undefined);
  return [
    ...dead(state.attachments).map((attachment) => ({ kind: 'detach', attachment }) as const),
    ...dead(state.reservations).map((reservation) => ({ kind: 'release-address', reservation }) as const),
    ...(uncertain ? [] : state.namespaces.filter((file) => !kept.has(file))).map(
      (file) => ({ kind: 'remove-namespace', file }) as const,
    ),
  ];
}

export interface NetworkPlaces {
  readonly network: string;
  readonly ipam: string;
  /** containerd's state directory: pods' namespaces are pinned below it. */
  readonly containerdState: string;
  /** undefined when the plugins are gone: then what they did outside of our own tables stays. */
  readonly cniBinDir: string | undefined;
}

export const observeNetwork = ({ network, ipam, containerdState }: NetworkPlaces): NetworkState => ({
  reservations: reservations(ipam, network),
  attachments: attachments(network, containerdState),
  namespaces: pinnedNamespaces(containerdState),
});

/** Observes, plans and acts. Returns what it did, for the log. */
export async function removeLeaks(
  places: NetworkPlaces,
  live: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly LeakStep[]> {
  const steps = planLeaks(observeNetwork(places), live);
  for (const step of steps) await act(step, places.cniBinDir, signal);
  return steps;
}

async function act(step: LeakStep, cniBinDir: string | undefined, signal: AbortSignal): Promise<void> {
  switch (step.kind) {
    case 'detach':
      if (cniBinDir !== undefined) await undoPlugins(step.attachment, cniBinDir, signal);
      removeFile(step.attachment.file);
      return;
    case 'release-address':
      removeFile(step.reservation.file);
      return;
    case 'remove-namespace':
      await removeNetworkNamespace(step.file, signal);
      return;
    default:
      unreachable(step);
  }
}

/**
 * Only portmap changes anything that does not vanish with the namespace, the bridge or our own files; and it is given no
 * namespace, which CNI allows for DEL and means: whatever you can still do. Without the ports it was given it does nothing.
 */
async function undoPlugins(attachment: Attachment, cniBinDir: string, signal: AbortSignal): Promise<void> {
  const { config, capabilities, containerId, interfaceName } = attachment;
  const ports = capabilities['portMappings'];
  const runtimeConfig = { portMappings: Array.isArray(ports) ? ports : [] };
  const { plugins, name, cniVersion } = config;
  if (!Array.isArray(plugins) || runtimeConfig.portMappings.length === 0) return;
  for (const plugin of plugins.filter(isPortmap)) {
    await run(
      'env',
      [
        'CNI_COMMAND=DEL',
        `CNI_CONTAINERID=${containerId}`,
        `CNI_IFNAME=${interfaceName}`,
        'CNI_NETNS=',
        `CNI_PATH=${cniBinDir}`,
        `${cniBinDir}/portmap`,
      ],
      { input: JSON.stringify({ ...plugin, name, cniVersion, runtimeConfig }) },
      signal,
    );
  }
}

const isPortmap = (plugin: unknown): plugin is object =>
  typeof plugin === 'object' && plugin !== null && 'type' in plugin && plugin.type === 'portmap';
