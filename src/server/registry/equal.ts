/**
 * Whether two JSON values say the same: the order of keys does not matter, and a key without a value is no key. That is how a
 * write that changes nothing is recognised, whichever way its text was written.
 */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => equalJson(item, b[index]));
  }
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key in left) if (left[key] !== right[key] && !equalJson(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

/**
 * The same value without keys whose value is undefined or null, as it would come back from the wire; the very same value where it
 * has none. Objects handed over in process are kept as they are, so they must look like decoded ones.
 */
export function asDecoded<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(asDecoded);
    return items.every((item, index) => item === value[index]) ? value : (items as T);
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, each] of Object.entries(value)) {
    const decoded = asDecoded(each);
    if (decoded === each && each !== undefined && each !== null) continue;
    copy ??= { ...(value as Record<string, unknown>) };
    if (decoded === undefined || decoded === null) delete copy[key];
    else copy[key] = decoded;
  }
  return (copy ?? value) as T;
}
