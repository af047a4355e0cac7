/** What of a pod its own containers may be told: as variables (environment.ts) or as files (volumes/projection.ts). */
import type { Container, Pod } from '#api/generated/core-v1.ts';
import { amountsOf } from '#api/pod-resources.ts';
import { isZero, milliValue, parseQuantity, type Quantity, value } from '#api/quantity.ts';

export interface DownwardFacts {
  readonly pod: Pod;
  /** Whose resources are meant where nothing else is said. */
  readonly container: Container;
  readonly hostAddresses: readonly string[];
  readonly podAddresses: readonly string[];
  /** The node's: what a container without a limit may use. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Something that is referred to is not there, or makes no sense. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** A field by its path, `metadata.labels['app']` among them. Throws EnvironmentError. */
export function fieldOf(path: string, { pod, hostAddresses, podAddresses }: DownwardFacts): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/s.exec(path);
  if (subscript) return (subscript[1] === 'labels' ? metadata.labels : metadata.annotations)?.[subscript[2]!] ?? '';
  const fields: Readonly<Record<string, () => string>> = {
    'metadata.name': () => metadata.name,
    'metadata.namespace': () => metadata.namespace ?? '',
    'metadata.uid': () => metadata.uid,
    'spec.nodeName': () => spec.nodeName ?? '',
    // An old name of the same.
    'spec.host': () => spec.nodeName ?? '',
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

export interface ResourceRef {
  /** `limits.cpu`, `requests.memory`, … */
  readonly resource: string;
  /** undefined and '0': whole ones. */
  readonly divisor?: string | undefined;
  /** undefined and '': the container itself, of whatever sort it is. */
  readonly containerName?: string | undefined;
}

/** An amount in units of the divisor, rounded up. Throws EnvironmentError. */
export function resourceOf({ resource, divisor, containerName = '' }: ResourceRef, facts: DownwardFacts): string {
  const { resources } = containerName === '' ? facts.container : containerCalled(containerName, facts.pod);
  const [kind, ...rest] = resource.split('.');
  const key = rest.join('.');
  const own = amountsOf(kind === 'limits' ? resources?.limits : resources?.requests).get(key);
  const amount = own !== undefined && !isZero(own) ? own : kind === 'limits' ? mostOf(key, facts) : undefined;
  if (amount === undefined) return '0';
  const unit = divisor === undefined || isZero(parseQuantity(divisor)) ? '1' : divisor;
  const scale = key === 'cpu' ? milliValue : value;
  return String(Math.ceil(scale(amount) / scale(parseQuantity(unit))));
}

function containerCalled(name: string, { spec }: Pod): Container {
  const found = [...spec.containers, ...(spec.initContainers ?? [])].find((one) => one.name === name);
  if (found === undefined) throw new EnvironmentError(`container ${name} not found`);
  return found;
}

/** What a container without a limit may use: the pod's limit, else all that the node gives out; only of what the node has. */
function mostOf(key: string, { pod, allocatable }: DownwardFacts): Quantity | undefined {
  const all = allocatable[key];
  if (all === undefined) return undefined;
  const shared = amountsOf(pod.spec.resources?.limits).get(key);
  return shared !== undefined && !isZero(shared) ? shared : parseQuantity(all);
}
