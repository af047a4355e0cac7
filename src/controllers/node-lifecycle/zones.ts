import type { Node } from '#api/generated/core-v1.ts';
import { isNodeReady } from '#api/node-conditions.ts';
import type { NodeLifecycleSettings } from '#controllers/node-lifecycle/settings.ts';

/**
 * Large outages. When many nodes seem to be gone, more likely the network or this side of it has failed than all of them, and pods
 * that are evicted from everywhere have nowhere to go. So nodes lose their pods one after the other, in each zone at a rate
 * that depends on how the zone is, and none does while no node at all is ready. The rules are upstream's.
 */
export type ZoneState = 'normal' | 'partly disrupted' | 'fully disrupted';

export interface ZoneCounts {
  readonly ready: number;
  readonly notReady: number;
}

type ZoneSettings = Pick<
  NodeLifecycleSettings,
  'evictionsPerSecond' | 'secondaryEvictionsPerSecond' | 'largeZoneNodes' | 'unhealthyShare'
>;

export function zoneState({ ready, notReady }: ZoneCounts, { unhealthyShare }: ZoneSettings): ZoneState {
  if (ready === 0 && notReady > 0) return 'fully disrupted';
  // One or two are no outage, however few there are besides them.
  return notReady > 2 && notReady / (ready + notReady) >= unhealthyShare ? 'partly disrupted' : 'normal';
}

/** How many nodes of such a zone may begin to lose their pods, a second, while others are not fully disrupted. */
export function zoneRate(counts: ZoneCounts, settings: ZoneSettings): number {
  switch (zoneState(counts, settings)) {
    case 'normal':
    case 'fully disrupted':
      return settings.evictionsPerSecond;
    case 'partly disrupted':
      return counts.ready + counts.notReady > settings.largeZoneNodes ? settings.secondaryEvictionsPerSecond : 0;
  }
}

/** Whoever bears it is not counted. */
const EXCLUDED = 'node.kubernetes.io/exclude-disruption';

/** Nodes without the labels make up a zone of their own. */
export function zoneOf({ metadata: { labels = {} } }: Pick<Node, 'metadata'>): string {
  const region = labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? '';
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
  return `${region}:${zone}`;
}

/** What a change of one node does to all of them. `rates`: of one zone or more, so that who waits for its turn should ask again. */
export type ZoneChange = 'none' | 'rates' | 'all disrupted' | 'all disrupted no more';

/** Counts of nodes by zone, kept as nodes change. */
export class Zones {
  readonly #settings: ZoneSettings;
  readonly #counts = new Map<string, ZoneCounts>();
  #allDisrupted = false;

  constructor(settings: ZoneSettings) {
    this.#settings = settings;
  }

  /** Not one node anywhere is ready: nobody is evicted, and who was about to be is not. */
  get allDisrupted(): boolean {
    return this.#allDisrupted;
  }

  /** Nodes a second. */
  rateOf(node: Node): number {
    if (this.#allDisrupted) return 0;
    return zoneRate(this.#counts.get(zoneOf(node)) ?? { ready: 0, notReady: 0 }, this.#settings);
  }

  change(before: Node | undefined, after: Node | undefined): ZoneChange {
    const [from, to] = [placeOf(before), placeOf(after)];
    if (from?.zone === to?.zone && from?.ready === to?.ready) return 'none';
    const touched = new Set([from, to].flatMap((place) => place?.zone ?? []));
    const rates = (): string => [...touched].map((zone) => this.#rate(zone)).join();
    const ratesBefore = rates();
    if (from) this.#count(from, -1);
    if (to) this.#count(to, 1);
    const was = this.#allDisrupted;
    const states = [...this.#counts.values()].map((counts) => zoneState(counts, this.#settings));
    this.#allDisrupted = states.length > 0 && states.every((state) => state === 'fully disrupted');
    if (was !== this.#allDisrupted) return was ? 'all disrupted no more' : 'all disrupted';
    return ratesBefore === rates() ? 'none' : 'rates';
  }

  #rate(zone: string): number {
    const counts = this.#counts.get(zone);
    return counts ? zoneRate(counts, this.#settings) : 0;
  }

  #count({ zone, ready }: Place, by: 1 | -1): void {
    const { ready: up, notReady: down } = this.#counts.get(zone) ?? { ready: 0, notReady: 0 };
    const counts = ready ? { ready: up + by, notReady: down } : { ready: up, notReady: down + by };
    if (counts.ready + counts.notReady === 0) this.#counts.delete(zone);
    else this.#counts.set(zone, counts);
  }
}

interface Place {
  readonly zone: string;
  readonly ready: boolean;
}

function placeOf(node: Node | undefined): Place | undefined {
  if (!node || node.metadata.labels?.[EXCLUDED] !== undefined) return undefined;
  return { zone: zoneOf(node), ready: isNodeReady(node) };
}

/** Turns, by zone: one may be saved up, as upstream's limiter has it. */
export class Turns {
  readonly #zones = new Map<string, { readonly saved: number; readonly at: number }>();

  /** Takes a turn of the zone: 0 when there was one, else how long until there is; Infinity at a rate of 0. */
  take(zone: string, perSecond: number, now: number): number {
    if (perSecond === 0) return Infinity;
    const known = this.#zones.get(zone);
    // What is left of adding up fractions must not cost a turn.
    const saved = known ? Math.min(1, known.saved + ((now - known.at) / 1000) * perSecond) : 1;
    const due = saved > 1 - 1e-9;
    this.#zones.set(zone, { saved: due ? 0 : saved, at: now });
    return due ? 0 : Math.ceil(((1 - saved) / perSecond) * 1000);
  }

  /** One that was taken in vain. */
  giveBack(zone: string): void {
    const known = this.#zones.get(zone);
    if (known) this.#zones.set(zone, { ...known, saved: 1 });
  }
}
