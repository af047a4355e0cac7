/** As kubectl writes durations: two units where the second still matters. Below `until` seconds: `unit`, then its remainder. */
const steps: readonly { readonly until: number; readonly unit: Unit; readonly rest?: Unit }[] = [
  { until: 120, unit: 's' },
  { until: 600, unit: 'm', rest: 's' },
  { until: 10_800, unit: 'm' },
  { until: 28_800, unit: 'h', rest: 'm' },
  { until: 172_800, unit: 'h' },
  { until: 691_200, unit: 'd', rest: 'h' },
  { until: 63_072_000, unit: 'd' },
  { until: 252_288_000, unit: 'y', rest: 'd' },
  { until: Infinity, unit: 'y' },
];

const seconds = { s: 1, m: 60, h: 3600, d: 86_400, y: 31_536_000 } as const;
type Unit = keyof typeof seconds;

/** 53s, 2m10s, 12m, 5h7m, 30h, 3d4h, 40d, 2y41d; `<invalid>` for a time to come. */
export function humanDuration(ms: number): string {
  const whole = Math.floor(ms / 1000);
  // Two clocks may differ by a second.
  if (whole < -1) return '<invalid>';
  if (whole < 0) return '0s';
  const { unit, rest } = steps.find(({ until }) => whole < until)!;
  const count = Math.floor(whole / seconds[unit]);
  const left = rest === undefined ? 0 : Math.floor((whole % seconds[unit]) / seconds[rest]);
  return left === 0 ? `${count}${unit}` : `${count}${unit}${left}${rest}`;
}
