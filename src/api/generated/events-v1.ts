/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */
import type { EventSource, ObjectReference } from '#api/generated/core-v1.ts';
import type { ListMeta, MicroTime, Time } from '#api/generated/meta-v1.ts';
import type { KubeObject } from '#api/meta.ts';

export interface Event {
  readonly apiVersion: 'events.k8s.io/v1';
  readonly kind: 'Event';
  readonly metadata: KubeObject['metadata'];
  readonly eventTime: MicroTime;
  readonly series?: EventSeries;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly action?: string;
  readonly reason?: string;
  readonly regarding?: ObjectReference;
  readonly related?: ObjectReference;
  readonly note?: string;
  readonly type?: string;
  readonly deprecatedSource?: EventSource;
  readonly deprecatedFirstTimestamp?: Time;
  readonly deprecatedLastTimestamp?: Time;
  readonly deprecatedCount?: number;
}

export interface EventList {
  readonly apiVersion: 'events.k8s.io/v1';
  readonly kind: 'EventList';
  readonly metadata: ListMeta;
  readonly items: readonly Event[];
}

export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: MicroTime;
}
