import { probeHelp } from '#api/peapod/probe-help.ts';
import { millisOf, spanOf } from '#api/peapod/span.ts';
import type { Subject } from '#api/peapod/subject.ts';
import { brief, configTrouble, pullTrouble, startTrouble, type Trouble } from '#api/peapod/trouble-texts.ts';
import { whyCrashing } from '#api/peapod/why-crashing.ts';
import { type Finding, kubectlRef, type ProbeKind, type Weight } from '#api/peapod/why-facts.ts';

/** What keeps a container from being what its pod waits for: done (init), started (sidecar), ready. undefined: it is. */
export function whyContainer(subject: Subject): Finding | undefined {
  const { container, role, status } = subject;
  const { running, terminated } = status?.state ?? {};
  const found = running ? whyRunning(subject) : terminated ? whyEnded(subject) : whyWaiting(subject);
  const label =
    role === 'main' ? container.name : `${role === 'init' ? 'init container' : 'sidecar'} ${container.name}`;
  return found && { container: label, ...found };
}

function whyRunning(subject: Subject): Finding | undefined {
  const { container, role, status, recalled, now } = subject;
  const since = millisOf(status?.state?.running?.startedAt) ?? now;
  if (role === 'init') {
    const what = `has been running for ${spanOf(now - since)}, and the containers after it wait until it has ended well`;
    return {
      what,
      help: `if it should be through by now: kubectl logs ${kubectlRef(subject.pod)} -c ${container.name}`,
      weight: 'coming',
    };
  }
  const killer =
    recalled.stopped && (['startup', 'liveness'] as const).find((kind) => recalled.probes?.[kind]?.reached);
  if (killer) {
    const what = `is being stopped because its ${killer} probe failed: ${brief(recalled.probes![killer]!.output)}`;
    return { what, help: probeHelp(subject.pod, container, killer), weight: 'retrying' };
  }
  if (container.startupProbe && status?.started !== true) return whyProbed(subject, 'startup');
  if (container.readinessProbe && status?.ready !== true) return whyProbed(subject, 'readiness');
  if (status?.ready !== true)
    return {
      what: `has been running for ${spanOf(now - since)} and is not said to be ready yet`,
      help: '',
      weight: 'coming',
    };
  return undefined;
}

const believed = {
  startup: { failing: "'s startup probe has been failing", waiting: "'s startup probe has not answered yet" },
  readiness: { failing: "'s readiness probe has been failing", waiting: "'s readiness probe has not succeeded yet" },
} as const;

/** It runs, and waits for a probe. */
function whyProbed(subject: Subject, kind: 'startup' | 'readiness'): Finding {
  const { container, status, recalled, now } = subject;
  const probe = container[`${kind}Probe`]!;
  const started = millisOf(status?.state?.running?.startedAt) ?? now;
  const again = afterRestarts(subject);
  const failed = recalled.probes?.[kind];
  if (failed === undefined) {
    const delay = (probe.initialDelaySeconds ?? 0) * 1000;
    const left = started + delay - now;
    const when = left > 0 ? `; it is first asked in ${spanOf(left)} (initialDelaySeconds)` : '';
    const weight: Weight = left > 0 || now - started < SLOW_MS ? 'coming' : 'retrying';
    const help = weight === 'coming' ? '' : probeHelp(subject.pod, container, kind);
    return {
      what: `${believed[kind].waiting}, ${spanOf(now - started)} after it started${again}${when}`,
      help,
      weight,
    };
  }
  const what = `${believed[kind].failing} for ${spanOf(now - failed.since)}${again}: ${brief(failed.output) || 'without a word'}`;
  return { what, help: probeHelp(subject.pod, container, kind), weight: 'retrying' };
}

function afterRestarts({ status, recalled: { killedBy } }: Subject): string {
  const restarts = status?.restartCount ?? 0;
  if (restarts === 0) return '';
  const why = killedBy ? ` (its ${killedBy.probe} probe had failed)` : '';
  return `, after ${restarts === 1 ? 'a restart' : `${restarts} restarts`}${why}`;
}

/** What has not answered after this long is worth a look. */
const SLOW_MS = 30_000;

