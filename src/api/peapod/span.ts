const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration as a sentence says it: `a moment`, `38 s`, `2 min 10 s`, `3 h 5 min`, `4 d`. What has not begun is a moment, too. */
export function spanOf(ms: number): string {
  if (ms < SECOND) return 'a moment';
  const large = scales.find(({ from }) => ms >= from)!;
  const count = Math.floor(ms / large.from);
  const rest = large.rest && Math.floor((ms % large.from) / large.rest.ms);
  // The smaller unit says nothing any more where there are many of the larger.
  return rest && count < 10 ? `${count} ${large.unit} ${rest} ${large.rest.unit}` : `${count} ${large.unit}`;
}

const scales = [
  { from: DAY, unit: 'd', rest: { ms: HOUR, unit: 'h' } },
  { from: HOUR, unit: 'h', rest: { ms: MINUTE, unit: 'min' } },
  { from: MINUTE, unit: 'min', rest: { ms: SECOND, unit: 's' } },
  { from: SECOND, unit: 's', rest: undefined },
] as const;

/** Milliseconds of what Go writes for whole seconds, `5m0s`, `1h2m3s`; undefined for anything else. */
export function goDurationMs(text: string): number | undefined {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(\d+)s$/.exec(text);
  if (parts === null) return undefined;
  const [, hours = 0, minutes = 0, seconds = 0] = parts;
  return Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND;
}

/** Of an API time; undefined where there is none or it is none. */
export function millisOf(time: string | undefined): number | undefined {
  const ms = time === undefined ? NaN : Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}
