import type { Logger } from 'pino';

/** What goes wrong behind the scenes, for a file; people are told by other means. */
export type Log = (message: string, error?: unknown) => void;

/** Characters. */
const MAX_UNWRITTEN = 1 << 20;

/**
 * Appends JSON lines to `file` (mode 0600). Each is written at once, since it must survive the crash it tells of; only the
 * first waits for the library, which a start that has nothing to tell need not load.
 */
export function fileLog(file: string): Log {
  let opening: Promise<Logger> | undefined;
  let logger: Logger | undefined;
  const write = (to: Logger, message: string, error: unknown): void => {
    if (error === undefined) to.info(message);
    else to.error({ err: error }, message);
  };
  return (message, error) => {
    if (logger) return write(logger, message, error);
    opening ??= openLog(file);
    // Lines that come meanwhile keep their order: each waits for the same promise.
    opening.then(
      (opened) => {
        logger = opened;
        write(opened, message, error);
      },
      // A log that cannot be opened has nobody to tell.
      () => {},
    );
  };
}

async function openLog(file: string): Promise<Logger> {
  const { pino } = await import('pino');
  const destination = pino.destination({ dest: file, sync: true, mode: 0o600, maxLength: MAX_UNWRITTEN });
  // On a full disk lines are kept for later, then dropped: nothing may end because it could not be told.
  destination.on('error', () => {});
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
