import { ApiError, hasReason } from '#api/errors.ts';

/**
 * Waits for the creation of what every namespace has. That it is there already, or that the namespace is gone or going,
 * is as good as done: whatever changes that brings the key back.
 */
export async function unlessGoing(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists') && !hasReason(error, 'NotFound') && !isTerminating(error)) throw error;
  }
}

/** The API server's refusal to make anything new in a namespace that is being deleted. */
const isTerminating = (error: unknown): boolean =>
  error instanceof ApiError && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
