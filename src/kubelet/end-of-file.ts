import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last bytes of a file, read in one go; none of one that is not there. */
export function endOf(path: string, bytes: number): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    // Removed with its pod's folder: what was read of it has been told.
    return Buffer.alloc(0);
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, Math.max(0, size - bytes)));
  } finally {
    closeSync(file);
  }
}
