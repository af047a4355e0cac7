/** What a component says of a pod, read at the edge: each kind of entry with the fields it has, every text cut to its bound. */
import {
  type ContainerExit,
  type EntryBody,
  type EntryHead,
  type EntrySource,
  MOST_TAIL_CHARACTERS,
  MOST_TAIL_LINES,
  MOST_TEXT,
  type ProbeTransition,
  type SchedulingAttempt,
} from '#api/peapod/pod-timeline.ts';

export type SentEntry = Pick<EntryHead, 'time'> & EntryBody;

/** The most entries one request may bring. */
export const MOST_ENTRIES = 256;
/** Names and reasons, in characters. */
const MOST_NAME = 256;
const MOST_LIST = 16;
/** Plugins that score. */
const MOST_NAMED = 32;

/** Says where in the body what is wrong. */
export class InvalidEntryError extends Error {
  override readonly name = 'InvalidEntryError';
}

/** Throws InvalidEntryError: no list, too long, an entry that is none, or one that is another component's to tell. Fields nobody knows are left out. */
export function parseEntries(value: unknown, from: EntrySource['component']): readonly SentEntry[] {
  if (!Array.isArray(value)) throw new InvalidEntryError('entries: must be a list');
  if (value.length > MOST_ENTRIES) throw new InvalidEntryError(`entries: must be at most ${MOST_ENTRIES}`);
  return value.map((each: unknown, at) => parseEntry(each, from, `entries[${at}]`));
}

function parseEntry(value: unknown, from: EntrySource['component'], path: string): SentEntry {
  const fields = recordOf(value, path);
  const type = fields['type'];
  if (typeof type !== 'string' || !isEntryType(type)) {
    throw new InvalidEntryError(`${path}.type: unknown entry type ${JSON.stringify(type)}`);
  }
  const rule = rules[type];
  if (rule.from !== from) throw new InvalidEntryError(`${path}.type: ${type} is not for a ${from} to tell`);
  const read = record(rule.fields as Fields<object>)(fields, path);
  return { time: time(fields['time'], `${path}.time`), type, ...read } as SentEntry;
}

/** At most `most` characters; what was longer ends in `…`. */
export function cut(text: string, most = MOST_TEXT): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The last lines, oldest first, within the bounds of an exit's tail: of the first of them the end. */
export function cutTail(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let left = MOST_TAIL_CHARACTERS;
  for (const line of lines.slice(-MOST_TAIL_LINES).toReversed()) {
    if (line.length <= left) kept.unshift(line);
    else if (left > 1) kept.unshift(`…${line.slice(line.length - left + 1).replace(/^[\uDC00-\uDFFF]/, '')}`);
    left -= line.length;
    if (left <= 0) break;
  }
  return kept;
}

type Parse<T> = (value: unknown, path: string) => T;
type Fields<T> = { readonly [Name in keyof T]-?: Parse<T[Name]> };

function recordOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new InvalidEntryError(`${path}: must be an object`);
}

function record<T extends object>(fields: Fields<T>): Parse<T> {
  return (value, path) => {
    const given = recordOf(value, path);
    const read: Record<string, unknown> = {};
    for (const [name, parse] of Object.entries(fields) as [string, Parse<unknown>][]) {
      const field = parse(given[name], `${path}.${name}`);
      if (field !== undefined) read[name] = field;
    }
    return read as T;
  };
}

const textOf =
  (most: number): Parse<string> =>
  (value, path) => {
    if (typeof value !== 'string') throw new InvalidEntryError(`${path}: must be a string`);
    return cut(value, most);
  };
const text = textOf(MOST_TEXT);
const name = textOf(MOST_NAME);

const count: Parse<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new InvalidEntryError(`${path}: must be a number`);
  return value;
};

const flag: Parse<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new InvalidEntryError(`${path}: must be true or false`);
  return value;
};

const always: Parse<true> = (value, path) => {
  if (value !== true) throw new InvalidEntryError(`${path}: must be true`);
  return value;
};

const time: Parse<string> = (value, path) => {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidEntryError(`${path}: must be a time`);
  return new Date(ms).toISOString();
};

const oneOf =
  <const T extends string>(...allowed: readonly T[]): Parse<T> =>
  (value, path) => {
    const found = allowed.find((each) => each === value);
    if (found === undefined) throw new InvalidEntryError(`${path}: must be one of ${allowed.join(', ')}`);
    return found;
  };

const listOf =
  <T>(each: Parse<T>): Parse<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new InvalidEntryError(`${path}: must be a list`);
    return value.slice(0, MOST_LIST).map((one: unknown, at) => each(one, `${path}[${at}]`));
  };

/** Numbers by name. */
const counts: Parse<Readonly<Record<string, number>>> = (value, path) => {
  const given = Object.entries(recordOf(value, path)).slice(0, MOST_NAMED);
  return Object.fromEntries(given.map(([key, one]) => [cut(key, MOST_NAME), count(one, `${path}.${key}`)]));
};

const tail: Parse<readonly string[]> = (value, path) => cutTail(listOf(text)(value, path));

/** For fields that may be left out: such a field is not made. */
const maybe =
  <T>(parse: Parse<T>): Parse<T | undefined> =>
  (value, path) =>
    value === undefined || value === null ? undefined : parse(value, path);

