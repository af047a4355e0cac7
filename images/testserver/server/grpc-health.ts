/**
 * The gRPC health service, version 1: `grpc.health.v1.Health/Check`, over cleartext HTTP/2. Its two messages are small
 * enough to be read and written by hand: `{ string service = 1 }` and `{ ServingStatus status = 1 }`.
 */
import { type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream, createServer } from 'node:http2';
import type { Toggles } from '#images/testserver/server/toggles.ts';

const serving = 1;
const notServing = 2;
/** gRPC's status codes. */
const ok = 0;
const notFound = 5;
const unimplemented = 12;

/** The service "" is the toggle `ready`; another is the toggle of its name, and unknown (NOT_FOUND) until that is first set. */
export function grpcHealthServer(toggles: Toggles): Http2Server {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => stream.destroy());
    if (headers[':path'] !== '/grpc.health.v1.Health/Check') {
      finish(stream, unimplemented, undefined);
      return;
    }
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const name = serviceIn(Buffer.concat(chunks)) || 'ready';
      if (!toggles.isKnown(name)) finish(stream, notFound, undefined);
      else finish(stream, ok, toggles.isOn(name) ? serving : notServing);
    });
  });
  return server;
}

/** A message is a flag, its length in four bytes, and field 1: tag 0x0a, length, text. Empty when left out. */
export function serviceIn(framed: Buffer): string {
  const message = framed.subarray(5);
  return message[0] === 0x0a ? message.subarray(2, 2 + message[1]!).toString() : '';
}

function finish(stream: ServerHttp2Stream, code: number, health: number | undefined): void {
  const head = { ':status': 200, 'content-type': 'application/grpc' };
  if (health === undefined) {
    // Without a message the status goes with the headers.
    stream.respond({ ...head, 'grpc-status': String(code) }, { endStream: true });
    return;
  }
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(code) }));
  stream.respond(head, { waitForTrailers: true });
  stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, health]));
}
