import { cutTail } from '#api/peapod/timeline-parsing.ts';
import { MOST_TAIL_LINES } from '#api/peapod/pod-timeline.ts';
import { endOf } from '#kubelet/end-of-file.ts';
import { LineCutter, type LogLine, parseLogLine } from '#kubelet/server/log-lines.ts';

/** Holds ten lines of what fits into a tail, and the pieces of one that is longer. */
const BLOCK_BYTES = 32_768;

/** The last lines of a container's log, without colours and other escapes; none when there is no log (any more). */
export function logTail({ logPath }: { readonly logPath: string }): readonly string[] {
  if (logPath === '') return [];
  const pieces = new LineCutter().push(endOf(logPath, BLOCK_BYTES)).flatMap((line) => parseLogLine(line) ?? []);
  const lines = Buffer.concat(errorsLast(pieces).map(({ text }) => text))
    .toString()
    .replace(/\n$/, '')
    .split('\n');
  return cutTail(
    lines
      .slice(-MOST_TAIL_LINES)
      .map(plain)
      .filter((line) => line !== ''),
  );
}

/** So close to the end nobody knows in which order lines of the two streams were written: each has a pipe of its own. */
const MOMENT_MS = 5;

/** Of what was written in the last moment the errors come last: in a container that fails they are what matters. */
function errorsLast(lines: readonly LogLine[]): readonly LogLine[] {
  const end = Date.parse(lines.at(-1)?.time ?? '') - MOMENT_MS;
  const from = lines.findLastIndex(({ time }) => !(Date.parse(time) >= end)) + 1;
  const moment = lines.slice(from);
  const of = (wanted: LogLine['stream']): readonly LogLine[] => moment.filter(({ stream }) => stream === wanted);
  return [...lines.slice(0, from), ...of('stdout'), ...of('stderr')];
}

/** Escape sequences and what else a terminal would obey. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007|[\u0000-\u0008\u000b-\u001f\u007f]/g;
const plain = (line: string): string => line.replace(CONTROL, '').trimEnd();
