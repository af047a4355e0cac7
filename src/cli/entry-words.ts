import { exitWords } from '#api/peapod/exit-words.ts';
import type { Actor, ContainerExit, EntryBody, ProbeTransition, SchedulingAttempt } from '#api/peapod/pod-timeline.ts';
import { spanOf } from '#api/peapod/span.ts';
import { brief } from '#api/peapod/trouble-texts.ts';
import { scoreLines } from '#cli/score-lines.ts';

/** One entry of a timeline in plain words. */
export interface EntryWords {
  readonly text: string;
  /** bad: something failed; warn: it waits, or may fail; good: it is up. */
  readonly tone: 'plain' | 'good' | 'warn' | 'bad';
  /** What belongs below it: the end of a log, what a choice was made by. */
  readonly details?: readonly string[];
  /** Two entries with the same are the same thing once more; absent: what `text` says. */
  readonly same?: string;
}

export function entryWords(entry: EntryBody, now: number): EntryWords {
  return 'container' in entry ? ofContainer(entry, now) : ofPod(entry);
}

type ContainerEntry = Extract<EntryBody, { readonly container: string }>;
type PodEntry = Exclude<EntryBody, ContainerEntry>;

const plain = (text: string): EntryWords => ({ text, tone: 'plain' });
const bad = (text: string): EntryWords => ({ text, tone: 'bad' });

function ofPod(entry: PodEntry): EntryWords {
  switch (entry.type) {
    case 'Created':
      return plain(`created by ${who(entry.by)}`);
    case 'Changed': {
      const more = entry.moreFields === undefined ? '' : ` and ${entry.moreFields} more`;
      return plain(`changed by ${who(entry.by)}: ${entry.fields.join(', ')}${more}`);
    }
    case 'Bound':
      return plain(`bound to node ${entry.node} by ${who(entry.by)}`);
    case 'DeletionAsked': {
      const grace = entry.graceSeconds === 0 ? 'at once' : `with ${entry.graceSeconds} s to end in`;
      const what = entry.evicted ? 'evicted by' : 'deletion asked for by';
      const why = entry.because === undefined ? '' : `: ${entry.because}`;
      return { text: `${what} ${who(entry.by)}, ${grace}${why}`, tone: 'warn' };
    }
    case 'Gone':
      return plain('gone from the API');
    case 'SchedulingAttempt':
      return scheduling(entry);
    case 'BindingFailed':
      return bad(`did not get to node ${entry.node}: ${brief(entry.message)}`);
    case 'Dropped':
      return plain(`(${entry.count} entries are not kept any more)`);
    default:
      return ofNode(entry);
  }
}

type NodeEntry = Exclude<
  PodEntry,
  {
    readonly type:
      | 'Created'
      | 'Changed'
      | 'Bound'
      | 'DeletionAsked'
      | 'Gone'
      | 'SchedulingAttempt'
      | 'BindingFailed'
      | 'Dropped';
  }
>;

/** What its kubelet says of the pod as a whole. */
function ofNode(entry: NodeEntry): EntryWords {
  switch (entry.type) {
    case 'Admitted':
      return plain('taken on by the node');
    case 'Rejected':
      return bad(`refused by the node (${entry.reason}): ${brief(entry.message)}`);
    case 'MountFailed':
      return bad(`no volumes: ${brief(entry.message)}`);
    case 'SandboxCreated':
      return { ...plain(`sandbox made in ${took(entry.durationMs)}`), same: 'sandbox' };
    case 'SandboxFailed':
      return { ...bad(`no sandbox: ${brief(entry.message)}`), same: `no sandbox` };
    case 'SandboxLost':
      return { text: 'sandbox lost; its containers are made anew', tone: 'warn' };
    case 'AddressAssigned':
      return { ...plain(`address ${entry.addresses.join(', ')}`), same: 'address' };
    case 'PhaseChanged': {
      const why = [entry.reason, entry.message && brief(entry.message)].filter(Boolean).join(': ');
      return { text: `phase ${entry.phase}${why && ` (${why})`}`, tone: entry.phase === 'Failed' ? 'bad' : 'plain' };
    }
    case 'ReadyChanged':
      return entry.ready ? { text: 'ready', tone: 'good' } : { text: 'not ready any more', tone: 'warn' };
    case 'Terminating': {
      const why = entry.message ? `: ${brief(entry.message)}` : '';
      return { text: `ending (${entry.reason}${why})`, tone: 'warn' };
    }
  }
}

