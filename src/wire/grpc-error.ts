/** gRPC's status codes by number: what a server answers with, and what this client says when there was no answer. */
export const grpcCodes = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

export type GrpcCode = (typeof grpcCodes)[number];

/** `message` is what Go's clients print, which Kubernetes shows to users; `description` is the server's text alone. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: GrpcCode;
  readonly description: string;

  constructor(code: GrpcCode, description: string, options?: ErrorOptions) {
    super(`rpc error: code = ${code} desc = ${description}`, options);
    this.code = code;
    this.description = description;
  }
}
