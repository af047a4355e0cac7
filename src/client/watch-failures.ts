import { ApiError, type Reason } from '#api/errors.ts';
import type { ResourceVersion } from '#api/meta.ts';

/** What the failures of a list or watch mean for an informer. Decided by class, reason and cause, never by message. */

/** The server has fallen silent where it must not: its initial events never end, or its watch outlives its time. */
export class StalledError extends Error {
  override readonly name = 'StalledError';
  readonly during: 'list' | 'watch';

  constructor(plural: string, during: 'list' | 'watch') {
    super(
      during === 'list'
        ? `the server does not complete the streaming list of ${plural}`
        : `the watch of ${plural} has outlived its time: its connection is taken for dead`,
    );
    this.during = during;
  }
}

/** Events of a revision older than what was seen: the server has been reset or restored. */
export class RevisionWentBackError extends Error {
  override readonly name = 'RevisionWentBackError';

  constructor(plural: string, seen: ResourceVersion, now: ResourceVersion) {
    super(`the watch of ${plural} went back from revision ${seen} to ${now}`);
  }
}

/** The revision to go on from is compacted (410), or one the server has not reached (it was reset or restored). */
export function wantsRelist(error: unknown): boolean {
  if (error instanceof RevisionWentBackError) return true;
  if (!(error instanceof ApiError)) return false;
  return (
    error.code === 410 || error.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge') === true
  );
}

// A server without streaming lists refuses them as a field it does not allow; an old one may not know the parameter at all.
const refusals: readonly Reason[] = ['Invalid', 'BadRequest', 'NotAcceptable', 'MethodNotAllowed', 'NotImplemented'];

export function refusesStreaming(error: unknown): boolean {
  if (error instanceof StalledError) return error.during === 'list';
  return error instanceof ApiError && refusals.includes(error.reason);
}
