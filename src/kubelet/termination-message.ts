import { posix } from 'node:path';
import type { ObservedContainer } from '#cri/runtime.ts';
import { endOf } from '#kubelet/end-of-file.ts';
import { annotations } from '#kubelet/observed.ts';
import { LineCutter, parseLogLine } from '#kubelet/server/log-lines.ts';

/** Upstream's limits, bytes. */
const LONGEST = 4096;
const LONGEST_FROM_LOG = 2048;
const MOST_LINES = 80;
/** Holds more than 80 lines of a length of which 2048 bytes make at least one. */
const LOG_BLOCK = 65_536;

/**
 * What an ended container left as its last words: the file at its terminationMessagePath, or, with FallbackToLogsOnError
 * and when it failed without writing one, the end of its log. '' when there is nothing, or nothing any more. Read in one
 * go, as it is little: between two looks at a container there is then no state in which its message is still to come.
 */
export function terminationMessage(container: ObservedContainer): string {
  const { state, mounts, logPath } = container;
  if (state.kind !== 'exited') return '';
  const path = container.annotations[annotations.terminationMessagePath];
  const mount = path === undefined ? undefined : mounts.find((one) => one.containerPath === posix.resolve('/', path));
  const written = mount?.hostPath === undefined ? '' : endOf(mount.hostPath, LONGEST).toString();
  if (written !== '') return written;
  const fallback = container.annotations[annotations.terminationMessagePolicy] === 'FallbackToLogsOnError';
  return fallback && state.exitCode !== 0 && logPath !== '' ? endOfLog(logPath) : '';
}

function endOfLog(path: string): string {
  const lines = new LineCutter().push(endOf(path, LOG_BLOCK)).slice(-MOST_LINES);
  const text = Buffer.concat(lines.flatMap((line) => parseLogLine(line)?.text ?? []));
  return text.subarray(Math.max(0, text.length - LONGEST_FROM_LOG)).toString();
}
