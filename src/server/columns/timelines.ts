import type { PodTimeline } from '#api/peapod/pod-timeline.ts';
import type { Column } from '#server/columns/column.ts';
import { ageColumn, ageSince, column, nameColumn, wide } from '#server/columns/common.ts';

const of =
  (show: (timeline: PodTimeline, now: number) => string | number): Column['value'] =>
  (object, now) =>
    // A table is only made of objects of its descriptor's kind.
    show(object as PodTimeline, now);

export const timelineColumns: readonly Column[] = [
  nameColumn,
  column(
    'Pod',
    'Whether the pod is present or gone.',
    of(({ pod }) => pod),
  ),
  column(
    'Entries',
    'How many entries its timeline has.',
    of(({ entries }) => entries.length),
    { type: 'integer' },
  ),
  column(
    'Last',
    'What was told last.',
    of(({ entries }) => entries.at(-1)?.type ?? ''),
  ),
  column(
    'Since',
    'How long ago that was.',
    of(({ entries }, now) => ageSince(entries.at(-1)?.time, now)),
  ),
  ageColumn,
  column(
    'UID',
    'The UID of the pod.',
    of(({ metadata }) => metadata.uid),
    wide,
  ),
  column(
    'Why',
    'What keeps the pod from being ready, or since when it is.',
    of(({ status }) => status.sentence),
    wide,
  ),
];
