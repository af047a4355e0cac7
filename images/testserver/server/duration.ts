const unitMs = { ms: 1, s: 1000, m: 60_000 } as const;

/** `250ms`, `1.5s`, `1m`; throws on anything else. */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const unit = match?.[2];
  if (!match || (unit !== 'ms' && unit !== 's' && unit !== 'm'))
    throw new Error(`"${text}" is not a duration like 250ms, 2s or 1m`);
  return Number(match[1]) * unitMs[unit];
}
