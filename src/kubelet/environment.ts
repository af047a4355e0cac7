import type { ConfigMap, Container, EnvFromSource, EnvVar, Pod, Secret } from '#api/generated/core-v1.ts';
import { expandEnv } from '#api/expansion.ts';
import { amountsOf } from '#api/pod-resources.ts';
import { milliValue, parseQuantity, value } from '#api/quantity.ts';

/** What a container's environment may draw from besides its own spec. */
export interface EnvironmentSources {
  readonly pod: Pod;
  readonly container: Container;
  /** Where the Services are. */
  readonly services: ReadonlyMap<string, string>;
  /** By name; undefined: it does not exist. */
  readonly configMaps: ReadonlyMap<string, ConfigMap | undefined>;
  readonly secrets: ReadonlyMap<string, Secret | undefined>;
  readonly hostAddresses: readonly string[];
  readonly podAddresses: readonly string[];
  /** What a container without a limit may use: the node's allocatable cpu and memory. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Something the environment refers to is not there, or makes no sense. Shown as CreateContainerConfigError. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** ConfigMaps and Secrets that must be read before `environmentOf` can be asked. */
export function referredBy(container: Container): {
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
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
  if (valueFrom.resourceFieldRef) {
    const { resource, divisor, containerName } = valueFrom.resourceFieldRef;
    return resourceOf(resource, divisor, containerName, sources);
  }
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

function decoded(secret: Secret | undefined): Readonly<Record<string, string>> | undefined {
  if (secret?.data === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(secret.data).map(([key, text]) => [key, new TextDecoder().decode(Uint8Array.fromBase64(text))]),
  );
}

/** The downward API's fields (`metadata.labels['app']` among them). */
export function fieldOf(path: string, { pod, hostAddresses, podAddresses }: EnvironmentSources): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return (subscript[1] === 'labels' ? metadata.labels : metadata.annotations)?.[subscript[2]!] ?? '';
  const fields: Readonly<Record<string, () => string>> = {
    'metadata.name': () => metadata.name,
    'metadata.namespace': () => metadata.namespace ?? '',
    'metadata.uid': () => metadata.uid,
    'spec.nodeName': () => spec.nodeName ?? '',
    'spec.serviceAccountName': () => spec.serviceAccountName ?? '',
    'status.hostIP': () => hostAddresses[0] ?? '',
    'status.hostIPs': () => hostAddresses.join(','),
    'status.podIP': () => podAddresses[0] ?? '',
    'status.podIPs': () => podAddresses.join(','),
  };
  const read = fields[path];
  if (read === undefined) throw new EnvironmentError(`unsupported fieldPath: ${path}`);
  return read();
}

export function resourceOf(
  resource: string,
  divisor: string | undefined,
  containerName: string | undefined,
  sources: EnvironmentSources,
): string {
  const { pod, allocatable } = sources;
  const name = containerName === undefined || containerName === '' ? sources.container.name : containerName;
  const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name);
  if (container === undefined) throw new EnvironmentError(`container ${name} not found`);
  const [kind, ...rest] = resource.split('.');
  const key = rest.join('.');
  const texts = kind === 'limits' ? container.resources?.limits : container.resources?.requests;
  // A limit that is not set is the node's allocatable; a request that is not set is nothing.
  const amount =
    amountsOf(texts).get(key) ??
    (kind === 'limits' && allocatable[key] !== undefined ? parseQuantity(allocatable[key]) : undefined);
  if (amount === undefined) return '0';
  const unit = divisor === undefined || divisor === '0' ? '1' : divisor;
  const scale = key === 'cpu' ? milliValue : value;
  return String(Math.ceil(scale(amount) / scale(parseQuantity(unit))));
}
