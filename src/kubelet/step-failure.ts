/** A step that failed in a way its pod's status should show. `reason` is upstream's: ErrImagePull, CreateContainerError, … */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
  readonly reason: string;
  /** The image was there a moment ago. */
  readonly imageGone: boolean;

  constructor(reason: string, message: string, options: ErrorOptions & { imageGone?: boolean } = {}) {
    super(message, options);
    this.reason = reason;
    this.imageGone = options.imageGone ?? false;
  }
}
