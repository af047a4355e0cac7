interface Name {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** As many suggestions as help. */
const MOST = 5;
/** So many wrong, missing or swapped letters are a slip of the fingers. */
const SLIPS = 2;

/** Pods that somebody may have meant: of the same name elsewhere, of names that begin with it, of names that are nearly it. */
export function similarTo<T extends Name>({ namespace, name }: Name, known: readonly T[]): readonly T[] {
  const ranked = known.flatMap((each) => {
    const rank = rankOf(name, each.name);
    return rank === undefined ? [] : [{ each, rank: rank + (each.namespace === namespace ? 0 : 1) }];
  });
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, MOST)
    .map(({ each }) => each);
}

function rankOf(asked: string, known: string): number | undefined {
  if (known === asked) return 0;
  if (known.startsWith(asked) || asked.startsWith(`${known}-`)) return 1;
  const slips = distance(asked, known);
  return slips <= SLIPS && slips < asked.length ? 1 + slips : known.includes(asked) ? 4 : undefined;
}

/** Levenshtein's: letters to insert, take away or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced));
    }
    row = next;
  }
  return row[b.length]!;
}
