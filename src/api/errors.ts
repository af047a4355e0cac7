/**
 * The one kind of failure an API server answers with: a Status. Thrown by the server's stages and by the client alike,
 * so that code over the in-process transport and over HTTPS decides by the same `reason`.
 */

/** The reasons the API server can give, each with its usual HTTP status (apimachinery's `StatusReason`). */
export const reasons = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
  Unknown: 500,
} as const;
export type Reason = keyof typeof reasons;

/** Why one field is wrong; `reason` is upstream's CauseType: FieldValueRequired, FieldValueInvalid, … */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** The wire form of a failure, or of a success that has no object to show. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code: number;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly reason: Reason;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  /** A fresh continue token, for a list whose own has expired (410). */
  readonly continueToken: string | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: ErrorOptions & { code?: number; details?: StatusDetails; continueToken?: string } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.reason = reason;
    this.code = options.code ?? reasons[reason];
    this.details = options.details;
    this.continueToken = options.continueToken;
  }
}

export const hasReason = (error: unknown, reason: Reason): error is ApiError =>
  error instanceof ApiError && error.reason === reason;

export function statusOfError(error: ApiError): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: error.continueToken === undefined ? {} : { continue: error.continueToken },
    status: 'Failure',
    message: error.message,
    // Upstream leaves the reason out where it has none of its own (StatusReasonUnknown is the empty string).
    ...(error.reason === 'Unknown' ? {} : { reason: error.reason }),
    ...(error.details ? { details: error.details } : {}),
    code: error.code,
  };
}

/** What came over the wire, as the error it was at the other end. */
export function errorOfStatus(status: Status): ApiError {
  const reason = status.reason !== undefined && status.reason in reasons ? (status.reason as Reason) : 'Unknown';
  return new ApiError(reason, status.message ?? `the server answered ${status.code}`, {
    code: status.code,
    ...(status.details ? { details: status.details } : {}),
    ...(status.metadata?.continue === undefined ? {} : { continueToken: status.metadata.continue }),
  });
}

/** What an error speaks of: the resource by its plural, as in upstream's messages (`pods "web" not found`). */
interface Named {
  readonly group: string;
  readonly plural: string;
}
const qualified = ({ group, plural }: Named): string => (group === '' ? plural : `${plural}.${group}`);
const detailsOf = ({ group, plural }: Named, name: string): StatusDetails => ({
  name,
  ...(group === '' ? {} : { group }),
  kind: plural,
});

export const notFound = (resource: Named, name: string): ApiError =>
  new ApiError('NotFound', `${qualified(resource)} "${name}" not found`, { details: detailsOf(resource, name) });

export const alreadyExists = (resource: Named, name: string): ApiError =>
  new ApiError('AlreadyExists', `${qualified(resource)} "${name}" already exists`, {
    details: detailsOf(resource, name),
  });

/** `why` without a full stop; upstream's message for a stale resourceVersion is the default. */
export const conflict = (
  resource: Named,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): ApiError =>
  new ApiError('Conflict', `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`, {
    details: detailsOf(resource, name),
  });

export const badRequest = (message: string): ApiError => new ApiError('BadRequest', message);
