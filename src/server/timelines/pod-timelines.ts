import { ApiError, badRequest, notFound } from '#api/errors.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import {
  type EntryHead,
  type EntryBody,
  type PodTimeline,
  type PodTimelineEntries,
  type PodTimelineStatus,
  type TimelineEntry,
  timelineApiVersion,
} from '#api/peapod/pod-timeline.ts';
import { cut, InvalidEntryError, parseEntries } from '#api/peapod/timeline-parsing.ts';
import { whyGone, whyOf } from '#api/peapod/why.ts';
import type { ClusterFacts } from '#api/peapod/why-facts.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import type { Journal, KnownSubject, Subject, Told } from '#store/journal/journal.ts';
import type { StoreKey } from '#store/store.ts';
import type { Lookup } from '#server/admission.ts';
import type { Written } from '#server/registry/registry.ts';
import { teller } from '#server/timelines/teller.ts';
import { writeEntries } from '#server/timelines/write-entries.ts';
import type { User } from '#api/transport.ts';

export interface PodTimelinesParts {
  readonly journal: Journal;
  readonly lookup: Lookup;
  readonly clock: Clock;
}

/** Which pod is meant: the newest of the name, or the one with the uid. */
export interface TimelineRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
}

/** Pods that went while nobody noted it are looked for this long after the start: starting comes first. */
const FIRST_CHECK_MS = 5000;
const CHECK_MS = 60_000;

/**
 * The timelines of pods, over a journal. What the server itself does to pods it notes here; what others say of them it
 * checks and notes with their name. A timeline belongs to a pod's UID.
 */
export class PodTimelines {
  readonly #parts: PodTimelinesParts;

  constructor(parts: PodTimelinesParts) {
    this.#parts = parts;
  }

  /** Notes a write, if it was one of a pod. Never throws, never waits. */
  note({ target, before, after, at, request }: Written): void {
    const { plural, group } = target.descriptor;
    if (plural !== 'pods' || group !== '' || target.subresource === 'status') return;
    const pod = (after ?? before) as Pod;
    const { user, agent } = request;
    const by = { user: cut(user.name, 256), ...(agent === undefined ? {} : { agent: cut(agent, 256) }) };
    const write = { before: before as Pod | undefined, after: after as Pod | undefined, by };
    const bodies = writeEntries({ ...write, subresource: target.subresource });
    const head: EntryHead = { time: timestamp(at), source: { component: 'apiserver' } };
    this.#append(
      subjectOf(pod),
      bodies.map((body) => ({ ...head, ...body })),
    );
    if (after === undefined) this.#parts.journal.end(pod.metadata.uid, at);
  }

  /** Adds what a component says. Throws BadRequest, Forbidden when it is not its to say, NotFound for a pod nobody knows. */
  async add(ref: Omit<TimelineRef, 'uid'>, body: PodTimelineEntries, user: User): Promise<void> {
    const source = teller(user);
    if (source === undefined) throw forbidden(ref, `only nodes and schedulers tell of pods, not ${user.name}`);
    const uid: unknown = body.metadata?.uid;
    if (typeof uid !== 'string' || uid === '') throw badRequest('metadata.uid: must be the UID of the pod');
    const sent = checked(body, source.component);
    const pod = this.#pod(ref, uid);
    const told = pod === undefined ? await this.#parts.journal.read(uid) : undefined;
    if (pod === undefined && told?.subject.key !== keyOf(ref)) throw notFound(timelines, ref.name);
    const node = pod === undefined ? boundTo(told) : pod.spec.nodeName;
    if (source.component === 'kubelet' && source.node !== node) {
      throw forbidden(ref, `the pod is not bound to node ${JSON.stringify(source.node)}`);
    }
    const entries = sent.map(({ time, ...entry }): TimelineEntry => ({ time, source, ...entry }));
    this.#append(pod === undefined ? told!.subject : subjectOf(pod), entries);
  }

  /** Throws NotFound. */
  async get(ref: TimelineRef): Promise<PodTimeline> {
    const found = (await this.#parts.journal.find(keyOf(ref))).filter(({ key }) => key === keyOf(ref));
    const subject = ref.uid === undefined ? this.#newest(ref, found) : found.find(({ uid }) => uid === ref.uid);
    const timeline = subject && (await this.read(subject));
    if (timeline === undefined) throw notFound(timelines, ref.name);
    return timeline;
  }

  /** Of a namespace, or of all, ordered by key; those of one name in the order they came. */
  async known(namespace: string | undefined): Promise<readonly KnownSubject[]> {
    return this.#parts.journal.find(namespace === undefined ? '' : `${namespace}/`);
  }

  /** undefined when it was forgotten meanwhile. */
  async read(subject: KnownSubject): Promise<PodTimeline | undefined> {
    const told = await this.#parts.journal.read(subject.uid);
    if (told === undefined) return undefined;
    const outline = this.outline(told.subject);
    const entries = entriesOf(told);
    return { ...outline, entries, status: this.#status(outline, entries) };
  }

  /** What is known of a timeline without having read it. */
  outline({ uid, key, born, last }: KnownSubject): TimelineOutline {
    const [namespace = '', name = ''] = key.split('/');
    return {
      apiVersion: timelineApiVersion,
      kind: 'PodTimeline',
      metadata: {
        name,
        namespace,
        uid: uid as Uid,
        resourceVersion: String(last) as ResourceVersion,
        creationTimestamp: `${new Date(born).toISOString().slice(0, 19)}Z`,
      },
      observedAt: timestamp(this.#parts.clock.now()),
      pod: this.#pod({ namespace, name }, uid) === undefined ? 'gone' : 'present',
    };
  }

  /** Until aborted: forgets what has been kept long enough, and notes the end of pods whose end was lost in a crash. */
  async run(signal: AbortSignal, onTrouble: (error: unknown) => void): Promise<void> {
    const { clock, journal } = this.#parts;
    try {
      for (let wait = FIRST_CHECK_MS; ; wait = CHECK_MS) {
        await clock.sleep(wait, signal);
        if (wait === FIRST_CHECK_MS) await this.#endTheLost().catch(onTrouble);
        journal.tidy();
      }
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    }
  }

  async #endTheLost(): Promise<void> {
    const { clock, journal } = this.#parts;
    for (const { uid, key, ended } of await journal.find('')) {
      const [namespace = '', name = ''] = key.split('/');
      if (ended === undefined && this.#pod({ namespace, name }, uid) === undefined) journal.end(uid, clock.now());
    }
  }

  #status({ metadata, observedAt }: TimelineOutline, entries: readonly TimelineEntry[]): PodTimelineStatus {
    const { namespace = '', name, uid } = metadata;
    const pod = this.#pod({ namespace, name }, uid);
    const now = Date.parse(observedAt);
    const { lookup } = this.#parts;
    if (pod === undefined) return whyGone(name, entries, now);
    // Few sentences need them, and there may be thousands.
    const cluster: ClusterFacts = {
      get nodes() {
        return lookup.under('nodes/').map(({ object }) => object as Node);
      },
      get pods() {
        return lookup.under('pods/').map(({ object }) => object as Pod);
      },
    };
    return whyOf({ pod, entries, cluster, now });
  }

  #append(subject: Subject, entries: readonly TimelineEntry[]): void {
    const texts = entries.map((entry) => ({ at: Date.parse(entry.time), text: JSON.stringify(entry) }));
    if (texts.length > 0) this.#parts.journal.append(subject, texts);
  }

  /** The pod there is now, else the one that came last. */
  #newest(ref: TimelineRef, found: readonly KnownSubject[]): KnownSubject | undefined {
    return found.find(({ uid }) => this.#pod(ref, uid) !== undefined) ?? found.at(-1);
  }

  #pod(ref: Omit<TimelineRef, 'uid'>, uid: string): Pod | undefined {
    const pod = this.#parts.lookup.get(`pods/${keyOf(ref)}` as StoreKey)?.object as Pod | undefined;
    return pod?.metadata.uid === uid ? pod : undefined;
  }
}

