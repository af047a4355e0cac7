import type { TimelineEntry } from '#api/peapod/pod-timeline.ts';
import { entryWords, type EntryWords } from '#cli/entry-words.ts';

/** A line of a timeline: something that happened, once or several times. */
export interface TimelineLine {
  /** Epoch milliseconds; of the last time. */
  readonly at: number;
  /** Of its entry in the timeline, the last one: what happened in one moment keeps its order. */
  readonly position: number;
  /** Of the first time. */
  readonly firstAt: number;
  readonly times: number;
  /** undefined: the pod as a whole. */
  readonly container: string | undefined;
  readonly words: EntryWords;
}

/**
 * A timeline as people read it: what happens over and over (made, started, crashed, waits) is told once, with how often.
 * Each container's story is looked at by itself: two that crash at different paces do not hide each other's rhythm.
 */
export function timelineLines(entries: readonly TimelineEntry[], now: number): readonly TimelineLine[] {
  const stories = Map.groupBy(
    entries.flatMap((entry, index) => (isImplied(entry, entries, index) ? [] : [lineOf(entry, index, now)])),
    ({ container }) => container,
  );
  return [...stories.values()].flatMap(merged).toSorted((a, b) => a.at - b.at || a.position - b.position);
}

function lineOf(entry: TimelineEntry, position: number, now: number): TimelineLine {
  const at = Date.parse(entry.time);
  const container = 'container' in entry ? entry.container : undefined;
  return { at, position, firstAt: at, times: 1, container, words: entryWords(entry, now) };
}

/** What the next entry says, too: a container that is started has been made, a scheduler that has chosen has bound. */
function isImplied(entry: TimelineEntry, entries: readonly TimelineEntry[], index: number): boolean {
  switch (entry.type) {
    case 'ContainerCreated':
      return entries.some(
        (other, at) =>
          at > index &&
          other.type === 'ContainerStarted' &&
          other.container === entry.container &&
          other.attempt === entry.attempt,
      );
    case 'PullStarted': {
      const next = entries
        .slice(index + 1)
        .find((other) => 'container' in other && other.container === entry.container);
      return next?.type === 'Pulled' || next?.type === 'PullFailed';
    }
    case 'Bound':
      return entries.some((other) => other.type === 'SchedulingAttempt' && other.result === 'Placed');
    case 'Admitted':
      return entries.some(({ type }) => type === 'SandboxCreated');
    default:
      return false;
  }
}

/** The longest round that is looked for: pulled, made, started, probed, stopped, crashed, waits. */
const LONGEST_ROUND = 8;

/** What happened once or twice is worth two lines: what came between is understood from them. */
const LEAST_ROUNDS = 3;

/** Rounds that follow each other and are alike become one, with the words of the last. */
function merged(story: readonly TimelineLine[]): readonly TimelineLine[] {
  const lines: TimelineLine[] = [];
  for (let from = 0; from < story.length;) {
    const { length, rounds } = roundsFrom(story, from);
    const [first, last] = [from, from + (rounds - 1) * length];
    for (let n = 0; n < length; n++) lines.push(joined(story[first + n]!, story[last + n]!, rounds));
    from += rounds * length;
  }
  return lines;
}

/** Which repetition from here on covers the most; a single line that is not repeated when none does. */
function roundsFrom(
  story: readonly TimelineLine[],
  from: number,
): { readonly length: number; readonly rounds: number } {
  let best = { length: 1, rounds: 1 };
  for (let length = 1; length <= LONGEST_ROUND; length++) {
    let same = from + length;
    while (same < story.length && isAlike(story[same]!, story[same - length]!)) same++;
    const rounds = Math.floor((same - from) / length);
    if (rounds >= LEAST_ROUNDS && rounds * length > best.rounds * best.length) best = { length, rounds };
  }
  return best;
}

const isAlike = (a: TimelineLine, b: TimelineLine): boolean =>
  (a.words.same ?? a.words.text) === (b.words.same ?? b.words.text);

const joined = (first: TimelineLine, last: TimelineLine, times: number): TimelineLine => ({
  ...last,
  firstAt: first.firstAt,
  times,
});
