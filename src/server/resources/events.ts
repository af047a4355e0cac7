import type { Event as NewEvent } from '#api/generated/events-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Descriptor, Strategy } from '#server/descriptor.ts';
import { eventColumns } from '#server/columns/core.ts';
import { declare, strategy } from '#server/resources/strategy.ts';

const asNew = (object: KubeObject): NewEvent => object as unknown as NewEvent;

/**
 * Events are told by the thousand and kept for an hour: losing the last ones to a power failure is no loss.
 */
const eventStrategy: Strategy = strategy({ createOnUpdate: true, durability: 'relaxed' });

export const events: Descriptor = declare({
  group: '',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
  shortNames: ['ev'],
  columns: eventColumns,
  strategy: eventStrategy,
});

const regarding =
  (field: 'kind' | 'namespace' | 'name' | 'uid' | 'apiVersion' | 'resourceVersion' | 'fieldPath') =>
  (object: KubeObject): string =>
    asNew(object).regarding?.[field] ?? '';

/** The same events under their newer names. */
const newEvents: Descriptor = declare({
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
  shortNames: ['ev'],
  columns: eventColumns.map((column) => ({ ...column, value: (object, now) => column.value(toCore(object), now) })),
  fields: {
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
      'regarding.kind': regarding('kind'),
      'regarding.namespace': regarding('namespace'),
      'regarding.name': regarding('name'),
      'regarding.uid': regarding('uid'),
      'regarding.apiVersion': regarding('apiVersion'),
      'regarding.resourceVersion': regarding('resourceVersion'),
      'regarding.fieldPath': regarding('fieldPath'),
      reason: (object) => asNew(object).reason ?? '',
      reportingController: (object) => asNew(object).reportingController ?? '',
      type: (object) => asNew(object).type ?? '',
    },
    refuse: (field) => `field label not supported: ${field}`,
  },
  strategy: eventStrategy,
  storedAs: { group: '', plural: 'events', toServed: toNew, toStored: toCore },
});

export const eventsGroup: readonly Descriptor[] = [newEvents];

/** Fields that only have another name in the other version. */
const renamed: readonly (readonly [core: string, other: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];

function toNew(event: KubeObject): KubeObject {
  return rename(event, 'events.k8s.io/v1', new Map(renamed));
}

function toCore(event: KubeObject): KubeObject {
  return rename(event, 'v1', new Map(renamed.map(([core, other]) => [other, core])));
}

function rename(event: KubeObject, apiVersion: string, names: ReadonlyMap<string, string>): KubeObject {
  const fields = Object.entries(event).map(([field, value]) => [names.get(field) ?? field, value]);
  return { ...Object.fromEntries(fields), apiVersion } as KubeObject;
}
