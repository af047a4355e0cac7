import { pino } from 'pino';

/** What goes wrong behind the scenes, for a file; people are told by other means. */
export type Log = (message: string, error?: unknown) => void;

/** Characters. */
const MAX_UNWRITTEN = 1 << 20;

/** Appends JSON lines to `file` (mode 0600). Written at once: a line must survive the crash it tells of. */
export function fileLog(file: string): Log {
  const destination = pino.destination({ dest: file, sync: true, mode: 0o600, maxLength: MAX_UNWRITTEN });
  // On a full disk lines are kept for later, then dropped: nothing may end because it could not be told.
  destination.on('error', () => {});
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return (message, error) => {
    if (error === undefined) logger.info(message);
    else logger.error({ err: error }, message);
  };
}
