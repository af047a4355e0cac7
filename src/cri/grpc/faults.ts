/**
 * From gRPC's status to a RuntimeFault. containerd answers most failures with Unknown and says the rest in words, so this is
 * the one place where words are read; each pattern is a text seen from containerd 1.6 to 2.1.
 */
import { RuntimeFault, type PullReason, type RuntimeFaultKind } from '#cri/fault.ts';
import { GrpcError, type GrpcCode } from '#wire/grpc-error.ts';

const kinds: Readonly<Partial<Record<GrpcCode, RuntimeFaultKind>>> = {
  NotFound: 'not-found',
  Unavailable: 'unavailable',
  DeadlineExceeded: 'deadline',
  InvalidArgument: 'invalid',
  OutOfRange: 'invalid',
  AlreadyExists: 'already-exists',
  ResourceExhausted: 'exhausted',
  Unimplemented: 'unimplemented',
};

const badName = /invalid reference format|failed to parse image reference|could not parse reference/i;
const nameTaken = /failed to reserve (?:sandbox|container) name .* is reserved for/;
const registryDown =
  /failed to do request: .*(?:connection refused|no such host|i\/o timeout|timeout|network is unreachable|no route to host|EOF|connection reset)|50[234] (?:Bad Gateway|Service Unavailable|Gateway Timeout)/i;

/** Passes on what is not a GrpcError: cancellation and defects are no faults of the runtime. */
export function faultOf(error: unknown): unknown {
  if (!(error instanceof GrpcError)) return error;
  return new RuntimeFault(error.message, { ...classify(error), description: error.description, cause: error });
}

export function pullFaultOf(error: unknown): unknown {
  if (!(error instanceof GrpcError)) return error;
  const pullReason = reasonOf(error);
  const options = { ...classify(error), description: error.description, pullReason, cause: error };
  return new RuntimeFault(error.message, options);
}

function classify(error: GrpcError): { kind: RuntimeFaultKind; retryable: boolean } {
  const kind = kindOf(error);
  // A runtime that is there and says no, with a request that will be the same next time, will say no again.
  const retryable = kind !== 'invalid' && kind !== 'unimplemented' && kind !== 'already-exists' && kind !== 'not-found';
  return { kind, retryable };
}

function kindOf(error: GrpcError): RuntimeFaultKind {
  const kind = kinds[error.code];
  if (kind !== undefined) return kind;
  if (badName.test(error.description)) return 'invalid';
  if (nameTaken.test(error.description)) return 'already-exists';
  return 'other';
}

function reasonOf(error: GrpcError): PullReason {
  if (badName.test(error.description)) return 'InvalidImageName';
  if (error.description.startsWith('SignatureValidationFailed')) return 'SignatureValidationFailed';
  if (error.description.startsWith('RegistryUnavailable') || registryDown.test(error.description)) {
    return 'RegistryUnavailable';
  }
  return 'ErrImagePull';
}
