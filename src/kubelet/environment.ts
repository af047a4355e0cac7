import type { ConfigMap, Container, EnvFromSource, EnvVar, FileKeySelector, Secret } from '#api/generated/core-v1.ts';
import { expandEnv } from '#api/expansion.ts';
import { type DownwardFacts, EnvironmentError, fieldOf, resourceOf } from '#kubelet/downward-fields.ts';
import { parseEnvFile } from '#kubelet/env-file.ts';

/** What a container's environment may draw from besides its own spec. */
export interface EnvironmentSources extends DownwardFacts {
  /** Where the Services are. */
  readonly services: ReadonlyMap<string, string>;
  /** By name; undefined: it does not exist. */
  readonly configMaps: ReadonlyMap<string, ConfigMap | undefined>;
  readonly secrets: ReadonlyMap<string, Secret | undefined>;
  /** The text of a file in a volume of the pod; undefined: it does not exist. */
  readonly files: ReadonlyMap<FileKey, string | undefined>;
}

/** A file in a volume. */
export type FileKey = `${string} ${string}`;
export type EnvFileRef = Pick<FileKeySelector, 'volumeName' | 'path'>;
export const fileKey = ({ volumeName, path }: EnvFileRef): FileKey => `${volumeName} ${path}`;

/** What must be read before `environmentOf` can be asked. */
export function referredBy(container: Container): {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
  readonly files: readonly EnvFileRef[];
} {
  const env = container.env ?? [];
  const from = container.envFrom ?? [];
  return {
    configMaps: unique([
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
      ...from.map(({ configMapRef }) => configMapRef?.name),
    ]),
    secrets: unique([
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...from.map(({ secretRef }) => secretRef?.name),
    ]),
    files: env.flatMap(({ valueFrom }) => valueFrom?.fileKeyRef ?? []),
  };
}

const unique = (names: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(names.filter((name) => name !== undefined)),
];

/** The container's variables: those of the Services, then envFrom, then env, later ones winning, as upstream has it. */
export function environmentOf(sources: EnvironmentSources): ReadonlyMap<string, string> {
  const from = (sources.container.envFrom ?? []).flatMap((one) => variablesFrom(one, sources));
  const known = new Map([...sources.services, ...from]);
  const own = expandEnv(sources.container.env ?? [], known, (variable) => readVariable(variable, sources));
  return new Map([...known, ...own]);
}

function variablesFrom(
  { prefix = '', configMapRef, secretRef }: EnvFromSource,
  sources: EnvironmentSources,
): readonly (readonly [string, string])[] {
  const ref = configMapRef ?? secretRef;
  if (ref === undefined) return [];
  const data = configMapRef
    ? sources.configMaps.get(ref.name ?? '')?.data
    : decoded(sources.secrets.get(ref.name ?? ''));
  const exists = configMapRef ? sources.configMaps.get(ref.name ?? '') : sources.secrets.get(ref.name ?? '');
  if (exists === undefined) {
    if (ref.optional === true) return [];
    throw new EnvironmentError(`${configMapRef ? 'configmap' : 'secret'} "${ref.name}" not found`);
  }
  return Object.entries(data ?? {}).map(([key, text]) => [`${prefix}${key}`, text] as const);
}

function readVariable(variable: EnvVar, sources: EnvironmentSources): string | undefined {
  const { valueFrom } = variable;
  if (valueFrom === undefined) return variable.value ?? '';
  if (valueFrom.fieldRef) return fieldOf(valueFrom.fieldRef.fieldPath, sources);
  if (valueFrom.resourceFieldRef) return resourceOf(valueFrom.resourceFieldRef, sources);
  const { configMapKeyRef, secretKeyRef } = valueFrom;
  if (configMapKeyRef) {
    const { name = '', key, optional } = configMapKeyRef;
    const found = sources.configMaps.get(name);
    return keyOf(
      { kind: 'configmap', name, key, optional: optional === true },
      sources,
      found && (found.data?.[key] ?? null),
    );
  }
  if (secretKeyRef) {
    const { name = '', key, optional } = secretKeyRef;
    const found = sources.secrets.get(name);
    return keyOf(
      { kind: 'secret', name, key, optional: optional === true },
      sources,
      found && (decoded(found)?.[key] ?? null),
    );
  }
  if (valueFrom.fileKeyRef) return fromFile(valueFrom.fileKeyRef, sources);
  throw new EnvironmentError(`the source of variable "${variable.name}" is of a kind that is not supported`);
}

interface KeyRef {
  readonly kind: 'configmap' | 'secret';
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
}

/** `found` is undefined when the object is not there, null when it has no such key. */
function keyOf(ref: KeyRef, { pod }: EnvironmentSources, found: string | null | undefined): string | undefined {
  if (typeof found === 'string') return found;
  if (ref.optional) return undefined;
  if (found === undefined) throw new EnvironmentError(`${ref.kind} "${ref.name}" not found`);
  const kind = ref.kind === 'configmap' ? 'ConfigMap' : 'Secret';
  throw new EnvironmentError(`couldn't find key ${ref.key} in ${kind} ${pod.metadata.namespace}/${ref.name}`);
}

function fromFile(ref: FileKeySelector, { files }: EnvironmentSources): string | undefined {
  const text = files.get(fileKey(ref));
  const found = text === undefined ? undefined : entriesOf(text).get(ref.key);
  if (found !== undefined || ref.optional === true) return found;
  const where = `${JSON.stringify(ref.path)} of volume ${JSON.stringify(ref.volumeName)}`;
  throw new EnvironmentError(`environment variable key ${JSON.stringify(ref.key)} not found in file ${where}`);
}

function entriesOf(text: string): ReadonlyMap<string, string> {
  try {
    return parseEnvFile(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EnvironmentError(`couldn't parse env file: ${error.message}`, { cause: error });
  }
}

function decoded(secret: Secret | undefined): Readonly<Record<string, string>> | undefined {
  if (secret?.data === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data).map(([key, text]) => [key, new TextDecoder().decode(Uint8Array.fromBase64(text))]),
  );
}
