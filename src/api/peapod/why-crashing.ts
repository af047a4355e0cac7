import type { ContainerStateTerminated } from '#api/generated/core-v1.ts';
import { exitWords, isOutOfMemory, neverBegan, signalOf } from '#api/peapod/exit-words.ts';
import { probeHelp } from '#api/peapod/probe-help.ts';
import { goDurationMs, millisOf, spanOf } from '#api/peapod/span.ts';
import { brief, startTrouble } from '#api/peapod/trouble-texts.ts';
import { type Finding, kubectlRef } from '#api/peapod/why-facts.ts';
import type { Subject } from '#api/peapod/subject.ts';

/** A container that has ended badly, or ended where it should run on; it is tried again, or it is not. */
export function whyCrashing(subject: Subject, ended: ContainerStateTerminated | undefined): Finding {
  if (ended === undefined) {
    return { what: `is not started again yet${nextTry(subject)}`, help: logsHelp(subject), weight: 'retrying' };
  }
  const next = nextTry(subject);
  const weight = isFinal(subject) ? 'stuck' : 'retrying';
  if (neverBegan(ended)) {
    const { what, help } = startTrouble(subject.container.image ?? '', ended.message ?? '');
    return { what: `${what}${next}`, help, weight };
  }
  const { killedBy, hookFailed } = subject.recalled;
  if (hookFailed?.hook === 'postStart') {
    const what = `was stopped ${times(subject)} because its postStart hook failed: ${brief(hookFailed.message)}${next}`;
    return { what, help: 'correct lifecycle.postStart, or what it calls', weight };
  }
  if (killedBy) {
    const what = `was killed ${times(subject)} because its ${killedBy.probe} probe failed: ${brief(killedBy.output)}${next}`;
    return { what, help: probeHelp(subject.pod, subject.container, killedBy.probe), weight };
  }
  const words = exitWords(ended, subject.container);
  const last = lastWords(subject, ended);
  const said = last === undefined ? ', without a word' : `, last said: ${last}`;
  if (ended.exitCode === 0) {
    const what = `has ended ${times(subject)} by itself (exit 0), and is to run for ever (restartPolicy Always)${next}`;
    const help = 'give it a command that keeps running, or restartPolicy OnFailure or Never if its work has an end';
    return { what, help, weight };
  }
  return { what: `has crashed ${times(subject)}, ${words}${said}${next}`, help: helpFor(subject, ended), weight };
}

/** It will not be tried again. */
const isFinal = ({ role, pod }: Subject): boolean => role !== 'sidecar' && pod.spec.restartPolicy === 'Never';

function times({ status }: Subject): string {
  // The restart that is to come follows one end more than there were restarts.
  const count = (status?.restartCount ?? 0) + (status?.state?.running ? 0 : 1);
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

function nextTry(subject: Subject): string {
  if (isFinal(subject)) return '; it is not started again (restartPolicy Never)';
  const due = dueAt(subject);
  const { state } = subject.status ?? {};
  if (due !== undefined && due > subject.now) return `; next try in ${spanOf(due - subject.now)}`;
  const reason = state?.waiting?.reason ?? '';
  const soon = state?.terminated !== undefined || reason === 'ContainerCreating' || reason === 'PodInitializing';
  return soon ? '; it is being started again' : '';
}

/** The timeline knows to the millisecond; the status says how long the wait is, and when it began. */
function dueAt({ recalled, status }: Subject): number | undefined {
  if (recalled.retryAt !== undefined) return recalled.retryAt;
  const delay = goDurationMs(/^back-off (\S+) /.exec(status?.state?.waiting?.message ?? '')?.[1] ?? '');
  const ended = millisOf(status?.lastState?.terminated?.finishedAt);
  return delay === undefined || ended === undefined ? undefined : ended + delay;
}

/** A line that tells what went wrong is worth more than the one that happens to be last. */
const telling =
  /error|fatal|denied|panic|exception|cannot|can't|could not|couldn't|unable|fail|refused|invalid|missing|not found|no such|unknown|undefined|usage:/i;

/** The termination message if it has left one, else of its log. */
export function lastWords({ recalled }: Subject, ended: ContainerStateTerminated): string | undefined {
  // Of what nobody saw end the message is the kubelet's.
  const own = ended.reason === 'ContainerStatusUnknown' ? '' : (ended.message ?? '').trim();
  const lines = (own === '' ? (recalled.lastLines ?? []) : own.split('\n')).map((line) => line.trim()).filter(Boolean);
  const line = lines.findLast((each) => telling.test(each)) ?? lines.at(-1);
  return line === undefined ? undefined : brief(line);
}

function helpFor(subject: Subject, ended: ContainerStateTerminated): string {
  const { container, recalled } = subject;
  const image = container.image ?? '';
  const said = [...(recalled.lastLines ?? []), ended.message ?? ''].join('\n');
  const logs = logsHelp(subject);
  if (isOutOfMemory(ended)) {
    return container.resources?.limits?.['memory'] === undefined
      ? 'give the pod a memory request that fits it, or let it use less: the node itself was out of memory'
      : 'raise resources.limits.memory, or let it use less';
  }
  if (/exec format error/.test(said)) return `image ${image} is built for another processor: use one for this node`;
  switch (signalOf(ended)) {
    case 'SIGSEGV':
    case 'SIGABRT':
    case 'SIGBUS':
    case 'SIGFPE':
    case 'SIGTRAP':
      return `the program itself has a fault; all it said: ${logs}`;
    case 'SIGILL':
      return `its program uses instructions this processor does not have, or has a fault; all it said: ${logs}`;
    case 'SIGSYS':
      return `it made a system call that its seccomp profile forbids: see securityContext.seccompProfile; all it said: ${logs}`;
    case 'SIGKILL':
      return `somebody killed it from outside: a command in it, or the node, out of memory (dmesg tells); all it said: ${logs}`;
    default:
  }
  if (ended.exitCode === 127)
    return `a command was not found: correct it, or use an image that has it; all it said: ${logs}`;
  if (ended.exitCode === 126)
    return `a command could not be executed: see its rights and first line; all it said: ${logs}`;
  return `mend what it complains of; all it said: ${logs}`;
}

/** Of a container that runs again, what the one before it said. */
function logsHelp({ pod, container, status }: Subject): string {
  return `kubectl logs ${kubectlRef(pod)} -c ${container.name}${status?.state?.running ? ' --previous' : ''}`;
}
