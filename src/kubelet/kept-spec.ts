import type { Container, ContainerPort, Pod } from '#api/generated/core-v1.ts';

/**
 * What stopping a container takes is written on it, as upstream does and under upstream's names: who stops it may not
 * have its pod any more, or no API to ask for it.
 */
const names = {
  graceSeconds: 'io.kubernetes.pod.terminationGracePeriod',
  preStop: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  /** Of a sidecar its place among the init containers: they end after the others, the last one first. */
  sidecar: 'peapod.dev/sidecar',
} as const;

export type Annotations = Readonly<Record<string, string>>;

export function keptSpec(pod: Pod, container: Container): Annotations {
  const { terminationGracePeriodSeconds, initContainers = [] } = pod.spec;
  const place = initContainers.findIndex(({ name, restartPolicy }) => name === container.name && restartPolicy);
  const preStop = container.lifecycle?.preStop;
  return {
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [names.graceSeconds]: String(terminationGracePeriodSeconds) }),
    ...(preStop === undefined ? {} : { [names.preStop]: JSON.stringify(preStop) }),
    // A hook may name a port.
    ...(preStop === undefined || container.ports === undefined
      ? {}
      : { [names.ports]: JSON.stringify(container.ports) }),
    ...(place < 0 ? {} : { [names.sidecar]: String(place) }),
  };
}

export interface KeptSpec {
  /** undefined where it was not written down. */
  readonly graceMs: number | undefined;
  /** As much of the container as its preStop hook needs. */
  readonly container: Container;
  /** Whether it ends after the others, and the higher the sooner. */
  readonly sidecar: number | undefined;
}

/** What cannot be read counts as not written: other programs may write annotations too. */
export function readKeptSpec(name: string, annotations: Annotations): KeptSpec {
  const grace = Number(annotations[names.graceSeconds] ?? NaN);
  const place = Number(annotations[names.sidecar] ?? NaN);
  const preStop = parsed(annotations[names.preStop]);
  const ports = parsed(annotations[names.ports]);
  return {
    graceMs: Number.isFinite(grace) ? Math.max(0, grace) * 1000 : undefined,
    sidecar: Number.isFinite(place) ? place : undefined,
    container: {
      name,
      ...(isObject(preStop) ? { lifecycle: { preStop } } : {}),
      ...(Array.isArray(ports) ? { ports: ports as readonly ContainerPort[] } : {}),
    },
  };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
