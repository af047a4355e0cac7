/**
 * Exec, attach and port-forward at a node's own server. Clients that speak SPDY are joined to the runtime's streaming server byte for
 * byte, and so are old WebSocket clients: it speaks both. What it does not speak is translated here: exec and attach over the
 * WebSocket channels of today, and port-forward's SPDY connection carried in a WebSocket's messages.
 */
import type { Duplex } from 'node:stream';
import type { Pod } from '#api/generated/core-v1.ts';
import type { ListedContainer, ContainerRuntime } from '#cri/runtime.ts';
import { labels } from '#kubelet/observed.ts';
import { Refusal } from '#kubelet/server/refusal.ts';
import type { Exchange } from '#wire/exchange.ts';
import {
  bridgeRemoteCommand,
  remoteCommandProtocol,
  type RemoteCommandStreams,
  RUNTIME_PROTOCOL,
} from '#wire/remote-command.ts';
import { SpdyConnection } from '#wire/spdy/spdy-connection.ts';
import { askUpgrade, join, splice, type SpliceTarget, type UpgradeAnswer } from '#wire/splice.ts';
import { acceptWebSocket, isWebSocketRequest, offeredProtocols } from '#wire/websocket.ts';

/** A connection that its client has asked to upgrade, and what is asked of it. */
export interface StreamRequest {
  readonly exchange: Exchange;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly pod: Pod;
  /** '' where none is named. */
  readonly container: string;
  readonly query: URLSearchParams;
}

/** Resolves when the connection has ended or was refused; rejects with the exchange's signal's reason. */
export type StreamHandler = (runtime: ContainerRuntime, request: StreamRequest) => Promise<void>;

export const streamHandlers: ReadonlyMap<string, StreamHandler> = new Map([
  ['exec', serveExec],
  ['attach', serveAttach],
  ['portForward', servePortForward],
]);

async function serveExec(runtime: ContainerRuntime, request: StreamRequest): Promise<void> {
  const { pod, query, exchange } = request;
  const command = query.getAll('command');
  if (command.length === 0) throw new Refusal(400, 'you must specify at least 1 command for the container');
  const streams = streamsAsked(query, isTrue(query.get('tty')));
  const found = await runningContainer(runtime, pod, request.container, exchange.signal);
  if (found === undefined) throw new Refusal(500, `container not found (${JSON.stringify(request.container)})`);
  const url = await runtime.streams.exec({ container: found.id, command, ...streams }, exchange.signal);
  await serveRemoteCommand(url, streams, request);
}

/** Whether there is a terminal is the container's to say: that cannot change once it runs. */
async function serveAttach(runtime: ContainerRuntime, request: StreamRequest): Promise<void> {
  const { pod, container, query, exchange } = request;
  const { namespace, name } = pod.metadata;
  const declared = containersOf(pod).find((each) => each.name === container);
  const streams = streamsAsked(query, declared?.tty === true);
  const found = declared && (await runningContainer(runtime, pod, container, exchange.signal));
  if (found === undefined) throw new Refusal(500, `container ${container} not found in pod ${name}_${namespace}`);
  const url = await runtime.streams.attach({ container: found.id, ...streams }, exchange.signal);
  await serveRemoteCommand(url, streams, request);
}

const containersOf = ({ spec }: Pod): readonly { readonly name: string; readonly tty?: boolean }[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];

async function servePortForward(runtime: ContainerRuntime, request: StreamRequest): Promise<void> {
  const { pod, query, exchange } = request;
  const { namespace, name, uid } = pod.metadata;
  const ready = { labels: { [labels.podUid]: uid }, state: 'ready' } as const;
  const [sandbox] = await runtime.sandboxes.list(ready, exchange.signal);
  if (sandbox === undefined) throw new Refusal(500, `pod not found (${JSON.stringify(`${name}_${namespace}`)})`);
  const ports = query
    .getAll('port')
    .flatMap((each) => each.split(','))
    .map(portOf);
  const url = await runtime.streams.portForward(sandbox.id, ports, exchange.signal);
  if (isWebSocketRequest(exchange) && offeredProtocols(exchange.headers).includes(TUNNEL)) await tunnel(url, request);
  else await passOn(url, request);
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Refusal(400, `invalid port ${JSON.stringify(text)}`);
  return port;
}

function streamsAsked(query: URLSearchParams, tty: boolean): RemoteCommandStreams {
  const wants = (name: string): boolean => isTrue(query.get(name));
  // A terminal has one output; who asks for both gets it.
  const streams = { stdin: wants('input'), stdout: wants('output'), stderr: wants('error') && !tty, tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr)
    throw new Refusal(400, 'you must specify at least 1 of stdin, stdout, stderr');
  return streams;
}

const isTrue = (value: string | null): boolean => value === '1' || value === 'true';

async function runningContainer(
  runtime: ContainerRuntime,
  { metadata: { uid } }: Pod,
  name: string,
  signal: AbortSignal,
): Promise<ListedContainer | undefined> {
  const wanted = { [labels.podUid]: uid, [labels.containerName]: name };
  return (await runtime.containers.list({ labels: wanted, state: 'running' }, signal))[0];
}

async function serveRemoteCommand(url: string, streams: RemoteCommandStreams, request: StreamRequest): Promise<void> {
  const { exchange } = request;
  const protocol = isWebSocketRequest(exchange) ? remoteCommandProtocol(offeredProtocols(exchange.headers)) : undefined;
  if (protocol === undefined) return passOn(url, request);
  const agreed = await askForSpdy(url, RUNTIME_PROTOCOL, request);
  if (agreed === undefined) return;
  try {
    const runtime = new SpdyConnection(agreed.socket, agreed.head);
    const client = await acceptWebSocket(exchange, request, protocol);
    await bridgeRemoteCommand(client, runtime, { streams, protocol }, exchange.signal);
  } finally {
    agreed.socket.destroy();
  }
}

/** What kubectl asks for; what is inside is the SPDY protocol that comes after the `+`. */
const TUNNEL = 'SPDY/3.1+portforward.k8s.io';
const PORT_FORWARD = 'portforward.k8s.io';

/** Messages are pieces of the connection's bytes: where one ends means nothing. */
async function tunnel(url: string, request: StreamRequest): Promise<void> {
  const { exchange } = request;
  const agreed = await askForSpdy(url, PORT_FORWARD, request);
  if (agreed === undefined) return;
  try {
    const client = await acceptWebSocket(exchange, request, TUNNEL);
    if (agreed.head.length > 0) client.write(agreed.head);
    await join(client, agreed.socket, exchange.signal);
  } finally {
    agreed.socket.destroy();
  }
}

/** Undefined: the runtime has refused, and the client was told. */
async function askForSpdy(
  url: string,
  protocol: string,
  { exchange }: StreamRequest,
): Promise<Extract<UpgradeAnswer, { kind: 'agreed' }> | undefined> {
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocol };
  const answer = await askUpgrade({ ...targetOf(url), method: 'POST', headers }, exchange.signal);
  if (answer.kind === 'agreed') return answer;
  exchange.respond(answer.status, answer.headers, answer.body);
  return undefined;
}

async function passOn(url: string, { exchange, socket, head }: StreamRequest): Promise<void> {
  const { method, headers, signal } = exchange;
  const outcome = await splice(socket, head, { ...targetOf(url), method, headers }, signal);
  if (outcome.kind === 'refused') exchange.respond(outcome.status, outcome.headers, outcome.body);
}

function targetOf(text: string): Pick<SpliceTarget, 'host' | 'port' | 'path'> {
  const url = new URL(text);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), path: `${url.pathname}${url.search}` };
}
