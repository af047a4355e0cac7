import { ApiError } from '#api/errors.ts';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Exchange, RequestHeaders } from '#wire/exchange.ts';
import type { NodeCall, NodeConnection } from '#server/nodes/node-connection.ts';
import { acceptWebSocket, offeredProtocols } from '#wire/websocket.ts';

/** One that its client has asked to upgrade. */
interface Connection {
  readonly socket: Duplex;
  readonly head: Buffer;
}

const BINARY = 'binary.k8s.io';
const BASE64 = 'base64.binary.k8s.io';

/** Passes requests on to the nodes, and their answers back as they come. */
export class NodeProxy {
  readonly #connection: NodeConnection;

  constructor(connection: NodeConnection) {
    this.#connection = connection;
  }

  /** Logs: what the node sends is written on at the pace the client reads it. */
  async stream(exchange: Exchange, call: NodeCall): Promise<void> {
    const { signal } = exchange;
    const response = await this.#reach(call, () => this.#connection.stream(call.node, call.path, signal));
    if (response.status >= 400) throw await refusalOf(response.status, response.chunks);
    const type = response.headers['content-type'] ?? 'text/plain';
    const out = exchange.stream(response.status, {
      'content-type': String(type),
      'cache-control': 'no-cache, private',
    });
    try {
      for await (const chunk of response.chunks) {
        if (out.closed) return;
        if (!out.write(chunk)) await out.drained();
      }
    } catch (error) {
      // The client has gone, or the node has: either way there is nothing more to tell.
      if (!signal.aborted) throw error;
    } finally {
      out.end();
    }
  }

  /**
   * Logs, as messages: binary ones, or text in base64 for a client that asks for it. An empty one comes first, so that the
   * client of a silent container knows that it is heard.
   */
  async streamToWebSocket(exchange: Exchange, call: NodeCall, connection: Connection): Promise<void> {
    const { signal } = exchange;
    const offered = offeredProtocols(exchange.headers);
    const protocol = offered.find((each) => each === BINARY || each === BASE64);
    if (protocol === undefined && offered.length > 0) {
      throw new ApiError('BadRequest', `none of the WebSocket protocols ${offered.join(', ')} is spoken here`);
    }
    const response = await this.#reach(call, () => this.#connection.stream(call.node, call.path, signal));
    if (response.status >= 400) throw await refusalOf(response.status, response.chunks);
    const inText = protocol === BASE64;
    const client = await acceptWebSocket(exchange, connection, protocol, inText ? 'text' : 'binary');
    client.write(Buffer.alloc(0));
    // What the client says is nobody's concern; that it goes is.
    client.resume().once('end', () => client.destroy());
    const encoded = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of response.chunks) {
        const bytes = Buffer.from(chunk);
        yield inText ? Buffer.from(bytes.toString('base64')) : bytes;
      }
    };
    await pipeline(encoded, client, { signal }).catch((error: unknown) => {
      if (!client.destroyed && !signal.aborted) throw error;
    });
  }

  /** Exec: the two connections become one. A node that refuses is quoted. */
  async upgrade(exchange: Exchange, call: NodeCall, { socket, head }: Connection): Promise<void> {
    const { signal, method } = exchange;
    const headers = withoutCredentials(exchange.headers);
    const upgrade = { client: socket, head, method, path: call.path, headers };
    const outcome = await this.#reach(call, () => this.#connection.splice(call.node, upgrade, signal));
    if (outcome.kind === 'refused') exchange.respond(outcome.status, outcome.headers, outcome.body);
  }

  async #reach<T>(call: NodeCall, reach: () => Promise<T>): Promise<T> {
    try {
      return await reach();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const { name, host, port } = call.node;
      const message = `Get "https://${host}:${port}${call.path}": node ${name} cannot be reached: ${why}`;
      throw new ApiError('InternalError', message, { cause: error });
    }
  }
}

/** What the client has shown to us is not the node's business. */
const withoutCredentials = ({ authorization: _a, cookie: _c, ...headers }: RequestHeaders): RequestHeaders => headers;

const LONGEST_REFUSAL = 64 * 1024;

async function refusalOf(status: number, chunks: AsyncIterable<Uint8Array>): Promise<ApiError> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    all.push(chunk);
    if ((size += chunk.length) > LONGEST_REFUSAL) break;
  }
  const message = Buffer.concat(all).toString('utf8').trim();
  const reason = status === 404 ? 'NotFound' : status === 400 ? 'BadRequest' : 'InternalError';
  return new ApiError(reason, message || `the node answered ${status}`, { code: status });
}
