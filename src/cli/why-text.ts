import type { Impasse } from '#api/peapod/node-verdict.ts';
import type { PodTimelineStatus, TimelineEntry } from '#api/peapod/pod-timeline.ts';
import { impasseLines } from '#cli/impasse-lines.ts';
import { humanDuration } from '#cli/human-duration.ts';
import type { Terminal } from '#cli/terminal.ts';
import { type TimelineLine, timelineLines } from '#cli/timeline-lines.ts';

/** What `peapod why POD -o json` prints. It only ever grows. */
export interface WhyAnswer extends PodTimelineStatus {
  readonly pod: PodName;
  /** As `podtimelines` has them; [] when nothing is remembered of the pod. */
  readonly entries: readonly TimelineEntry[];
  /** Of a pod that fits nowhere, as the cluster is now. */
  readonly impasse?: Impasse;
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The API has no such pod any more: the timeline has outlived it. */
  readonly gone: boolean;
}

type Style = Terminal['style'];

/** The sentence, what would help, what stands in the way, and the timeline. */
export function whyText(
  { sentence, help, ready, pod, entries, impasse }: WhyAnswer,
  now: number,
  style: Style,
): readonly string[] {
  const color = ready ? 'green' : pod.gone ? 'dim' : 'bold';
  const obstacles = impasse === undefined ? [] : impasseLines(impasse).map((line) => `  ${line}`);
  const head = [style(color, sentence), ...(help === '' ? [] : [`  → ${help}`]), ...obstacles];
  // Nothing is waited for any more in what is gone.
  const lines = timelineLines(entries, pod.gone ? Infinity : now);
  return lines.length === 0 ? head : [...head, '', ...timelineText(lines, now, style)];
}

/** Aligned: when it was, how long ago, how often, of which container, and what. */
export function timelineText(lines: readonly TimelineLine[], now: number, style: Style): readonly string[] {
  const rows = lines.map((line) => ({ line, when: clockTime(line.at, now), ago: humanDuration(now - line.at) }));
  const width = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
  const [when, ago] = [width(rows.map((row) => row.when)), width(rows.map((row) => row.ago))];
  return rows.flatMap((row) => {
    const { container, words, times, at, firstAt } = row.line;
    const often = times > 1 ? ` (×${times} over ${humanDuration(at - firstAt)})` : '';
    const subject = container === undefined ? '' : `${container}: `;
    const margin = style('dim', `${row.when.padStart(when)}  ${row.ago.padStart(ago)}  `);
    const details = (words.details ?? []).filter((text) => text.trim() !== '');
    return [
      `${margin}${subject}${inTone(words.tone, words.text, style)}${often}`,
      ...details.map((text) => style('dim', `${' '.repeat(when + ago + 4)}  | ${text}`)),
    ];
  });
}

function inTone(tone: TimelineLine['words']['tone'], text: string, style: Style): string {
  switch (tone) {
    case 'plain':
      return text;
    case 'good':
      return style('green', text);
    case 'warn':
      return style('yellow', text);
    case 'bad':
      return style('red', text);
  }
}

/** Local time; with its day where that is not today's. */
function clockTime(at: number, now: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const sameDay = date.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** A line for each pod that is not ready, after a heading; or that all are. */
export function unreadyText(
  answers: readonly Omit<WhyAnswer, 'entries'>[],
  total: number,
  style: Style,
): readonly string[] {
  const all = total === 1 ? 'the only pod is' : `all ${total} pods are`;
  if (answers.length === 0) return [total === 0 ? 'there are no pods' : `${all} ready, or done`];
  const width = Math.max(...answers.map(({ pod }) => `${pod.namespace}/${pod.name}`.length));
  return answers.map(
    ({ pod, sentence }) => `${style('bold', `${pod.namespace}/${pod.name}`.padEnd(width))}   ${sentence}`,
  );
}
