/**
 * What went wrong in a call to a runtime. Decide by `kind`, `retryable` and `pullReason`, never by the text.
 *
 *  - not-found: the thing named does not exist (never thrown by stop and remove, which then have nothing to do).
 *  - unavailable: the runtime cannot be reached or is going away; the same call works once it is back.
 *  - deadline: the call took longer than its deadline; it may or may not have had its effect.
 *  - invalid: the request itself is wrong; asking again cannot help.
 *  - already-exists: the name is taken: the same (uid, attempt) or (name, attempt).
 *  - exhausted: a limit was hit (exec output above 16 MiB, message size, disk).
 *  - unimplemented: this runtime does not know the call.
 *  - other: everything a runtime reports without a class, which is most of what containerd does.
 */
export type RuntimeFaultKind =
  | 'not-found'
  | 'unavailable'
  | 'deadline'
  | 'invalid'
  | 'already-exists'
  | 'exhausted'
  | 'unimplemented'
  | 'other';

/** Kubernetes' own reason for a container that waits because of a failed pull. */
export type PullReason = 'ErrImagePull' | 'InvalidImageName' | 'RegistryUnavailable' | 'SignatureValidationFailed';

interface RuntimeFaultOptions extends ErrorOptions {
  readonly kind: RuntimeFaultKind;
  readonly retryable: boolean;
  /** The runtime's own words, without the prefix that names the call's status. */
  readonly description: string;
  readonly pullReason?: PullReason | undefined;
}

/** `message` is what a client of the runtime would print (`rpc error: code = NotFound desc = …`): pods show it. */
export class RuntimeFault extends Error {
  override readonly name = 'RuntimeFault';
  readonly kind: RuntimeFaultKind;
  /** True when the same call may succeed later without anyone changing the request. */
  readonly retryable: boolean;
  readonly description: string;
  /** Set for every fault thrown by `Images.pull`, and only there. */
  readonly pullReason: PullReason | undefined;

  constructor(message: string, options: RuntimeFaultOptions) {
    super(message, options);
    this.kind = options.kind;
    this.retryable = options.retryable;
    this.description = options.description;
    this.pullReason = options.pullReason;
  }
}
