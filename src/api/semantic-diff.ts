/**
 * What differs between two values, where an absent list or object is as good as an empty one (they are written alike).
 * Property order means nothing. Values are JSON: no cycles, no dates.
 */
export interface Difference {
  /** `spec.containers[0].name` */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

export const semanticallyEqual = (a: unknown, b: unknown): boolean => differences(a, b, '', 1).length === 0;

/** At most `limit`, in the order in which they stand in the values. */
export function differences(before: unknown, after: unknown, path: string, limit = 10): readonly Difference[] {
  const found: Difference[] = [];
  compare({ path, before, after }, found, limit);
  return found;
}

/** One line a difference, values cut short. */
export const differenceText = ({ path, before, after }: Difference): string =>
  `${path}: ${brief(before)} -> ${brief(after)}`;

function compare(pair: Difference, found: Difference[], limit: number): void {
  const { path, before, after } = pair;
  if (before === after || found.length >= limit || (isEmpty(before) && isEmpty(after))) return;
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (let index = 0; index < before.length; index += 1) {
      compare({ path: `${path}[${index}]`, before: before[index], after: after[index] }, found, limit);
    }
    return;
  }
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const inner = path === '' ? key : `${path}.${key}`;
      compare({ path: inner, before: before[key], after: after[key] }, found, limit);
    }
    return;
  }
  found.push(pair);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : typeof value === 'object' && Object.keys(value).length === 0);

function brief(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`;
}
