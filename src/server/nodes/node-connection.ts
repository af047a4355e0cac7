import type { Duplex } from 'node:stream';
import type { RequestHeaders } from '#wire/exchange.ts';
import type { SpliceOutcome } from '#wire/splice.ts';

/**
 * How the API server reaches the servers of the nodes. Injected: `main` gives the one that speaks HTTPS with a client certificate
 * (`https-node-connection.ts`), tests may give one that answers itself. Both throw when the node cannot be reached.
 */
export interface NodeConnection {
  /** One GET. The body comes as it is produced; `signal` ends it. */
  stream(node: NodeAddress, path: string, signal: AbortSignal): Promise<NodeResponse>;
  /** Asks for the same upgrade and joins the connections. Resolves when they have ended, or when the node refuses. */
  splice(node: NodeAddress, upgrade: NodeUpgrade, signal: AbortSignal): Promise<SpliceOutcome>;
}

export interface NodeAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface NodeResponse {
  readonly status: number;
  readonly headers: RequestHeaders;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface NodeUpgrade {
  readonly client: Duplex;
  /** What was read of the client already. */
  readonly head: Uint8Array;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: RequestHeaders;
}

/** A request that a node answers, ready to be sent. */
export interface NodeCall {
  readonly node: NodeAddress;
  readonly path: string;
  /** `stream`: a plain answer that may go on for long; `upgrade`: the connection itself is handed over. */
  readonly kind: 'stream' | 'upgrade';
}
