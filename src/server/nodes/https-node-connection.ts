import type { Agent } from 'node:https';
import { HttpClient } from '#wire/http-client.ts';
import type { TlsOptions } from '#wire/http2-connection.ts';
import { splice } from '#wire/splice.ts';
import { tlsAgent } from '#wire/tls-agent.ts';
import type { NodeAddress, NodeConnection } from '#server/nodes/node-connection.ts';

/** Speaks HTTPS to the nodes; each is kept one connection, made when it is first needed. What is upgraded has one of its own. */
export class HttpsNodeConnection implements NodeConnection, Disposable {
  readonly #tls: TlsOptions;
  readonly #agent: Agent;
  readonly #clients = new Map<string, HttpClient>();

  /** `tls` shows the node who we are, and says whose nodes we believe. */
  constructor(tls: TlsOptions) {
    this.#tls = tls;
    this.#agent = tlsAgent(tls);
  }

  stream(node: NodeAddress, path: string, signal: AbortSignal): ReturnType<NodeConnection['stream']> {
    return this.#client(node).stream({ method: 'GET', path, headers: {} }, signal);
  }

  splice(
    node: NodeAddress,
    upgrade: Parameters<NodeConnection['splice']>[1],
    signal: AbortSignal,
  ): ReturnType<NodeConnection['splice']> {
    const { client, head, method, path, headers } = upgrade;
    const { host, port } = node;
    return splice(client, head, { host, port, tls: this.#agent, method, path, headers }, signal);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client[Symbol.dispose]();
    this.#clients.clear();
  }

  #client({ host, port }: NodeAddress): HttpClient {
    const key = `${host} ${port}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const made = new HttpClient({ kind: 'tls', host, port, tls: this.#tls });
    this.#clients.set(key, made);
    return made;
  }
}
