import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';

/** What those who bind claims to volumes (controller, scheduler, kubelet) say to each other in annotations; upstream's names. */
export const volumeAnnotations = {
  /** On a claim: its binding is complete, both ways. */
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  /** On either: the binding is the controller's doing, and is undone where it comes to nothing. */
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  /** On a claim: the node for which the scheduler wants it provisioned. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  /** On a claim: who is to provision it. */
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  /** On a volume: who made it. */
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** On either: its class, before there was a field for it. It wins over the field. */
  betaClass: 'volume.beta.kubernetes.io/storage-class',
  /** On a class: claims that name none get this one. */
  defaultClass: 'storageclass.kubernetes.io/is-default-class',
  betaDefaultClass: 'storageclass.beta.kubernetes.io/is-default-class',
} as const;

/** The provisioner of classes whose volumes somebody else makes. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

export const volumeFinalizer = 'kubernetes.io/pv-protection';
export const claimFinalizer = 'kubernetes.io/pvc-protection';

interface Classed {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly storageClassName?: string };
}

/** The class of a volume or a claim; '' is none, which is a class of its own. */
export const classOf = ({ metadata, spec }: Classed): string =>
  metadata.annotations?.[volumeAnnotations.betaClass] ?? spec.storageClassName ?? '';

/** Whether a claim says anything of its class: '' counts. */
export const namesClass = ({ metadata, spec }: Classed): boolean =>
  metadata.annotations?.[volumeAnnotations.betaClass] !== undefined || spec.storageClassName !== undefined;

export const isDefaultClass = ({ metadata }: Pick<Classed, 'metadata'>): boolean =>
  metadata.annotations?.[volumeAnnotations.defaultClass] === 'true' ||
  metadata.annotations?.[volumeAnnotations.betaDefaultClass] === 'true';

/** Both sides have agreed: it stays bound for as long as it is there. */
export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[volumeAnnotations.bindCompleted] !== undefined;

/** Whether a volume says that it belongs to a claim. Without a UID it is meant for whoever has the name. */
export function isForClaim({ spec }: PersistentVolume, { metadata }: Pick<PersistentVolumeClaim, 'metadata'>): boolean {
  const { claimRef } = spec;
  if (claimRef === undefined || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace)
    return false;
  return !claimRef.uid || claimRef.uid === metadata.uid;
}

/** A claim that a pod uses. */
export interface ClaimUse {
  readonly volume: Volume;
  readonly claim: string;
  /** It is made for this pod, which owns it. */
  readonly isEphemeral: boolean;
}

const none: readonly ClaimUse[] = [];

/** The claims that a pod's volumes are, in their order. */
export function claimsOf({ metadata, spec }: Pod): readonly ClaimUse[] {
  let uses: ClaimUse[] | undefined;
  for (const volume of spec.volumes ?? []) {
    const { persistentVolumeClaim, ephemeral, name } = volume;
    if (persistentVolumeClaim !== undefined)
      (uses ??= []).push({ volume, claim: persistentVolumeClaim.claimName, isEphemeral: false });
    else if (ephemeral !== undefined)
      (uses ??= []).push({ volume, claim: `${metadata.name}-${name}`, isEphemeral: true });
  }
  return uses ?? none;
}

/** An ephemeral volume's claim must be the pod's own: upstream's words where it is not. */
export function ephemeralConflict(pod: Pod, claim: PersistentVolumeClaim): string | undefined {
  const isOwned = (claim.metadata.ownerReferences ?? []).some(
    ({ controller, uid }) => controller === true && uid === pod.metadata.uid,
  );
  if (isOwned && claim.metadata.namespace === pod.metadata.namespace) return undefined;
  const name = `${claim.metadata.namespace}/${claim.metadata.name}`;
  return `PVC ${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
}

const modeTexts = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
} as const;

/** `RWO,ROX`, always in the same order. */
export const accessModeText = (modes: readonly string[] | undefined): string =>
  Object.entries(modeTexts)
    .flatMap(([mode, text]) => (modes?.includes(mode) ? [text] : []))
    .join(',');

/** Of several default classes the newest counts, and of those as old the first by name. */
export const newestDefaultClass = <T extends Pick<KubeObject, 'metadata'>>(classes: readonly T[]): T | undefined =>
  classes.filter(isDefaultClass).toSorted(({ metadata: a }, { metadata: b }) => {
    if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp > b.creationTimestamp ? -1 : 1;
    return a.name < b.name ? -1 : 1;
  })[0];
