/** What may stand in a script of a simulated container (script.ts), parsed: times, sizes, and values that change with time. */

/** A script says something that makes no sense; the message says what, and what to write instead. */
export class ScriptMistake extends Error {
  override readonly name = 'ScriptMistake';
}

/** What holds from a time on, ms since the container started; the earliest first. */
export type Timeline<T> = readonly { readonly at: number; readonly value: T }[];

export const valueAt = <T>(timeline: Timeline<T>, sinceMs: number): T | undefined =>
  timeline.findLast(({ at }) => sinceMs >= at)?.value;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Durations as Kubernetes writes them, without fractions. */
export const DURATION = '(?:\\d+(?:ms|s|m|h))+';

/** Milliseconds. A bare number is milliseconds too. */
export function parseDuration(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (!new RegExp(`^${DURATION}$`).test(text))
    throw new ScriptMistake(`"${text}" is no time: write 250ms, 5s or 1m30s`);
  return [...text.matchAll(/(\d+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * unitMs[unit!]!,
    0,
  );
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

export function parseBytes(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = units[unit];
  if (number === undefined || factor === undefined)
    throw new ScriptMistake(`"${text}" is no size: write 64Mi, 1.5Gi or a number of bytes`);
  return Math.ceil(Number(number) * factor);
}

/** `VALUE TIME:VALUE …`: what holds from the beginning, then what holds from each time on. */
export function parseTimeline<T>(text: string, parse: (value: string) => T): Timeline<T> {
  const entries = text
    .trim()
    .split(/\s+/)
    .map((entry) => {
      const colon = entry.indexOf(':');
      return {
        at: colon < 0 ? 0 : parseDuration(entry.slice(0, colon)),
        value: parse(entry.slice(colon + 1)),
      };
    });
  const early = entries.findIndex(({ at }, n) => n > 0 && at <= entries[n - 1]!.at);
  if (early > 0)
    throw new ScriptMistake(`"${text}" goes back in time: write VALUE TIME:VALUE, each time later than the one before`);
  return entries;
}

/** A line that a container writes `atMs` after its start, and again every `everyMs` if given. */
export interface ScriptedLine {
  readonly atMs: number;
  readonly everyMs?: number;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Fewer would fill a disk: nobody reads so fast. */
const LEAST_EVERY_MS = 100;
const timed = new RegExp(`^(?:(every )?(${DURATION})( stderr)?|(stderr)): ?(.*)$`);

/** A line of a log: `TEXT`, `5s: TEXT`, `every 5s: TEXT`; for the other stream `stderr: TEXT`, `5s stderr: TEXT`. */
export function parseLine(line: string): ScriptedLine {
  const [, every, time, late, early, text] = timed.exec(line) ?? [];
  const stream = late === undefined && early === undefined ? 'stdout' : 'stderr';
  if (text === undefined) return { atMs: 0, stream, text: line };
  const atMs = time === undefined ? 0 : parseDuration(time);
  if (every === undefined) return { atMs, stream, text };
  if (atMs < LEAST_EVERY_MS) throw new ScriptMistake(`"${line}" is too often: write every ${LEAST_EVERY_MS}ms or more`);
  return { atMs, everyMs: atMs, stream, text };
}
