import type { ResourceVersion } from '#api/meta.ts';

/**
 * Compares two resourceVersions of one resource: negative when `a` is older, 0 when they are the same.
 * They are canonical decimal integers (KEP-5504) that may outgrow a double, so: the longer one is the newer one.
 */
export function compareRevisions(a: ResourceVersion, b: ResourceVersion): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