export type TimelineOutline = Omit<PodTimeline, 'entries' | 'status'>;

export const timelines = { group: 'peapod.dev', version: 'v1alpha1', plural: 'podtimelines', kind: 'PodTimeline' };

const keyOf = ({ namespace, name }: Omit<TimelineRef, 'uid'>): string => `${namespace}/${name}`;

const subjectOf = ({ metadata: { name, namespace = '', uid, creationTimestamp } }: Pod): Subject => ({
  uid,
  key: keyOf({ namespace, name }),
  born: Date.parse(creationTimestamp),
});

const timestamp = (ms: number): string => new Date(ms).toISOString();

function checked(
  body: PodTimelineEntries,
  component: EntryHead['source']['component'],
): ReturnType<typeof parseEntries> {
  try {
    return parseEntries(body.entries, component);
  } catch (error) {
    if (!(error instanceof InvalidEntryError)) throw error;
    throw badRequest(error.message);
  }
}

/** By time; the sort is stable, so those of one moment stay as they came. */
function entriesOf({ entries, dropped }: Told): readonly TimelineEntry[] {
  const kept = entries.map(({ text }) => JSON.parse(text) as TimelineEntry);
  const hole: readonly TimelineEntry[] = dropped
    ? [
        {
          time: timestamp(dropped.from),
          source: { component: 'apiserver' },
          ...({ type: 'Dropped', count: dropped.count, until: timestamp(dropped.until) } satisfies EntryBody),
        },
      ]
    : [];
  const all = dropped ? [...kept.slice(0, dropped.after), ...hole, ...kept.slice(dropped.after)] : kept;
  return all.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** The node a pod had that is gone. */
function boundTo(told: Told | undefined): string | undefined {
  const entries = told === undefined ? [] : entriesOf(told);
  const bound = entries.findLast((entry) => entry.type === 'Bound');
  return bound?.type === 'Bound' ? bound.node : undefined;
}

const forbidden = ({ name }: Omit<TimelineRef, 'uid'>, why: string): ApiError =>
  new ApiError('Forbidden', `podtimelines.peapod.dev ${JSON.stringify(name)} is forbidden: ${why}`, {
    details: { name, group: timelines.group, kind: timelines.plural },
  });
