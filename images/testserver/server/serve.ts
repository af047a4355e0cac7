import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type Server, createServer as createTcpServer } from 'node:net';
import type { ServeCommand } from '#images/testserver/server/arguments.ts';
import { selfSigned } from '#images/testserver/server/certificate.ts';
import { grpcHealthServer } from '#images/testserver/server/grpc-health.ts';
import { httpHandler } from '#images/testserver/server/http.ts';
import type { Journal } from '#images/testserver/server/journal.ts';
import { Toggles } from '#images/testserver/server/toggles.ts';

/** Resolves when all ports are open; prints `listening NAME PORT` for each, and `serving` at the end. */
export async function serve({ ports, off, onAfterMs }: ServeCommand, journal: Journal): Promise<void> {
  const toggles = new Toggles();
  toggles.set('ready', true);
  for (const name of off) toggles.set(name, false);
  if (onAfterMs !== undefined) setTimeout(() => off.forEach((name) => toggles.set(name, true)), onAfterMs);
  const handler = httpHandler(toggles, journal);
  const echo = createTcpServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket));
  if (ports.http > 0) await listen('http', createHttpServer(handler), ports.http);
  if (ports.https > 0) await listen('https', createHttpsServer(selfSigned('testserver'), handler), ports.https);
  if (ports.tcp > 0) await listen('tcp', echo, ports.tcp);
  if (ports.grpc > 0) await listen('grpc', grpcHealthServer(toggles), ports.grpc);
  journal.say('serving');

  function listen(name: string, server: Server, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen(port, () => {
      journal.say(`listening ${name} ${port}`);
      resolve();
    });
    return promise;
  }
}
