import type { Event, Pod } from '#api/generated/core-v1.ts';
import type { ObjectRef } from '#api/meta.ts';
import { humanDuration } from '#cli/human-duration.ts';
import {
  isAside,
  isNewer,
  partOf,
  type PodProgress,
  progressOf,
  type Stage,
  TRUSTED_AFTER_MS,
} from '#cli/pod-progress.ts';

/** A pod that is in trouble for this long is not waited for any more; it may still recover by itself. */
export const STUCK_AFTER_MS = 20_000;

/** What has been Ready for this long is believed: most of what cannot run ends at once after it has started. */
export const SETTLED_AFTER_MS = 1000;
/** Whole seconds are all that a status tells: a container as old as this has run for a second. */
const SURELY_SETTLED_MS = SETTLED_AFTER_MS + 1000;

/** What is known of a pod that somebody waits for: fed by watches, looked at by the clock. */
export class FollowedPod {
  readonly ref: ObjectRef;
  readonly #since: number;
  readonly #news = new Map<string, Event>();
  readonly #stages = new Map<string, { readonly stage: Stage; readonly since: number }>();
  #pod: Pod | undefined;
  #gone = false;
  #progress: PodProgress | undefined;
  #readySince: number | undefined;
  #trouble: { readonly first: number; readonly last: number } | undefined;

  constructor(ref: ObjectRef, now: number) {
    this.ref = ref;
    this.#since = now;
  }

