import type { Images } from '#cri/runtime.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, type Scope } from '#lib/scope.ts';
import type { Log } from '#main/log.ts';
import { SANDBOX_IMAGE } from '#main/machine.ts';

/** Where images come from may be found out while nodes start. */
const TRIES = 10;
const RETRY_MS = 2000;

/**
 * The first pod should not have to wait for the image that every pod needs. A failure is tried again a few times, and then
 * shows when a pod needs it.
 */
export function fetchSandboxImage(
  images: Pick<Images, 'status' | 'pull'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  scope: Scope,
): void {
  scope.spawn('the sandbox image', async (signal) => {
    for (let tries = 1; ; tries++) {
      try {
        if ((await images.status(SANDBOX_IMAGE, signal)) === undefined) await images.pull(SANDBOX_IMAGE, {}, signal);
        return;
      } catch (error) {
        if (isCancellation(error, signal)) throw error;
        if (tries === TRIES) return log(`fetching ${SANDBOX_IMAGE} failed`, error);
        await clock.sleep(RETRY_MS, signal);
      }
    }
  });
}
