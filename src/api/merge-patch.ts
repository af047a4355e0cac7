/**
 * JSON merge patch (RFC 7386), copy-on-write: what the patch does not touch is shared with the original, and a patch that
 * changes nothing gives back the very original. The patch's own values become part of the result, so nobody may change them later.
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const original = isObject(target) ? target : {};
  let result: JsonObject | undefined = original === target ? undefined : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    const present = Object.hasOwn(original, key);
    if (value === null ? !present : present && isObject(value) === false && original[key] === value) continue;
    const merged = value === null ? undefined : applyMergePatch(present ? original[key] : undefined, value);
    if (present && merged === original[key]) continue;
    result ??= { ...original };
    if (value === null) delete result[key];
    else Object.defineProperty(result, key, { value: merged, enumerable: true, writable: true, configurable: true });
  }
  return result ?? original;
}

type JsonObject = { [key: string]: unknown };
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