function scheduling(entry: SchedulingAttempt): EntryWords {
  const { attempt, nodes, feasible, result, best, refusals } = entry;
  if (result === 'Placed') {
    const of = nodes === 1 ? 'the only node' : `${feasible} of ${nodes} nodes fit`;
    const text = `scheduling attempt ${attempt}: node ${best?.[0]?.node ?? '?'} chosen (${of})`;
    return { ...plain(text), details: scoreLines(entry) };
  }
  const why = refusals.map(({ reason, nodes: count }) => `${count} ${reason}`).join(', ');
  const text = nodes === 0 ? 'there are no nodes' : `none of ${nodes} ${nodes === 1 ? 'node' : 'nodes'} fits: ${why}`;
  return { text: `scheduling attempt ${attempt}: ${text}`, tone: 'bad', same: text };
}

function ofContainer(entry: ContainerEntry, now: number): EntryWords {
  switch (entry.type) {
    case 'PullStarted':
      return plain(`pulling ${entry.image}`);
    case 'Pulled': {
      const size = entry.sizeBytes === undefined ? '' : `, ${bytes(entry.sizeBytes)}`;
      return { ...plain(`pulled ${entry.image} in ${took(entry.durationMs)}${size}`), same: `pulled ${entry.image}` };
    }
    case 'PullFailed':
      return { ...bad(`pull failed (${entry.reason}): ${brief(entry.message)}`), same: `pull ${entry.reason}` };
    case 'ImagePresent':
      return plain(`image ${entry.image} is there already`);
    case 'ContainerCreated':
      return { ...plain(`made in ${took(entry.durationMs)}`), same: 'made' };
    case 'ContainerStarted':
      return {
        text: entry.attempt === 0 ? 'started' : `started again (restart ${entry.attempt})`,
        tone: 'plain',
        same: 'started',
      };
    case 'ContainerCreateFailed':
    case 'ContainerStartFailed':
      return bad(`${entry.reason}: ${brief(entry.message)}`);
    case 'HookFailed':
      return bad(`${entry.hook} hook failed: ${brief(entry.message)}`);
    case 'Probe':
      return probe(entry);
    case 'ContainerExited':
      return exit(entry);
    case 'BackOff': {
      const left = Date.parse(entry.until) - now;
      const rest = left > 0 ? `; ${spanOf(left)} left` : '';
      const what = entry.reason === 'ImagePullBackOff' ? 'waits before it pulls again' : 'waits before it starts again';
      return { text: `${what} (${entry.reason}${rest})`, tone: 'warn', same: entry.reason };
    }
    case 'Killing':
      return { text: `stopped: ${brief(entry.message)}`, tone: 'warn' };
  }
}

function probe({ probe: kind, transition, output, run, threshold }: ProbeTransition): EntryWords {
  const said = output.trim() === '' ? '' : `: ${brief(output)}`;
  switch (transition) {
    case 'FirstFailure':
      return { text: `${kind} probe fails (${run} of ${threshold})${said}`, tone: 'warn' };
    case 'Recovered':
      return plain(`${kind} probe succeeds again`);
    case 'ThresholdReached': {
      const then = kind === 'readiness' ? 'not ready' : 'to be killed';
      return bad(
        `${kind} probe has failed ${threshold === 1 ? 'once' : threshold === 2 ? 'twice in a row' : `${threshold} times in a row`}, so ${then}${said}`,
      );
    }
    case 'Ready':
      return { text: 'readiness probe succeeds: ready', tone: 'good' };
    case 'Started':
      return { text: 'startup probe succeeds: started', tone: 'good' };
    case 'Unknown':
      return { text: `${kind} probe could not be asked${said}`, tone: 'warn' };
  }
}

function exit({ exitCode, signal, reason, message, ranMs, logTail }: ContainerExit): EntryWords {
  if (reason === 'ContainerStatusUnknown') return { text: 'lost: nobody saw how it ended', tone: 'warn' };
  const how = exitWords({ exitCode, reason, ...(signal === undefined ? {} : { signal }) });
  const after = ranMs === undefined ? '' : ` after ${took(ranMs)}`;
  const own = message === undefined || message.trim() === '' ? '' : `: ${brief(message)}`;
  // Who is stopped ends so, too.
  const stopped = /SIG(?:KILL|TERM)/.test(how);
  return {
    text: `${exitCode === 0 || stopped ? 'ended' : 'crashed'}${after}, ${how}${own}`,
    tone: exitCode === 0 ? 'plain' : stopped ? 'warn' : 'bad',
    details: logTail,
    same: `${how}${own}`,
  };
}

/** `system:admin (kubectl)`. */
function who({ user, agent }: Actor): string {
  const program = agent?.split(/[/\s]/, 1)[0];
  return program ? `${user} (${program})` : user;
}

const took = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : spanOf(ms);

function bytes(count: number): string {
  const power = count < 1e6 ? 1 : count < 1e9 ? 2 : 3;
  const unit = ['kB', 'MB', 'GB'][power - 1]!;
  return `${(count / 1000 ** power).toFixed(count < 1e6 ? 0 : 1)} ${unit}`;
}
