import type { Revision } from '#store/store.ts';
import type { Answer } from '#server/answer.ts';
import type { Descriptor } from '#server/descriptor.ts';
import type { ResourceInfo, ServerRequest } from '#server/request.ts';

/** A resource whose objects are not kept in the store: it answers for itself. Discovery, authorization and encoding are as for all. */
export interface ApartResource {
  readonly descriptor: Descriptor;
  /** Only for verbs the descriptor has, of the resource or of a subresource of a named object. */
  readonly handle: (call: ApartCall) => Promise<Answer>;
}

export interface ApartCall {
  readonly request: ServerRequest;
  readonly info: ResourceInfo;
  /** The newest of the store, for lists to carry. */
  readonly revision: Revision;
}