function whyEnded(subject: Subject): Finding | undefined {
  const { pod, role, status } = subject;
  const ended = status!.state!.terminated!;
  const { restartPolicy = 'Always' } = pod.spec;
  if (ended.exitCode === 0) {
    if (role === 'init') return undefined;
    const stays = role === 'main' && restartPolicy !== 'Always';
    if (!stays) return { what: 'has ended with exit 0 and is started again', help: '', weight: 'coming' };
    return { what: 'has done its work (exit 0); nothing is wrong with it', help: '', weight: 'fine' };
  }
  return whyCrashing(subject, ended);
}

function whyWaiting(subject: Subject): Finding | undefined {
  const { pod, container, status, recalled, now } = subject;
  const { reason = '', message = '' } = status?.state?.waiting ?? {};
  const image = container.image ?? '';
  switch (reason) {
    case '':
    case 'ContainerCreating':
    case 'PodInitializing':
      return whyComing(subject);
    case 'CrashLoopBackOff':
      return whyCrashing(subject, status!.lastState?.terminated);
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return later(pullTrouble(image, messageOfPull(message)), recalled.retryAt, now);
    case 'InvalidImageName':
      return stuck({
        what: `cannot be made: ${JSON.stringify(image)} is not the name of an image`,
        help: 'correct it (kubectl set image, or edit the manifest): [REGISTRY/]NAME[:TAG], in small letters',
      });
    case 'ErrImageNeverPull':
      return stuck({
        what: `cannot be made: image ${image} is not on the node, and imagePullPolicy Never says not to fetch it`,
        help: `bring it there (peapod image pull ${image}, or peapod image load FILE), or set imagePullPolicy to IfNotPresent`,
      });
    case 'CreateContainerConfigError': {
      const { what, help } = configTrouble(pod.metadata.namespace ?? 'default', message);
      return retried({ what: `cannot be made: ${what}`, help });
    }
    case 'CreateContainerError':
    case 'RunContainerError':
      return retried(startTrouble(image, message));
    case 'PostStartHookError':
      return retried({
        what: `was stopped because its postStart hook failed: ${brief(recalled.hookFailed?.message ?? message)}`,
        help: 'correct lifecycle.postStart, or what it calls',
      });
    default:
      return retried(
        /image/i.test(reason)
          ? pullTrouble(image, message)
          : {
              what: `waits: ${reason}${message && `: ${brief(message)}`}`,
              help: `kubectl describe pod ${kubectlRef(pod)}`,
            },
      );
  }
}

const stuck = (trouble: Trouble): Finding => ({ ...trouble, weight: 'stuck' });
const retried = (trouble: Trouble): Finding => ({ ...trouble, weight: 'retrying' });

const later = ({ what, help }: Trouble, at: number | undefined, now: number): Finding => ({
  what: `cannot be made: ${what}${nextTry(at, now)}`,
  help,
  weight: 'retrying',
});

const nextTry = (at: number | undefined, now: number): string =>
  at !== undefined && at > now ? `; next try in ${spanOf(at - now)}` : '';

/** What follows the back-off's own words. */
const messageOfPull = (message: string): string => message.replace(/^Back-off pulling image "[^"]*": \w+: /, '');

function whyComing(subject: Subject): Finding {
  const { pod, container, status, recalled, now } = subject;
  if (recalled.pullingSince !== undefined) {
    const what = `waits for its image ${container.image}, which has been on its way for ${spanOf(now - recalled.pullingSince)}`;
    return { what, help: '', weight: 'coming' };
  }
  if (recalled.hookFailed?.hook === 'postStart' && recalled.stopped) {
    const what = `is being stopped because its postStart hook failed: ${brief(recalled.hookFailed.message)}`;
    return { what, help: 'correct lifecycle.postStart, or what it calls', weight: 'retrying' };
  }
  // Why it is made again says more than that it is.
  const ended = status?.lastState?.terminated;
  if (ended && ended.reason !== 'ContainerStatusUnknown') return whyCrashing(subject, ended);
  const hook = container.lifecycle?.postStart ? ' (its postStart hook must end before it counts as running)' : '';
  const help = pod.spec.nodeName ? '' : 'it has no node yet';
  return { what: `is being made${ended ? ' again' : ''}${hook}`, help, weight: 'coming' };
}

/** For a container that is ready and of which a probe has begun to fail. */
export function failingProbe({ recalled }: Subject): { readonly kind: ProbeKind; readonly output: string } | undefined {
  const kind = (['liveness', 'readiness'] as const).find((each) => recalled.probes?.[each] !== undefined);
  return kind && { kind, output: recalled.probes![kind]!.output };
}
