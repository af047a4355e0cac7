import type { Container, ContainerStateTerminated } from '#api/generated/core-v1.ts';

/**
 * How a container ended: `exit 1`, `killed by SIGSEGV (exit 139)`, `out of memory (its limit is 64Mi)`. Nothing is said of
 * the limit of a container that is not given.
 */
export function exitWords(ended: ContainerStateTerminated, container?: Container): string {
  if (isOutOfMemory(ended)) return `out of memory${container ? ` (${limitOf(container)})` : ''}`;
  if (ended.reason === 'ContainerStatusUnknown') return 'nobody saw how';
  const signal = signalOf(ended);
  return signal === undefined ? `exit ${ended.exitCode}` : `killed by ${signal} (exit ${ended.exitCode})`;
}

function limitOf({ resources }: Container): string {
  const limit = resources?.limits?.['memory'];
  return limit === undefined ? 'it has no limit of its own' : `its limit is ${limit}`;
}

export const isOutOfMemory = ({ reason }: ContainerStateTerminated): boolean => reason === 'OOMKilled';

/** The runtime could not begin it: no program of its own has run. */
export const neverBegan = ({ reason }: ContainerStateTerminated): boolean =>
  reason === 'StartError' || reason === 'ContainerCannotRun';

/** By its name; undefined when it ended by itself. Shells and runtimes say 128 + n for signal n. */
export function signalOf({ signal, exitCode, reason }: ContainerStateTerminated): string | undefined {
  if (signal) return signals[signal] ?? `signal ${signal}`;
  return reason === 'StartError' ? undefined : signals[exitCode - 128];
}

/** Of Linux on x86 and ARM. Those that people's programs die of. */
const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};
