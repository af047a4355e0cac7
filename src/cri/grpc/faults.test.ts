import assert from 'node:assert/strict';
import test from 'node:test';
import { RuntimeFault } from '#cri/fault.ts';
import { faultOf, pullFaultOf } from '#cri/grpc/faults.ts';
import { type GrpcCode, GrpcError } from '#wire/grpc-error.ts';

/** Texts as containerd 1.6.20 was seen to answer. */
test('faults: what a runtime says becomes a kind, and whether to try again', () => {
  const table: readonly [GrpcCode, string, RuntimeFault['kind'], boolean][] = [
    ['NotFound', 'an error occurred when try to find container "x": not found', 'not-found', false],
    ['Unavailable', 'connection error: connect ECONNREFUSED', 'unavailable', true],
    [
      'DeadlineExceeded',
      'failed to exec in container: timeout 1s exceeded: context deadline exceeded',
      'deadline',
      true,
    ],
    ['Unimplemented', 'unknown method RuntimeConfig', 'unimplemented', false],
    ['ResourceExhausted', 'grpc: trying to send message larger than max', 'exhausted', true],
    ['Unknown', 'failed to create containerd task: OCI runtime create failed', 'other', true],
    [
      'Unknown',
      'failed to reserve sandbox name "p_ns_u_0": name "p_ns_u_0" is reserved for "9c06"',
      'already-exists',
      false,
    ],
    [
      'Unknown',
      'failed to reserve container name "a_p_ns_u_0": name "a_p_ns_u_0" is reserved for "109d"',
      'already-exists',
      false,
    ],
    ['Unknown', 'failed to parse image reference "UPPER//bad": invalid reference format', 'invalid', false],
  ];
  for (const [code, description, kind, retryable] of table) {
    const fault = faultOf(new GrpcError(code, description));
    assert.ok(fault instanceof RuntimeFault);
    assert.deepEqual([fault.kind, fault.retryable, fault.pullReason], [kind, retryable, undefined], description);
    assert.equal(fault.message, `rpc error: code = ${code} desc = ${description}`);
    assert.equal(fault.description, description);
  }
});

test("faults: a failed pull has Kubernetes' reason", () => {
  const resolve =
    'failed to pull and unpack image "docker.io/library/x:1": failed to resolve reference "docker.io/library/x:1":';
  const table: readonly [GrpcCode, string, string][] = [
    ['NotFound', `${resolve} docker.io/library/x:1: not found`, 'ErrImagePull'],
    [
      'Unknown',
      `${resolve} failed to do request: Head "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused`,
      'RegistryUnavailable',
    ],
    [
      'Unknown',
      `${resolve} failed to do request: Head "https://r.invalid/": dial tcp: lookup r.invalid: no such host`,
      'RegistryUnavailable',
    ],
    [
      'Unknown',
      `${resolve} unexpected status from HEAD request to http://r/: 503 Service Unavailable`,
      'RegistryUnavailable',
    ],
    [
      'Unknown',
      `${resolve} pull access denied, repository does not exist or may require authorization`,
      'ErrImagePull',
    ],
    ['Unknown', 'failed to parse image reference "UPPER//bad": invalid reference format', 'InvalidImageName'],
    ['Unknown', 'SignatureValidationFailed: image is not signed', 'SignatureValidationFailed'],
  ];
  for (const [code, description, reason] of table) {
    const fault = pullFaultOf(new GrpcError(code, description));
    assert.ok(fault instanceof RuntimeFault);
    assert.equal(fault.pullReason, reason, description);
  }
});

test("faults: what is not the runtime's is passed on untouched", () => {
  const reason = new Error('cancelled');
  assert.equal(faultOf(reason), reason);
  assert.equal(pullFaultOf(reason), reason);
});
