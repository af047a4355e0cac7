import { connect } from 'node:net';
import { askGrpc } from '#kubelet/probes/ask-grpc.ts';
import { askHttp } from '#kubelet/probes/ask-http.ts';
import { type Exchange, overSocket } from '#kubelet/probes/exchange.ts';
import type { Answer, AskOptions, HttpCall, NetworkCall, NetworkProber } from '#kubelet/probes/probe-call.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';

/** Asks over real sockets, from the node's own network. Failures are told in the words of Go's clients, as upstream's are. */
export class SocketProber implements NetworkProber {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async ask(call: NetworkCall, { timeoutMs }: AskOptions, signal: AbortSignal): Promise<Answer> {
    // Its own deadline and the server's word "too late" would race: the server is given the deadline.
    if (call.kind === 'grpc') return askGrpc(call, { clock: this.#clock, timeoutMs }, signal);
    signal.throwIfAborted();
    const asking = call.kind === 'http' ? askHttp(call) : askTcp(call);
    const callOff = (): void => asking.cut(signal.reason);
    signal.addEventListener('abort', callOff, { once: true });
    const disarm = this.#clock.alarm(timeoutMs, () => asking.cut(late));
    try {
      return await asking.done;
    } catch (error) {
      signal.throwIfAborted();
      return { outcome: 'failure', output: explain(call, error, error === late) };
    } finally {
      disarm();
      signal.removeEventListener('abort', callOff);
    }
  }
}

const late = new Error('timeout');

const askTcp = ({ host, port }: { readonly host: string; readonly port: number }): Exchange<Answer> =>
  overSocket(connect({ host, port }), (socket, resolve) => {
    socket.on('connect', () => resolve({ outcome: 'success', output: '' }));
  });

function explain(call: Exclude<NetworkCall, { kind: 'grpc' }>, error: unknown, late: boolean): string {
  const place = `${call.host.includes(':') ? `[${call.host}]` : call.host}:${call.port}`;
  switch (call.kind) {
    case 'tcp':
      return `dial tcp ${place}: ${late ? 'i/o timeout' : wordsOf(error)}`;
    case 'http':
      return `Get "${urlOf(call, place)}": ${httpWords(place, error, late)}`;
    default:
      return unreachable(call);
  }
}

const urlOf = ({ scheme, path }: HttpCall, place: string): string => `${scheme}://${place}${path}`;

function httpWords(place: string, error: unknown, late: boolean): string {
  if (late) return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  const dialling = error instanceof Error && 'syscall' in error && error.syscall === 'connect';
  return dialling ? `dial tcp ${place}: ${wordsOf(error)}` : wordsOf(error);
}

function wordsOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return goWords[code] ?? (error instanceof Error ? error.message : String(error));
}

const goWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  ECONNRESET: 'EOF',
};
