/** The server's end of a WebSocket, as a stream of messages on a connection that a client has asked to upgrade. */
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { IncomingMessage } from '#wire/node-http.ts';
import type { Exchange, RequestHeaders } from '#wire/exchange.ts';

/** Go's default, which upstream's servers have. */
const LONGEST_MESSAGE = 32 << 20;
const NORMAL = 1000;

export const isWebSocketRequest = ({ headers }: Pick<Exchange, 'headers'>): boolean =>
  textOf(headers['upgrade']).toLowerCase() === 'websocket';

/** Subprotocols the client offers, the one it likes best first. */
export const offeredProtocols = (headers: RequestHeaders): readonly string[] =>
  textOf(headers['sec-websocket-protocol'])
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

const textOf = (value: RequestHeaders[string]): string =>
  value === undefined ? '' : typeof value === 'string' ? value : value.join(',');

/**
 * Agrees to the upgrade; without a protocol where the client named none. Each chunk read is a whole message, each chunk
 * written becomes one; both wait for the slower side. Ending the stream closes the WebSocket normally; destroying it cuts the connection. It ends when the client closes or goes.
 * A request that is no proper handshake is answered so, and this throws.
 */
export async function acceptWebSocket(
  exchange: Pick<Exchange, 'headers' | 'method' | 'url'>,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  protocol: string | undefined,
  messages: 'binary' | 'text' = 'binary',
): Promise<Duplex> {
  if (!(socket instanceof Socket)) throw new TypeError('a WebSocket needs a socket');
  // The first who wants one waits a few milliseconds longer, and every start is that much shorter.
  const { WebSocketServer } = await import('ws');
  const failed = (): Error => new Error('the WebSocket handshake failed');
  if (socket.destroyed) throw failed();
  const request = new IncomingMessage(socket);
  // `ws` takes no protocol with a `/` in it, and Kubernetes has one; it never sees them, and ours is written into its answer.
  const { 'sec-websocket-protocol': _, ...headers } = exchange.headers;
  Object.assign(request, { headers, method: exchange.method, url: exchange.url });
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: LONGEST_MESSAGE });
  if (protocol !== undefined) server.on('headers', (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const gone = (): void => reject(failed());
  socket.once('close', gone);
  server.once('wsClientError', (error, refused) => {
    refused.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n${error.message}`);
    reject(error);
  });
  server.handleUpgrade(request, socket, head, resolve);
  const webSocket = await promise.finally(() => socket.off('close', gone));
  return messageStream(webSocket, messages === 'binary');
}

function messageStream(webSocket: WebSocket, binary: boolean): Duplex {
  const stream = new Duplex({
    readableObjectMode: true,
    // A message may be large: one that nobody has read yet is enough.
    readableHighWaterMark: 1,
    read: () => webSocket.resume(),
    write: (chunk: Buffer, _encoding, done) => webSocket.send(chunk, { binary }, (error) => done(error)),
    final(done) {
      if (webSocket.readyState === webSocket.CLOSED) return done();
      webSocket.once('close', () => done());
      // The client's answer to it is behind whatever it has still sent.
      stream.resume();
      webSocket.resume();
      webSocket.close(NORMAL);
    },
    destroy(error, done) {
      webSocket.terminate();
      done(error);
    },
  });
  webSocket.on('message', (message: RawData) => {
    if (!stream.push(bytesOf(message))) webSocket.pause();
  });
  webSocket.on('error', () => {});
  webSocket.on('close', () => stream.push(null));
  return stream;
}

function bytesOf(message: RawData): Buffer {
  if (Array.isArray(message)) return Buffer.concat(message);
  return Buffer.isBuffer(message) ? message : Buffer.from(message);
}