const isEntryType = (type: string): type is EntryBody['type'] => Object.hasOwn(rules, type);

type Body<Type extends EntryBody['type']> = Extract<EntryBody, { readonly type: Type }>;
interface Rule<Type extends EntryBody['type']> {
  /** `journal`: nobody may send it. */
  readonly from: EntrySource['component'] | 'journal';
  readonly fields: {
    readonly [Name in Exclude<keyof Body<Type>, 'type'>]-?: Parse<Body<Type>[Name] | undefined>;
  };
}

const actor = record<{ user: string; agent: string | undefined }>({ user: name, agent: maybe(name) }) as Parse<
  Body<'Created'>['by']
>;
const container = { container: name };
const failedStep = { ...container, attempt: count, reason: name, message: text };

const attempt: Rule<'SchedulingAttempt'>['fields'] = {
  attempt: count,
  revisions: record({ pods: maybe(name), nodes: maybe(name) }) as Parse<SchedulingAttempt['revisions']>,
  nodes: count,
  feasible: count,
  refusals: listOf(record({ reason: name, nodes: count })),
  result: oneOf('Placed', 'Unschedulable'),
  best: maybe(listOf(record({ node: name, score: maybe(count), byPlugin: maybe(counts) }))) as Parse<
    SchedulingAttempt['best']
  >,
  weights: maybe(counts),
  seed: maybe(count),
  message: maybe(text),
};

const probe: { readonly [Name in Exclude<keyof ProbeTransition, 'type'>]: Parse<ProbeTransition[Name]> } = {
  ...container,
  probe: oneOf('startup', 'liveness', 'readiness'),
  transition: oneOf('FirstFailure', 'Recovered', 'ThresholdReached', 'Ready', 'Started', 'Unknown'),
  output: text,
  run: count,
  threshold: count,
  latencyMs: count,
};

const exit: { readonly [Name in Exclude<keyof ContainerExit, 'type'>]-?: Parse<ContainerExit[Name] | undefined> } = {
  ...container,
  attempt: count,
  exitCode: count,
  signal: maybe(count),
  reason: name,
  message: maybe(text),
  ranMs: maybe(count),
  logTail: tail,
};

/** Every kind of entry: who tells it, and what it says. */
const rules: { readonly [Type in EntryBody['type']]: Rule<Type> } = {
  Created: { from: 'apiserver', fields: { by: actor } },
  Changed: { from: 'apiserver', fields: { by: actor, fields: listOf(name), moreFields: maybe(count) } },
  Bound: { from: 'apiserver', fields: { by: actor, node: name } },
  DeletionAsked: {
    from: 'apiserver',
    fields: { by: actor, graceSeconds: count, evicted: maybe(always), because: maybe(text) },
  },
  Gone: { from: 'apiserver', fields: { by: actor } },
  SchedulingAttempt: { from: 'scheduler', fields: attempt },
  BindingFailed: { from: 'scheduler', fields: { node: name, message: text } },
  Admitted: { from: 'kubelet', fields: {} },
  Rejected: { from: 'kubelet', fields: { reason: name, message: text } },
  MountFailed: { from: 'kubelet', fields: { message: text } },
  SandboxCreated: { from: 'kubelet', fields: { attempt: count, durationMs: count } },
  SandboxFailed: { from: 'kubelet', fields: { message: text, durationMs: count } },
  SandboxLost: { from: 'kubelet', fields: {} },
  AddressAssigned: { from: 'kubelet', fields: { addresses: listOf(name) } },
  PhaseChanged: {
    from: 'kubelet',
    fields: {
      phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      reason: maybe(name),
      message: maybe(text),
    },
  },
  ReadyChanged: { from: 'kubelet', fields: { ready: flag } },
  Terminating: { from: 'kubelet', fields: { reason: name, message: maybe(text), deadline: time } },
  PullStarted: { from: 'kubelet', fields: { ...container, image: text } },
  Pulled: { from: 'kubelet', fields: { ...container, image: text, durationMs: count, sizeBytes: maybe(count) } },
  PullFailed: {
    from: 'kubelet',
    fields: { ...container, image: text, reason: name, message: text, durationMs: count },
  },
  ImagePresent: { from: 'kubelet', fields: { ...container, image: text } },
  ContainerCreated: { from: 'kubelet', fields: { ...container, attempt: count, durationMs: count } },
  ContainerCreateFailed: { from: 'kubelet', fields: failedStep },
  ContainerStarted: { from: 'kubelet', fields: { ...container, attempt: count } },
  ContainerStartFailed: { from: 'kubelet', fields: failedStep },
  HookFailed: { from: 'kubelet', fields: { ...container, hook: oneOf('postStart', 'preStop'), message: text } },
  Probe: { from: 'kubelet', fields: probe },
  ContainerExited: { from: 'kubelet', fields: exit },
  BackOff: {
    from: 'kubelet',
    fields: { ...container, reason: oneOf('CrashLoopBackOff', 'ImagePullBackOff'), until: time, message: maybe(text) },
  },
  Killing: { from: 'kubelet', fields: { ...container, message: text, deadline: time } },
  Dropped: { from: 'journal', fields: { count, until: time } },
};
