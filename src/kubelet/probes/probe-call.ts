import type { Container, HTTPGetAction, Probe } from '#api/generated/core-v1.ts';
import type { IntOrString } from '#api/generated/meta-v1.ts';
import type { ContainerId } from '#cri/runtime.ts';
import type { Outcome } from '#kubelet/probe.ts';

/** What is asked of a container, with every name resolved. */
export type ProbeCall = { readonly kind: 'exec'; readonly command: readonly string[] } | NetworkCall;

export type NetworkCall =
  | HttpCall
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'grpc'; readonly host: string; readonly port: number; readonly service: string };

export interface HttpCall {
  readonly kind: 'http';
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Answer {
  readonly outcome: Outcome;
  /** What people are shown. */
  readonly output: string;
  /** Of HTTP, when there was an answer at all. */
  readonly status?: number;
}

/** Whom to ask: the container, and where its pod is reached from the node. */
export interface ProbeTarget {
  readonly id: ContainerId;
  readonly container: Container;
  readonly podIP: string | undefined;
}

/**
 * The port to whatever listens in a pod. Never rejects but with the signal's reason: no answer within `timeoutMs` is a
 * failure like any other. `container` is whose probe it is, for those who must know without looking at the address.
 */
export interface NetworkProber {
  ask(call: NetworkCall, options: AskOptions, signal: AbortSignal): Promise<Answer>;
}

export interface AskOptions {
  readonly container: ContainerId;
  readonly timeoutMs: number;
}

/** Cannot be asked at all: an unknown port name, a pod without an address. Says nothing about the container. */
export class UnaskableError extends Error {
  override readonly name = 'UnaskableError';
}

/** Throws UnaskableError. */
export function probeCall(probe: Probe, target: ProbeTarget): ProbeCall {
  if (probe.exec) return { kind: 'exec', command: probe.exec.command ?? [] };
  if (probe.httpGet) return httpCall(probe.httpGet, target);
  if (probe.tcpSocket) {
    const { host = '', port } = probe.tcpSocket;
    return { kind: 'tcp', host: hostOf(host, target), port: portOf(port, target.container) };
  }
  if (probe.grpc) {
    return { kind: 'grpc', host: hostOf('', target), port: probe.grpc.port, service: probe.grpc.service ?? '' };
  }
  throw new UnaskableError(`missing probe handler for container ${target.container.name}`);
}

export function httpCall(action: HTTPGetAction, target: ProbeTarget): HttpCall {
  const path = action.path ?? '';
  return {
    kind: 'http',
    scheme: action.scheme === 'HTTPS' ? 'https' : 'http',
    host: hostOf(action.host ?? '', target),
    port: portOf(action.port, target.container),
    path: path.startsWith('/') ? path : `/${path}`,
    headers: (action.httpHeaders ?? []).map(({ name, value }) => [name, value] as const),
  };
}

function hostOf(given: string, { podIP }: ProbeTarget): string {
  if (given !== '') return given;
  if (podIP === undefined) throw new UnaskableError('the pod has no address');
  return podIP;
}

/** A number, a number in letters, or the name of one of the container's ports. */
function portOf(port: IntOrString, container: Container): number {
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? (/^\d+$/.test(String(port)) ? Number(port) : undefined);
  if (number === undefined) throw new UnaskableError(`couldn't find port: ${port} in container ${container.name}`);
  if (number <= 0 || number > 65_535) throw new UnaskableError(`invalid port number: ${number}`);
  return number;
}
