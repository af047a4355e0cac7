/** For tests: objects as clients may send them, with parts left out or null. */

export type Path = readonly (string | number)[];

/** Of every part of a value, itself among them. */
export function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

export function without(value: unknown, [first, ...rest]: Path): unknown {
  if (typeof value !== 'object' || value === null || first === undefined) return value;
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return rest.length === 0
      ? list.filter((_, index) => index !== Number(first))
      : list.map((each, index) => (index === Number(first) ? without(each, rest) : each));
  }
  const record = { ...value } as Record<string, unknown>;
  if (rest.length === 0) delete record[first];
  else record[first] = without(record[first], rest);
  return record;
}

/** Also with null or nothing in place of a part, as a client may send it and as the decoder then makes it. */
export function mangle(value: unknown, path: Path, kind: 'gone' | 'null'): unknown {
  if (kind === 'gone') return without(value, path);
  const [first, ...rest] = path;
  if (typeof value !== 'object' || value === null || first === undefined) return null;
  if (Array.isArray(value)) {
    return value.map((each: unknown, index) => (index === Number(first) ? mangle(each, rest, kind) : each));
  }
  return { ...value, [first]: mangle((value as Record<string, unknown>)[first], rest, kind) };
}
