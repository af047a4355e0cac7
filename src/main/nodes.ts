import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';
import type { Children } from '#host/children.ts';
import type { ClusterOptions } from '#main/cluster-options.ts';
import type { ControlPlane } from '#main/control-plane.ts';
import type { Log } from '#main/log.ts';
import type { Pki, PkiOptions } from '#main/pki.ts';
import type { NodeAddress } from '#server/nodes/node-connection.ts';

/** The nodes of a cluster as its start sees them: one in this process (nodes-here.ts), or each a host of its own (nodes-apart.ts). */
export interface Nodes {
  /** Who needs certificates, and what for. */
  readonly papers: PkiOptions['nodes'];
  /** Under which nodes reach the API, beside this machine's own names. */
  readonly serverNames: readonly string[];
  /** Brings up what needs no API. Everything else is called once this has resolved, but for `addressOf`. */
  prepare(): Promise<void>;
  /** Once the API answers. What runs then runs in `scope`. */
  start(plane: ControlPlane, pki: Pki): Promise<void>;
  /** How a URL of this machine is written for who lives on a node. */
  reached(url: string): string;
  /** These URLs, on this machine's loopback, are what nodes use. */
  open(urls: readonly string[]): Promise<void>;
  /** Once it is known where images come from. */
  imagesReady(): void;
  /** Where the API server reaches a node that says it is here. */
  addressOf(node: NodeAddress): NodeAddress;
}

export interface NodesParts {
  readonly options: ClusterOptions;
  readonly children: Children;
  readonly clock: Clock;
  readonly log: Log;
  readonly stack: AsyncDisposableStack;
  readonly scope: Scope;
}
