import type { EntryBody, TimelineEntry } from '#api/peapod/pod-timeline.ts';
import type { Recalled, RecalledContainer } from '#api/peapod/why-facts.ts';

/**
 * What a timeline adds to a pod's status: what is still true of it, not what once was. Entries are by time, as the API
 * gives them.
 */
export function recall(entries: readonly TimelineEntry[]): Recalled {
  const memory: Memory = { containers: new Map(), trouble: undefined, deletion: undefined };
  for (const entry of entries) {
    remember(memory, entry, Date.parse(entry.time));
    if ('container' in entry) {
      const known = memory.containers.get(entry.container) ?? {};
      memory.containers.set(entry.container, withEntry(known, entry, Date.parse(entry.time)));
    }
  }
  return memory;
}

interface Memory {
  readonly containers: Map<string, RecalledContainer>;
  trouble: Recalled['trouble'];
  deletion: Recalled['deletion'];
}

function remember(memory: Memory, entry: EntryBody, at: number): void {
  switch (entry.type) {
    case 'DeletionAsked':
      memory.deletion ??= { at, by: entry.by.user, evicted: entry.evicted === true, because: entry.because };
      return;
    case 'MountFailed':
    case 'SandboxFailed': {
      const since = memory.trouble?.kind === entry.type ? memory.trouble.since : at;
      memory.trouble = { kind: entry.type, message: entry.message, since };
      return;
    }
    case 'SandboxCreated':
      memory.trouble = undefined;
      return;
    default:
  }
}

type ContainerEntry = Extract<EntryBody, { readonly container: string }>;

/** Each entry tells of one thing and ends what it makes untrue. */
function withEntry(known: RecalledContainer, entry: ContainerEntry, at: number): RecalledContainer {
  switch (entry.type) {
    case 'PullStarted':
      return without({ ...known, pullingSince: at }, 'retryAt');
    case 'Pulled':
    case 'ImagePresent':
    case 'PullFailed':
      return without(known, 'pullingSince');
    case 'BackOff':
      return { ...known, retryAt: Date.parse(entry.until) };
    case 'ContainerCreated':
    case 'ContainerCreateFailed':
      return without(known, 'retryAt', 'pullingSince');
    case 'ContainerStarted':
      return without(known, 'retryAt', 'pullingSince', 'probes', 'stopped', 'hookFailed');
    case 'ContainerStartFailed':
      return known;
    case 'HookFailed':
      return { ...known, hookFailed: { hook: entry.hook, message: entry.message } };
    case 'Probe':
      return withProbe(known, entry, at);
    case 'Killing':
      return { ...known, stopped: true };
    case 'ContainerExited': {
      const { probes, stopped } = known;
      const kind = stopped ? (['startup', 'liveness'] as const).find((each) => probes?.[each]?.reached) : undefined;
      const killedBy = kind && { probe: kind, output: probes![kind]!.output };
      return {
        ...without(known, 'probes', 'killedBy', 'stopped'),
        lastLines: entry.logTail,
        ...(killedBy && { killedBy }),
      };
    }
  }
}

function withProbe(
  known: RecalledContainer,
  entry: Extract<EntryBody, { readonly type: 'Probe' }>,
  at: number,
): RecalledContainer {
  const { [entry.probe]: before, ...others } = known.probes ?? {};
  switch (entry.transition) {
    case 'FirstFailure':
    case 'ThresholdReached':
    case 'Unknown': {
      const reached = entry.transition === 'ThresholdReached' || before?.reached === true;
      const now = { output: entry.output, since: before?.since ?? at, reached };
      return { ...known, probes: { ...others, [entry.probe]: now } };
    }
    case 'Recovered':
    case 'Ready':
    case 'Started':
      return { ...known, probes: others };
  }
}

const without = (known: RecalledContainer, ...names: readonly (keyof RecalledContainer)[]): RecalledContainer =>
  Object.fromEntries(Object.entries(known).filter(([name]) => !names.some((each) => each === name)));
