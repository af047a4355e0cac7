import { ApiError } from '#api/errors.ts';

/** Where a list in pages goes on. Opaque to clients; it names the revision all pages are read at. */
export interface ContinueToken {
  /** Undefined: whatever is newest (the rest of a list whose own revision has expired). */
  readonly revision: number | undefined;
  /** The last key of the page before, without the resource's prefix. */
  readonly after: string;
  /** When the list began, in milliseconds: all its pages expire together. */
  readonly begunAt: number;
}

/** How long a list in pages may take, whatever history the store still has (upstream: etcd compacts every 5 minutes). */
export const CONTINUE_MS = 5 * 60_000;

const VERSION = 'meta.k8s.io/v1';

export function encodeContinue(token: ContinueToken): string {
  const { revision, after, begunAt } = token;
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision ?? -1, start: after, t: begunAt })).toString(
    'base64url',
  );
}

/** Throws a 400 for what is no token of ours. */
export function decodeContinue(text: string): ContinueToken {
  const raw = parse(text);
  const { v, rv, start, t } = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>;
  if (v !== VERSION) throw notValid('incorrect encoded version in continue token');
  if (typeof rv !== 'number' || typeof start !== 'string' || typeof t !== 'number' || start === '') {
    throw notValid('continue key is not valid: encoded start key empty or missing');
  }
  return { revision: rv === -1 ? undefined : rv, after: start, begunAt: t };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    throw new ApiError('BadRequest', 'continue key is not valid: it cannot be decoded', { cause: error });
  }
}

const notValid = (why: string): ApiError => new ApiError('BadRequest', why);

/** 410 for a token that is too old, with one that goes on in the same place at the newest revision. */
export function expiredContinue(token: ContinueToken, now: number): ApiError {
  return new ApiError(
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the ' +
      'continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing ' +
      'with the provided token results in an inconsistent list - objects that were created, modified, or deleted between ' +
      'the time the first chunk was returned and now may show up in the list.',
    { continueToken: encodeContinue({ ...token, revision: undefined, begunAt: now }) },
  );
}
