import type { KubeObject } from '#api/meta.ts';
import type { Column } from '#server/columns/column.ts';

const nameText =
  'Name must be unique within a namespace. It is required when creating resources; some resources let the server generate one.';

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: nameText,
  priority: 0,
  value: (object) => object.metadata.name,
};

/** What kubectl shows for kinds the server has no columns for. */
export const createdAt: Column = {
  name: 'Created At',
  type: 'date',
  description: 'When the server created the object.',
  priority: 0,
  value: (object) => object.metadata.creationTimestamp,
};

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'How long ago the server created the object.',
  priority: 0,
  value: (object, now) => ageSince(object.metadata.creationTimestamp, now),
};

/** A column of text; `wide` ones are shown by `-o wide` only. */
export const column = (
  name: string,
  description: string,
  value: Column['value'],
  more: Partial<Column> = {},
): Column => ({ name, type: 'string', description, priority: 0, value, ...more });

export const wide = { priority: 1 } as const;

export const ageSince = (timestamp: string | undefined, now: number): string =>
  timestamp === undefined ? '<unknown>' : humanDuration(now - Date.parse(timestamp));

/** As kubectl writes durations: 53s, 4m30s, 12m, 5h7m, 2d, 3y41d. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (days < 730) return `${days}d`;
  const years = Math.floor(days / 365);
  if (years < 8) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`;
  return `${years}y`;
}

/** `a=1,b=2`, or `<none>`. */
export const labelText = (labels: Readonly<Record<string, string>> | undefined): string => {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
};

/** Reads a field that this kind has, without a cast at every column. */
export const part = <T>(object: KubeObject, name: string): T | undefined =>
  (object as unknown as Record<string, unknown>)[name] as T | undefined;
