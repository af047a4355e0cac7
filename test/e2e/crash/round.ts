import { type Part, passer, visitors } from '#test/e2e/crash/cast.ts';

/** Over this long a round's pods come and go, and within it the blows fall. */
const ROUND_MS = 1500;

export type Target = 'peapod' | 'containerd' | 'both';

export interface Round {
  readonly round: number;
  /** When each pod is made and deleted, in ms since the round began. */
  readonly made: readonly { readonly part: Part; readonly at: number }[];
  readonly deleted: readonly { readonly name: string; readonly at: number }[];
  readonly blows: readonly { readonly target: Target; readonly at: number }[];
}

/** What is to happen depends on the seed alone; what it meets does not. */
export function planRound(round: number, random: () => number): Round {
  const at = (from = 0): number => Math.round(from + random() * (ROUND_MS - from));
  const brief = passer(round);
  const briefAt = at();
  const targets = ['peapod', 'containerd', 'both'] as const;
  const blow = (): Round['blows'][number] => ({ target: targets[Math.floor(random() * 3)]!, at: at() });
  const blows = random() < 0.3 ? [blow(), blow()] : [blow()];
  return {
    round,
    made: [...visitors(round).map((part) => ({ part, at: at() })), { part: brief, at: briefAt }],
    deleted: [
      ...(round === 0 ? [] : visitors(round - 1)).map(({ name }) => ({ name, at: at() })),
      { name: brief.name, at: at(briefAt) },
    ],
    blows: blows.toSorted((a, b) => a.at - b.at),
  };
}

export const describeRound = ({ blows, made, deleted }: Round): string =>
  [
    ...blows.map(({ target, at }) => `${at} ms kill ${target}`),
    ...made.map(({ part, at }) => `${at} ms make ${part.name}`),
    ...deleted.map(({ name, at }) => `${at} ms delete ${name}`),
  ].join(', ');
