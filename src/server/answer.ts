import type { Descriptor } from '#server/descriptor.ts';
import type { Listing } from '#server/registry/list.ts';
import type { Outcome } from '#server/registry/outcome.ts';
import type { Watch } from '#server/registry/watch.ts';
import type { NodeCall } from '#server/nodes/node-connection.ts';

/** What the stages make of a request; a carrier (HTTP, or the transport in process) brings it to its client. */
export type Answer =
  | Outcome
  | { readonly kind: 'list'; readonly descriptor: Descriptor; readonly listing: Listing }
  /** Not begun yet: the carrier begins it. */
  | { readonly kind: 'watch'; readonly watch: Watch }
  | { readonly kind: 'text'; readonly code: number; readonly text: string }
  /** A document that changes seldom: discovery, OpenAPI. */
  | { readonly kind: 'document'; readonly document: Document }
  /** Logs and exec: the node's own server answers, and the carrier passes it on. */
  | { readonly kind: 'node'; readonly call: NodeCall };

export interface Document {
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly etag: string;
  /** True when the URL names the content, so that it may be kept for ever. */
  readonly immutable: boolean;
}
