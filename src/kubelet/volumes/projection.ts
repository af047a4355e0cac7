/**
 * Which files a volume of API data has: a pure function of the volume, the objects it refers to and the pod.
 *
 * Paths are relative to the volume, with `/` between their parts; no path is a folder of another. Modes are those of
 * chmod. What an optional source does not have is left out; anything else that is missing throws VolumeError, in the words upstream's kubelet
 * has for it.
 */
import { posix } from 'node:path';
import type { ConfigMap, DownwardAPIVolumeFile, Pod, Secret } from '#api/generated/core-v1.ts';
import { EnvironmentError, fieldOf, resourceOf } from '#kubelet/downward-fields.ts';
import { quoted } from '#kubelet/volumes/quoted.ts';
import type { ApiFilesPlan, FileSource, ObjectSource } from '#kubelet/volumes/volumes.ts';
import { unreachable } from '#lib/unreachable.ts';

export type Files = ReadonlyMap<string, VolumeFile>;

export interface VolumeFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** Whose it is; root's when absent. */
  readonly owner?: number;
}

export interface ProjectionFacts {
  readonly pod: Pod;
  /** By name; undefined: it does not exist. */
  readonly configMap: (name: string) => ConfigMap | undefined;
  readonly secret: (name: string) => Secret | undefined;
  /** Has one for each of `tokensWanted`. */
  readonly tokens: ReadonlyMap<TokenKey, string>;
  /** What a container without a limit may use. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** A volume cannot be given as it is asked for, and trying again helps only when something it refers to has changed. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
}

export interface TokenWanted {
  /** '': the API server's own. */
  readonly audience: string;
  readonly seconds: number;
}

export type TokenKey = `${number} ${string}`;
export const tokenKey = ({ audience, seconds }: TokenWanted): TokenKey => `${seconds} ${audience}`;

export const tokensWanted = ({ sources }: ApiFilesPlan): readonly TokenWanted[] =>
  sources.filter((source) => source.kind === 'token');

/** Throws VolumeError. Several problems of one volume are told together, as upstream does: `[first, second]`. */
export function filesOf(plan: ApiFilesPlan, facts: ProjectionFacts): Files {
  const files = new Map<string, VolumeFile>();
  const problems: string[] = [];
  for (const source of plan.sources) {
    try {
      for (const [path, file] of filesOfSource(source, plan.defaultMode, facts)) files.set(checked(path), file);
    } catch (error) {
      if (!(error instanceof VolumeError) && !(error instanceof EnvironmentError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new VolumeError(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  for (const path of files.keys()) {
    const above = foldersOf(path).find((folder) => files.has(folder));
    if (above !== undefined) throw new VolumeError(`conflicting paths: "${above}" cannot be a file and hold "${path}"`);
  }
  return files;
}

type Entries = readonly (readonly [string, VolumeFile])[];

function filesOfSource(source: FileSource, defaultMode: number, facts: ProjectionFacts): Entries {
  switch (source.kind) {
    case 'config-map': {
      const found = facts.configMap(source.name);
      if (found === undefined) return missing(source, 'configmap');
      return keysOf(source, contentOfConfigMap(found), {
        defaultMode,
        missing: 'configmap references non-existent config key',
      });
    }
    case 'secret': {
      const found = facts.secret(source.name);
      if (found === undefined) return missing(source, 'secret');
      return keysOf(source, contentOfSecret(found), { defaultMode, missing: 'references non-existent secret key' });
    }
    case 'downward':
      return source.items.map((item) => {
        const text = downwardText(item, facts);
        return [item.path, { bytes: utf8(text), mode: item.mode ?? defaultMode }] as const;
      });
    case 'token':
      return [[source.path, tokenFile(facts, source, defaultMode)]];
    default:
      return unreachable(source);
  }
}

function missing({ name, optional }: ObjectSource, kind: string): Entries {
  if (optional) return [];
  throw new VolumeError(`${kind} "${name}" not found`);
}

function keysOf(
  { items, optional }: ObjectSource,
  content: ReadonlyMap<string, Uint8Array>,
  say: { readonly defaultMode: number; readonly missing: string },
): Entries {
  const { defaultMode } = say;
  if (items.length === 0) return [...content].map(([key, bytes]) => [key, { bytes, mode: defaultMode }] as const);
  return items.flatMap(({ key, path, mode }) => {
    const bytes = content.get(key);
    if (bytes !== undefined) return [[path, { bytes, mode: mode ?? defaultMode }] as const];
    if (optional) return [];
    throw new VolumeError(`${say.missing}: ${key}`);
  });
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const contentOfConfigMap = ({ data = {}, binaryData = {} }: ConfigMap): ReadonlyMap<string, Uint8Array> =>
  new Map([
    ...Object.entries(data).map(([key, text]) => [key, utf8(text)] as const),
    ...Object.entries(binaryData).map(([key, text]) => [key, Uint8Array.fromBase64(text)] as const),
  ]);

const contentOfSecret = ({ data = {} }: Secret): ReadonlyMap<string, Uint8Array> =>
  new Map(Object.entries(data).map(([key, text]) => [key, Uint8Array.fromBase64(text)]));

function downwardText({ path, fieldRef, resourceFieldRef }: DownwardAPIVolumeFile, facts: ProjectionFacts): string {
  const { pod, allocatable } = facts;
  const sources = {
    pod,
    container: pod.spec.containers[0]!,
    hostAddresses: [],
    podAddresses: [],
    allocatable,
  };
  if (fieldRef?.fieldPath === 'metadata.labels') return linesOf(pod.metadata.labels);
  if (fieldRef?.fieldPath === 'metadata.annotations') return linesOf(pod.metadata.annotations);
  if (fieldRef) return fieldOf(fieldRef.fieldPath, sources);
  if (resourceFieldRef) return resourceOf(resourceFieldRef, sources);
  throw new VolumeError(`file "${path}" names neither a field nor a resource`);
}

/** `key="value"`, a line each, sorted; no newline at the end. */
const linesOf = (map: Readonly<Record<string, string>> = {}): string =>
  Object.entries(map)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, text]) => `${key}=${quoted(text)}`)
    .join('\n');

/** Where the pod has one user, or a group for its files, the token is for nobody else. */
function tokenFile({ pod, tokens }: ProjectionFacts, wanted: TokenWanted, defaultMode: number): VolumeFile {
  const token = tokens.get(tokenKey(wanted));
  if (token === undefined) throw new Error('a token that was not asked for');
  const owner = onlyUserOf(pod);
  const narrow = owner !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return { bytes: utf8(token), mode: narrow ? 0o600 : defaultMode, ...(owner === undefined ? {} : { owner }) };
}

/** The user all containers of the pod run as; undefined when they differ, or when only an image knows. */
export function onlyUserOf({ spec }: Pod): number | undefined {
  const shared = spec.securityContext?.runAsUser;
  const users = new Set(
    [...(spec.initContainers ?? []), ...spec.containers].map((one) => one.securityContext?.runAsUser ?? shared),
  );
  return users.size === 1 ? [...users][0] : undefined;
}

/** Validation has refused such paths already; a file outside of its volume would be too bad to rely on it. */
function checked(path: string): string {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..') || parts[0]!.startsWith('..'))
    throw new VolumeError(`invalid path: ${path === '' ? 'must not be empty' : `${quoted(path)} leaves the volume`}`);
  return posix.normalize(path);
}

/** `a/b/c`: `a/b`, `a`. */
function foldersOf(path: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) folders.push(folder);
  return folders;
}
