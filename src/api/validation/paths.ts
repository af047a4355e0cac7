import type { Finding } from '#api/validation/check.ts';

/** Paths in files: what may not leave the directory it is meant for. */

/** Relative, and never upwards. */
export function validateDescendingPath(path: string, found: Finding): void {
  if (path.startsWith('/')) found.invalid(path, 'must be a relative path');
  validateNoBacksteps(path, found);
}

export function validateNoBacksteps(path: string, found: Finding): void {
  if (hasBacksteps(path)) found.invalid(path, "must not contain '..'");
}

export const hasBacksteps = (path: string): boolean => path.split('/').includes('..');

/** As a descending path; names that start with two dots are the kubelet's own. */
export function validateFilePath(path: string | undefined, found: Finding): void {
  if (!found.text(path)) return;
  validateDescendingPath(path, found);
  if (path.startsWith('..') && !path.startsWith('../') && path !== '..')
    found.invalid(path, "must not start with '..'");
}

export function validateFileMode(mode: number | undefined, found: Finding): void {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return;
  found.invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive');
}
