/** What a benchmark gives. `value` is the median of its rounds. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** The same measured without us, or as far down as it goes: bare CRI calls, a bare server, one fsync. */
  readonly floor?: number;
  /** How `value` stands to `floor`; which way is better the target says. */
  readonly ratio?: number;
  readonly target?: Target;
}

/** What was promised of the value itself, or of its ratio to the floor. */
export type Target =
  | { readonly of: 'value' | 'ratio'; readonly atMost: number }
  | { readonly of: 'value' | 'ratio'; readonly atLeast: number };

/** undefined without a target. */
export function isMet({ value, ratio, target }: Result): boolean | undefined {
  if (target === undefined) return undefined;
  const measured = target.of === 'value' ? value : (ratio ?? NaN);
  return 'atMost' in target ? measured <= target.atMost : measured >= target.atLeast;
}

/** Compares with a floor; both in the same unit. */
export const against = (value: number, floor: number): Required<Pick<Result, 'value' | 'floor' | 'ratio'>> => ({
  value,
  floor,
  ratio: value / floor,
});

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

export function quantile(samples: readonly number[], part: number): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length * part)] ?? NaN;
}

/** `baseline` are results of another run on this or another machine: only ratios and what they changed by say much. */
export function tableOf(results: readonly Result[], baseline: readonly Result[] = []): string {
  const rows = [
    ['', 'median', '', 'floor', 'ratio', 'target', 'baseline'],
    ...results.map((result) => [
      result.name,
      short(result.value),
      result.unit,
      result.floor === undefined ? '' : short(result.floor),
      result.ratio === undefined ? '' : result.ratio.toFixed(2),
      targetText(result),
      changeText(
        result,
        baseline.find(({ name }) => name === result.name),
      ),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (leftAligned.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

const leftAligned: ReadonlySet<number> = new Set([0, 2, 5]);

const short = (value: number): string =>
  Math.abs(value) >= 1000 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();

function targetText(result: Result): string {
  const { target } = result;
  if (target === undefined) return '';
  const bound = 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
  return `${bound}${target.of === 'ratio' ? ' ×' : ''} ${isMet(result) === true ? 'met' : 'MISSED'}`;
}

/** The ratio is compared where there is one: it is less at the mercy of the machine. */
function changeText({ value, ratio }: Result, before: Result | undefined): string {
  if (before === undefined) return '';
  const [now, then] = ratio !== undefined && before.ratio !== undefined ? [ratio, before.ratio] : [value, before.value];
  const percent = Math.round((now / then - 1) * 100);
  return `${percent > 0 ? '+' : ''}${percent} %`;
}
