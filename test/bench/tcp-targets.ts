import { type AddressInfo, createServer, type Server } from 'node:net';

/** Ports of this machine that take connections, let them go, and remember when they came. */
export class TcpTargets implements Disposable {
  readonly ports: readonly number[];
  /** Epoch ms, port by port. */
  readonly arrivals: readonly (readonly number[])[];
  readonly #servers: readonly Server[];

  private constructor(servers: readonly Server[], arrivals: readonly (readonly number[])[]) {
    this.#servers = servers;
    this.arrivals = arrivals;
    this.ports = servers.map((server) => (server.address() as AddressInfo).port);
  }

  static async listen(count: number): Promise<TcpTargets> {
    const arrivals = Array.from({ length: count }, (): number[] => []);
    const servers = arrivals.map((seen) =>
      createServer((socket) => {
        seen.push(Date.now());
        socket.on('error', () => {}).end();
      }),
    );
    await Promise.all(
      servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))),
    );
    return new TcpTargets(servers, arrivals);
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close();
  }
}