  /** As it now is; undefined when it was deleted. */
  seen(pod: Pod | undefined): void {
    if (pod !== undefined && pod.metadata.uid !== this.#pod?.metadata.uid) this.#forget(pod);
    this.#gone = pod === undefined;
    this.#pod = pod ?? this.#pod;
  }

  /** Everything there is has been seen: if this pod was not among it, it is gone. */
  listed(): void {
    this.#gone ||= this.#pod === undefined;
  }

  heard(event: Event): void {
    const { uid } = event.involvedObject;
    if (this.#pod !== undefined && uid !== undefined && uid !== this.#pod.metadata.uid) return;
    if (isAside(event)) return;
    const part = partOf(event);
    if (isNewer(event, this.#news.get(part))) this.#news.set(part, event);
  }

  /** Takes stock; gives a line for each change since the last look. */
  look(now: number): readonly string[] {
    if (this.#pod === undefined || this.#gone) return [];
    this.#progress = progressOf(this.#pod, this.#news, now);
    const { stage, containers, outcome } = this.#progress;
    this.#readySince = outcome === 'ready' ? (this.#readySince ?? this.#readyFrom(now)) : undefined;
    if (outcome === 'pending' && this.#troubleText() !== undefined) {
      const known = this.#trouble;
      // Between two crashes all looks well for a moment.
      const lasts = known !== undefined && now - known.last <= TRUSTED_AFTER_MS;
      this.#trouble = { first: lasts ? known.first : now, last: now };
    }
    // Where the pod is before its containers begin; once they are ready, it comes after them.
    const parts = containers.flatMap(({ name, stage: each }) => this.#change(name, each, now));
    const own = this.#change('', stage, now);
    return stage.kind === 'ready' || outcome === 'ended' ? [...parts, ...own] : [...own, ...parts];
  }

  isOver(now: number): boolean {
    if (this.#gone || this.#progress?.outcome === 'ended') return true;
    if (this.#readySince !== undefined) return now - this.#readySince >= SETTLED_AFTER_MS;
    return this.#isStuck(now);
  }

  get isWell(): boolean {
    return !this.#gone && (this.#progress?.outcome === 'ready' || this.#pod?.status?.phase === 'Succeeded');
  }

  /** What there is to say at the end: nothing of a pod that is well. */
  verdict(now: number): readonly string[] {
    const { name, namespace } = this.ref;
    const describe = `kubectl describe pod ${name} -n ${namespace ?? 'default'}`;
    if (this.#gone) return [`${name} is gone: it was deleted`];
    if (this.isWell) return [];
    const trouble = this.#troubleText();
    if (trouble === undefined) {
      const waited = humanDuration(now - this.#since);
      return [`${name} is not Ready after ${waited} (${this.#awaited()}); see: ${describe}`];
    }
    const crashed = this.#progress?.containers.find(({ stage }) => stage.crashed === true);
    const logs = `kubectl logs ${name} -n ${namespace ?? 'default'}`;
    const see =
      crashed === undefined
        ? describe
        : `${logs} -c ${crashed.name}${this.#hasRestarted(crashed.name) ? ' --previous' : ''}`;
    const how = this.#progress?.outcome === 'ended' ? 'has failed' : 'does not come up';
    return [`${name} ${how}: ${trouble}; see: ${see}`];
  }

  get progress(): PodProgress | undefined {
    return this.#progress;
  }

  /** Since when a part is at the stage it is at; '' is the pod. */
  since(part: string): number {
    return this.#stages.get(part)?.since ?? this.#since;
  }

  #isStuck(now: number): boolean {
    const trouble = this.#trouble;
    return trouble !== undefined && now - trouble.last <= TRUSTED_AFTER_MS && now - trouble.first >= STUCK_AFTER_MS;
  }

  /** Of a pod that has been up for long nothing needs to be waited for. */
  #readyFrom(now: number): number {
    const starts = this.#pod?.status?.containerStatuses?.flatMap(({ state }) => state?.running?.startedAt ?? []) ?? [];
    return starts.every((start) => now - Date.parse(start) >= SURELY_SETTLED_MS) ? -Infinity : now;
  }

  #awaited(): string {
    const { stage, containers } = this.#progress ?? {};
    if (!this.#pod?.spec.nodeName) return 'it waits for a node';
    const waiting = containers?.filter((each) => !['ready', 'completed'].includes(each.stage.kind)) ?? [];
    if (waiting.length === 0) return stage?.text || 'nothing is known of it';
    return waiting.map((each) => `${each.name}: ${each.stage.text || 'waiting'}`).join(', ');
  }

  #troubleText(): string | undefined {
    if (this.#progress === undefined) return undefined;
    const { stage, containers } = this.#progress;
    const inside = containers.find((each) => each.stage.kind === 'trouble');
    // A failed pod says little of itself when it was a container that failed.
    if (inside !== undefined) return `${inside.name}: ${inside.stage.text}`;
    return stage.kind === 'trouble' ? stage.text : undefined;
  }

  #hasRestarted(container: string): boolean {
    return (
      this.#pod?.status?.containerStatuses?.some((each) => each.name === container && each.restartCount > 0) === true
    );
  }

  #change(part: string, stage: Stage, now: number): readonly string[] {
    const known = this.#stages.get(part)?.stage;
    if (known?.kind === stage.kind && known.text === stage.text) return [];
    this.#stages.set(part, { stage, since: now });
    if (stage.text === '') return [];
    const { name } = this.ref;
    // A pod that was up already is still where it was scheduled.
    if (part === '') return stage.kind === 'working' && known?.kind === 'ready' ? [] : [`${name}: ${stage.text}`];
    switch (stage.kind) {
      case 'waiting':
      case 'working':
        // Of the steps on the way only the one that takes long is worth a line.
        return stage.text.startsWith('pulling') ? [`${name}: ${stage.text}`] : [];
      case 'ready':
        // Ready from the start: nobody asked to be told when.
        return [`${name}: ${part} ${known?.kind === 'started' ? 'ready' : 'started'}`];
      case 'started':
      case 'completed':
        return [`${name}: ${part} ${stage.text}`];
      case 'trouble':
        return [`${name}: ${part}: ${stage.text}`];
    }
  }

  /** Another pod of the same name: what was known is of the one before. */
  #forget({ metadata: { uid } }: Pod): void {
    for (const [part, event] of this.#news) {
      if (event.involvedObject.uid !== undefined && event.involvedObject.uid !== uid) this.#news.delete(part);
    }
    this.#stages.clear();
    this.#trouble = undefined;
    this.#readySince = undefined;
    this.#progress = undefined;
  }
}
