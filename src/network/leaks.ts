/**
 * What a crash in the middle of making or ending a pod leaves of its network: an address without a pod, a namespace
 * without a sandbox (and in it the pod's end of a veth), a cached result. Found by comparing with the
 * sandboxes the runtime knows: only right of what is not just being made (sweep.ts). A cached result that was cut short is of a
 * sandbox that the runtime knows, but can neither finish nor end as long as the file is there.
 */
import { unreachable } from '#lib/unreachable.ts';
import { pinnedNamespaces, removeNetworkNamespace } from '#host/namespaces.ts';
import {
  attachments,
  releaseAddress,
  removeFile,
  reservations,
  type Attachment,
  type Reservation,
} from '#network/ipam.ts';

export interface NetworkState {
  readonly reservations: readonly Reservation[];
  readonly attachments: readonly Attachment[];
  /** Pinned network namespaces of pods. */
  readonly namespaces: readonly string[];
}

export type LeakStep =
  /** The plugins' own record of what they did. They did nothing that does not vanish with the namespace or the address. */
  | { readonly kind: 'forget-attachment'; readonly attachment: Attachment }
  | { readonly kind: 'release-address'; readonly reservation: Reservation }
  | { readonly kind: 'remove-namespace'; readonly file: string };

/** The namespace goes last: until then its attachment may be found. `live` holds the ids of all sandboxes that exist. */
export function planLeaks(state: NetworkState, live: ReadonlySet<string>): readonly LeakStep[] {
  const dead = <T extends { readonly containerId: string }>(all: readonly T[]): readonly T[] =>
    all.filter(({ containerId }) => !live.has(containerId));
  const kept = new Set(
    state.attachments.filter(({ containerId }) => live.has(containerId)).map(({ namespace }) => namespace),
  );
  // A live sandbox whose attachment cannot be read may be in any of them: then none can be called unused.
  const uncertain = kept.has(undefined);
  return [
    ...state.attachments
      .filter(({ containerId, torn }) => torn || !live.has(containerId))
      .map((attachment) => ({ kind: 'forget-attachment', attachment }) as const),
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
}

export const observeNetwork = ({ network, ipam, containerdState }: NetworkPlaces): NetworkState => ({
  reservations: reservations(ipam, network),
  attachments: attachments(network, containerdState),
  namespaces: pinnedNamespaces(containerdState),
});

/** The same thing has the same name at every look. */
export function leakName(step: LeakStep): string {
  switch (step.kind) {
    case 'forget-attachment':
      return `attachment ${step.attachment.file}`;
    case 'release-address':
      return `address ${step.reservation.file} of ${step.reservation.containerId}`;
    case 'remove-namespace':
      return `network namespace ${step.file}`;
    default:
      return unreachable(step);
  }
}

/** Observes, plans and acts, while no sandbox is being made. Returns what it did, for the log. */
export async function removeLeaks(
  places: NetworkPlaces,
  live: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly LeakStep[]> {
  const steps = planLeaks(observeNetwork(places), live);
  for (const step of steps) await removeLeak(step, signal);
  return steps;
}

export async function removeLeak(step: LeakStep, signal: AbortSignal): Promise<void> {
  switch (step.kind) {
    case 'forget-attachment':
      removeFile(step.attachment.file);
      return;
    case 'release-address':
      releaseAddress(step.reservation);
      return;
    case 'remove-namespace':
      await removeNetworkNamespace(step.file, signal);
      return;
    default:
      unreachable(step);
  }
}
