/** How a list's elements are told apart, in the order of preference; an element without any of these by its place. */
const names = ['name', 'key', 'type', 'ip', 'uid'] as const;

/**
 * Which fields of two versions of an object differ, as a person would name them: `spec.containers[web].image`. Of what was
 * added or taken away as a whole only the topmost field is named. In the order of the newer version, then what it lacks.
 */
export function changedFields(before: unknown, after: unknown, path = ''): readonly string[] {
  if (Object.is(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const fields = [...new Set([...Object.keys(after), ...Object.keys(before)])];
    return fields.flatMap((name) => changedFields(before[name], after[name], fieldPath(path, name)));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, now] = [byName(before), byName(after)];
    return [...new Set([...now.keys(), ...old.keys()])].flatMap((name) =>
      changedFields(old.get(name), now.get(name), `${path}[${name}]`),
    );
  }
  return [path];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Labels and annotations have names with dots and slashes in them. */
const fieldPath = (path: string, name: string): string => {
  if (!/^[A-Za-z0-9]+$/.test(name) || /\.(labels|annotations)$/.test(path)) return `${path}[${name}]`;
  return path === '' ? name : `${path}.${name}`;
};

function byName(list: readonly unknown[]): ReadonlyMap<string, unknown> {
  const known = new Map<string, unknown>();
  for (const [at, element] of list.entries()) {
    const own = isRecord(element)
      ? names.map((each) => element[each]).find((each) => typeof each === 'string')
      : element;
    const name = typeof own === 'string' && !known.has(own) ? own : String(at);
    known.set(name, element);
  }
  return known;
}
