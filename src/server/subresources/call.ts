import type { Answer } from '#server/answer.ts';
import type { ServerRequest } from '#server/request.ts';
import type { Target, WriteRequest } from '#server/registry/registry.ts';

/** A request to a subresource that has a handler of its own. */
export interface SubresourceCall {
  readonly request: ServerRequest;
  readonly target: Target;
  readonly write: WriteRequest;
}

export type SubresourceHandler = (call: SubresourceCall) => Answer | Promise<Answer>;

/** The answer to what has been done and has no object to show. */
export const success: Answer = {
  kind: 'value',
  code: 201,
  value: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
};
