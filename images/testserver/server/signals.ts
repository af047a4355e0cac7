import { constants } from 'node:os';
import type { Life } from '#images/testserver/server/arguments.ts';
import type { Journal } from '#images/testserver/server/journal.ts';

const ending: readonly string[] = ['SIGTERM', 'SIGINT', 'SIGQUIT'];
/** The kernel, or V8, does not let anybody have these. */
const untouchable: readonly string[] = [
  'SIGKILL',
  'SIGSTOP',
  'SIGPROF',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGILL',
  'SIGABRT',
  'SIGIOT',
  'SIGTRAP',
  'SIGCHLD',
  'SIGPIPE',
];

/** From now on every signal is noted, and those that ask to end are followed as `life` says. */
export function obeySignals(life: Life, journal: Journal): void {
  // Several names stand for one number (SIGIO, SIGPOLL); the first is enough.
  const numbers = new Set<number>();
  for (const [name, number] of Object.entries(constants.signals)) {
    if (untouchable.includes(name) || numbers.has(number)) continue;
    numbers.add(number);
    process.on(name, () => {
      journal.receive(name);
      if (ending.includes(name) && !life.ignored.includes(name))
        setTimeout(() => process.exit(life.exitCode), life.endAfterMs);
    });
  }
}
