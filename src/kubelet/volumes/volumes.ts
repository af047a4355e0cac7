import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '#api/generated/core-v1.ts';
import { parseQuantity, value } from '#api/quantity.ts';

/**
 * What a pod's volumes mean on its node, as a union: a kind without a way to prepare it does not compile.
 *
 * Four sorts: what the host has (host-path.ts), what a claim is bound to (claimed-volumes.ts), which is of the host too, what the pod's containers make (an empty directory), and what the API
 * says (`api-files`): configMap, secret, downwardAPI and projected volumes are all one list of sources here, of which
 * the first three have one. Which files those sources amount to is a pure function (projection.ts). Who asks it again when
 * a source changes is pod-volumes.ts; it never polls: every object that any pod here refers to is watched once for the whole node
 * (shared-objects.ts). How files come to lie on a disk so that no reader ever sees half an update is atomic-writer.ts.
 */
export type VolumePlan = EmptyDirPlan | HostPathPlan | ClaimPlan | ApiFilesPlan;

export interface EmptyDirPlan {
  readonly kind: 'empty-dir';
  readonly name: string;
  readonly memory: boolean;
  readonly sizeBytes: number | undefined;
}

export interface HostPathPlan {
  readonly kind: 'host-path';
  readonly name: string;
  readonly path: string;
  /** Upstream's HostPathType; '' checks nothing. */
  readonly type: string;
}

/** Whatever the claim is bound to; `claimed-volumes.ts` finds out what that is. */
export interface ClaimPlan {
  readonly kind: 'claim';
  readonly name: string;
  readonly claim: string;
  readonly readOnly: boolean;
}

export interface ApiFilesPlan {
  readonly kind: 'api-files';
  readonly name: string;
  /** As upstream names the folder, which backup tools look for. */
  readonly plugin: 'configmap' | 'secret' | 'downward-api' | 'projected';
  readonly sources: readonly FileSource[];
  readonly defaultMode: number;
  /** Holds what must never be on a disk: a Secret or a token. */
  readonly confidential: boolean;
}

/** In the order of the pod; where two have a file of the same path, the later one's is there. */
export type FileSource =
  | (ObjectSource & { readonly kind: 'config-map' })
  | (ObjectSource & { readonly kind: 'secret' })
  | { readonly kind: 'downward'; readonly items: readonly DownwardAPIVolumeFile[] }
  | { readonly kind: 'token'; readonly path: string; readonly audience: string; readonly seconds: number };

export interface ObjectSource {
  readonly name: string;
  /** Empty or absent: every key, by its own name. */
  readonly items: readonly KeyToPath[];
  readonly optional: boolean;
}

/** Throws for a volume this kubelet cannot give: a container that runs without its files would be worse than none. */
export const volumesOf = ({ spec }: Pod): readonly VolumePlan[] => (spec.volumes ?? []).map(planOf);

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

function planOf(volume: Volume): VolumePlan {
  const { name, emptyDir, hostPath, persistentVolumeClaim, configMap, secret, downwardAPI, projected } = volume;
  if (hostPath) return { kind: 'host-path', name, path: hostPath.path, type: hostPath.type ?? '' };
  if (persistentVolumeClaim) {
    const { claimName, readOnly = false } = persistentVolumeClaim;
    return { kind: 'claim', name, claim: claimName, readOnly };
  }
  if (emptyDir) return emptyDirOf(name, emptyDir);
  const files = { kind: 'api-files', name, defaultMode: FILE_MODE, confidential: false } as const;
  if (configMap) {
    const sources = [{ kind: 'config-map', ...objectSource(configMap) } as const];
    return { ...files, plugin: 'configmap', sources, defaultMode: configMap.defaultMode ?? FILE_MODE };
  }
  if (secret) {
    const sources = [{ kind: 'secret', ...objectSource({ ...secret, name: secret.secretName ?? '' }) } as const];
    return { ...files, plugin: 'secret', sources, defaultMode: secret.defaultMode ?? FILE_MODE, confidential: true };
  }
  if (downwardAPI) {
    const sources = [{ kind: 'downward', items: downwardAPI.items ?? [] } as const];
    return { ...files, plugin: 'downward-api', sources, defaultMode: downwardAPI.defaultMode ?? FILE_MODE };
  }
  if (projected) return projectedOf(name, projected);
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'none';
  throw new Error(`volume "${name}": volumes of type ${kind} are not supported yet (SCOPE.md lists those that are)`);
}

function emptyDirOf(name: string, { medium = '', sizeLimit }: NonNullable<Volume['emptyDir']>): EmptyDirPlan {
  if (medium !== '' && medium !== 'Memory') {
    throw new Error(`volume "${name}": emptyDir medium "${medium}" is not supported; use "" (disk) or "Memory"`);
  }
  const sizeBytes = sizeLimit === undefined ? 0 : value(parseQuantity(sizeLimit));
  return { kind: 'empty-dir', name, memory: medium === 'Memory', sizeBytes: sizeBytes > 0 ? sizeBytes : undefined };
}

function projectedOf(name: string, { sources = [], defaultMode }: ProjectedVolumeSource): ApiFilesPlan {
  const planned = sources.map((source) => sourceOf(name, source));
  return {
    kind: 'api-files',
    name,
    plugin: 'projected',
    sources: planned,
    defaultMode: defaultMode ?? FILE_MODE,
    confidential: planned.some(({ kind }) => kind === 'secret' || kind === 'token'),
  };
}

function sourceOf(volume: string, source: VolumeProjection): FileSource {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) return { kind: 'config-map', ...objectSource(configMap) };
  if (secret) return { kind: 'secret', ...objectSource(secret) };
  if (downwardAPI) return { kind: 'downward', items: downwardAPI.items ?? [] };
  if (serviceAccountToken) {
    const { path, audience = '', expirationSeconds = TOKEN_SECONDS } = serviceAccountToken;
    return { kind: 'token', path, audience, seconds: expirationSeconds };
  }
  const kind = Object.keys(source)[0] ?? 'none';
  throw new Error(`volume "${volume}": projected sources of type ${kind} are not supported yet`);
}

const objectSource = (source: {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}): ObjectSource => ({ name: source.name ?? '', items: source.items ?? [], optional: source.optional === true });
