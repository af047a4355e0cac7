import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { isErrno } from '#host/proc.ts';

/**
 * Keeps a log file that another process appends to within bounds: past `maxBytes` it is copied to FILE.1 and emptied.
 * The writer must have opened it with O_APPEND; what it writes between copy and truncation is lost.
 */
export function boundLogFile(file: string, maxBytes: number): void {
  try {
    if (statSync(file).size <= maxBytes) return;
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** The last lines of a log, at most 2 KiB, to quote in an error; empty when there is none. */
export function logTail(file: string, lines: number): string {
  const size = 2048;
  try {
    const descriptor = openSync(file, 'r');
    try {
      const start = Math.max(0, statSync(file).size - size);
      const buffer = Buffer.alloc(size);
      const read = readSync(descriptor, buffer, 0, size, start);
      return buffer.toString('utf8', 0, read).trimEnd().split('\n').slice(-lines).join('\n');
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
