import { constants } from 'node:os';

/** What Linux calls 34 and 64 to programs that use glibc, and to container runtimes. */
const RTMIN = 34;
const RTMAX = 64;

/** The number of `SIGUSR1`, `SIGRTMIN+3`, …; undefined for what is no signal's name. */
export function signalNumber(name: string): number | undefined {
  if (name === 'SIGCLD') return constants.signals.SIGCHLD;
  const known = Object.entries(constants.signals).find(([each]) => each === name);
  if (known) return known[1];
  const [, from, sign, by = '0'] = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (from === undefined) return undefined;
  const number = (from === 'MIN' ? RTMIN : RTMAX) + (sign === '-' ? -1 : 1) * Number(by);
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}
