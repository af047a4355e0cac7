/**
 * Exec and attach between a client that speaks Kubernetes' channels over a WebSocket and a runtime that speaks SPDY. A message's
 * first byte names its channel. Version 5 differs from 4 in one thing: [255, CHANNEL] ends a channel, so that
 * standard input can have an end. Over SPDY each channel is a stream of its own. What is said on them is the same:
 * a `Status` on the error channel tells how the command ended, and the terminal's size is `{"Width":…,"Height":…}`.
 */
import type { Duplex } from 'node:stream';
import { drained } from '#wire/drained.ts';
import type { SpdyConnection, SpdyStreamId } from '#wire/spdy/spdy-connection.ts';

/** The best one first. Older ones have no Status. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
export type RemoteCommandProtocol = (typeof protocols)[number];

/** What to ask of the runtime's server; its Status is the same that channels carry. */
export const RUNTIME_PROTOCOL = 'v4.channel.k8s.io';

export const remoteCommandProtocol = (offered: readonly string[]): RemoteCommandProtocol | undefined =>
  protocols.find((each) => offered.includes(each));

/** As the runtime was asked to serve them: with a terminal there is no `stderr`. */
export interface RemoteCommandStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

const channels = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const;
type Channel = (typeof channels)[number];
const END_OF_CHANNEL = 255;

export type ClientMessage =
  | { readonly kind: 'data'; readonly channel: Channel; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly channel: Channel }
  /** Empty, or of a channel that nobody knows: upstream passes over it. */
  | { readonly kind: 'nothing' }
  /** An end of no channel: upstream gives up on the connection. */
  | { readonly kind: 'nonsense' };

export function parseClientMessage(message: Uint8Array, protocol: RemoteCommandProtocol): ClientMessage {
  const [first, second] = message;
  if (first === undefined) return { kind: 'nothing' };
  if (first === END_OF_CHANNEL && protocol === 'v5.channel.k8s.io') {
    const channel = second === undefined || message.length !== 2 ? undefined : channels[second];
    return channel === undefined ? { kind: 'nonsense' } : { kind: 'end', channel };
  }
  const channel = channels[first];
  return channel === undefined ? { kind: 'nothing' } : { kind: 'data', channel, bytes: message.subarray(1) };
}

export const channelMessage = (channel: Channel, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(channels.indexOf(channel)), bytes]);

/**
 * Carries a command's streams until it has ended or the client has gone, which cuts the runtime's side; in the end both
 * connections are over. Both ways wait for the slower side. `client` gives and takes whole messages (websocket.ts). When
 * `signal` aborts both are cut and it rejects with its reason.
 */
export async function bridgeRemoteCommand(
  client: Duplex,
  runtime: SpdyConnection,
  { streams, protocol }: { readonly streams: RemoteCommandStreams; readonly protocol: RemoteCommandProtocol },
  signal: AbortSignal,
): Promise<void> {
  const cut = (): void => {
    client.destroy();
    runtime.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  client.on('error', () => {});
  const over = client.closed ? Promise.resolve() : new Promise<void>((resolve) => client.once('close', resolve));
  try {
    const opened = openStreams(runtime, streams);
    // Clients take the first message as the sign that the command is running.
    client.write(channelMessage(streams.stdout ? 'stdout' : streams.stderr ? 'stderr' : 'error', none));
    const listening = fromClient(client, runtime, opened, protocol).finally(() => runtime.destroy());
    await Promise.all([listening, toClient(client, runtime, opened).finally(() => client.end())]);
    await over;
  } finally {
    signal.removeEventListener('abort', cut);
    cut();
  }
  signal.throwIfAborted();
}

const none = Buffer.alloc(0);
type OpenedStreams = ReadonlyMap<Channel, SpdyStreamId>;

function openStreams(runtime: SpdyConnection, { stdin, stdout, stderr, tty }: RemoteCommandStreams): OpenedStreams {
  const wanted = { error: true, stdin, stdout, stderr, resize: tty };
  const names = (['error', 'stdin', 'stdout', 'stderr', 'resize'] as const).filter((name) => wanted[name]);
  return new Map(names.map((name) => [name, runtime.open({ streamtype: name })]));
}

/** Ends when the client closes, goes, or talks nonsense. */
async function fromClient(
  client: Duplex,
  runtime: SpdyConnection,
  opened: OpenedStreams,
  protocol: RemoteCommandProtocol,
): Promise<void> {
  try {
    for await (const message of client) {
      const said = parseClientMessage(message as Buffer, protocol);
      if (said.kind === 'nonsense') return;
      if (said.kind === 'nothing' || (said.channel !== 'stdin' && said.channel !== 'resize')) continue;
      const stream = opened.get(said.channel);
      if (stream === undefined) continue;
      await runtime.send(stream, said.kind === 'data' ? said.bytes : none, said.kind === 'end');
    }
  } catch {
    // It was cut: there is nobody to tell.
  }
}

/** Ends when the runtime has said all. A command whose end nobody knows has not succeeded, and the client is told. */
async function toClient(client: Duplex, runtime: SpdyConnection, opened: OpenedStreams): Promise<void> {
  const channelOf = new Map([...opened].map(([channel, stream]) => [stream as number, channel]));
  const open = new Set((['stdout', 'stderr', 'error'] as const).filter((name) => opened.has(name)) as Channel[]);
  let told = false;
  for await (const event of runtime.events()) {
    if (event.kind === 'going-away') continue;
    const channel = channelOf.get(event.stream);
    if (channel === undefined) continue;
    if (event.kind === 'data' && event.bytes.length > 0) {
      if (channel === 'error') told = true;
      if (!client.write(channelMessage(channel, event.bytes))) await drained(client);
    }
    if (event.kind === 'reset' || event.last) open.delete(channel);
    if (open.size === 0) break;
  }
  if (!told && client.writable) client.write(channelMessage('error', lost));
}

const lost = Buffer.from(
  JSON.stringify({
    metadata: {},
    status: 'Failure',
    message: 'Internal error occurred: the connection to the container runtime was lost',
    reason: 'InternalError',
    code: 500,
  }),
);
