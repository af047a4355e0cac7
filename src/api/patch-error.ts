/**
 * A patch that cannot be applied. `code` is the HTTP status upstream gives: 400 for a patch that is malformed in itself,
 * 422 for one that does not fit the object, 500 for what upstream never meant to happen (an element without its merge key).
 */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly code: 400 | 413 | 422 | 500;

  constructor(code: 400 | 413 | 422 | 500, message: string) {
    super(message);
    this.code = code;
  }
}
