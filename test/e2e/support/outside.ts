import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8', timeout: 10_000 });

/** Tells whoever connects from which address they come; ends by itself after a while, should nobody end it. */
const script = (address: string, port: number): string => `
  setTimeout(() => process.exit(0), 120000);
  require('node:net').createServer((socket) => socket.end(socket.remoteAddress + '\\n'))
    .listen(${port}, '${address}', () => console.log('listens'));`;

/**
 * The world beyond this machine: a network namespace on a link of its own, that knows the way to this machine and to nothing
 * behind it. Whoever is answered from there came with the machine's address. Gone with its disposal.
 */
export class Outside implements Disposable {
  /** The machine's address on the way there, and the server's. */
  readonly machine = '198.51.100.1';
  readonly address = '198.51.100.2';
  readonly port = 7000;
  readonly #name = `peapod-outside-${process.pid}`;
  readonly #link = `pout${process.pid}`;
  #server: ChildProcess | undefined;

  static async make(): Promise<Outside> {
    const outside = new Outside();
    try {
      await outside.#make();
      return outside;
    } catch (error) {
      outside[Symbol.dispose]();
      throw error;
    }
  }

  async #make(): Promise<void> {
    ip('netns', 'add', this.#name);
    ip('link', 'add', this.#link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name);
    ip('addr', 'add', `${this.machine}/30`, 'dev', this.#link);
    ip('link', 'set', this.#link, 'up');
    ip('-n', this.#name, 'addr', 'add', `${this.address}/30`, 'dev', 'eth0');
    ip('-n', this.#name, 'link', 'set', 'eth0', 'up');
    const server = ['netns', 'exec', this.#name, process.execPath, '-e', script(this.address, this.port)];
    this.#server = spawn('ip', server, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(this.#server.stdout!, 'data', { signal: AbortSignal.timeout(10_000) });
  }

  [Symbol.dispose](): void {
    this.#server?.kill('SIGKILL');
    for (const args of [
      ['link', 'del', this.#link],
      ['netns', 'del', this.#name],
    ]) {
      try {
        execFileSync('ip', args, { stdio: 'ignore', timeout: 10_000 });
      } catch {
        // It was never made, or has gone with the other end.
      }
    }
  }
}
