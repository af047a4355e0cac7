import { badRequest, notFound } from '#api/errors.ts';
import type { PodTimeline, PodTimelineEntries } from '#api/peapod/pod-timeline.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { Revision, StoreKey } from '#store/store.ts';
import type { Answer } from '#server/answer.ts';
import type { ApartResource, ApartCall } from '#server/apart.ts';
import { encodeForStore, headOf, Stored } from '#server/cache/stored.ts';
import { timelineColumns } from '#server/columns/timelines.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { parseListQuery } from '#server/registry/list-options.ts';
import { declare, strategy } from '#server/resources/strategy.ts';
import { type PodTimelines, type TimelineOutline, timelines } from '#server/timelines/pod-timelines.ts';

const preserve = { 'x-kubernetes-preserve-unknown-fields': true } as const;

export const podTimelines: Descriptor = declare({
  ...timelines,
  namespaced: true,
  shortNames: ['ptl'],
  verbs: ['get', 'list'],
  subresources: { entries: { kind: 'PodTimelineEntries', verbs: ['create'] } },
  columns: timelineColumns,
  fields: {
    fields: {
      'metadata.name': ({ metadata }) => metadata.name,
      'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
      'metadata.uid': ({ metadata }) => metadata.uid,
      pod: (object) => (object as PodTimeline).pod,
    },
    refuse: (field) => `field label not supported: ${field}`,
  },
  // It is never written as an object.
  strategy: strategy({}),
  schema: {
    type: 'object',
    description: 'What happened to a pod, told by those who took part in it.',
    properties: {
      observedAt: { type: 'string', format: 'date-time', description: 'The clock of the server when it answered.' },
      pod: { type: 'string', description: 'Whether the pod is present or gone.' },
      entries: {
        type: 'array',
        description: 'By time; each has a time, a source and a type, and what belongs to that type.',
        items: { type: 'object', ...preserve },
      },
      status: {
        type: 'object',
        description: 'Why the pod is not ready when it was observed.',
        properties: {
          ready: { type: 'boolean', description: 'It is Ready and not being deleted.' },
          sentence: { type: 'string', description: 'What keeps it from being ready, or since when it is.' },
          help: { type: 'string', description: 'What would help; empty when nothing needs to be done.' },
          container: { type: 'string', description: 'The container that the sentence is about.' },
        },
      },
    },
    ...preserve,
  },
});

/** `/apis/peapod.dev/v1alpha1/…/podtimelines`: read from the journal; `/entries` takes what components tell. */
export const timelineResource = (timelinesOf: PodTimelines): ApartResource => ({
  descriptor: podTimelines,
  handle: (call) => answer(timelinesOf, call),
});

function answer(kept: PodTimelines, call: ApartCall): Promise<Answer> {
  const { info } = call;
  if (info.subresource !== undefined) return add(kept, call);
  return info.verb === 'get' ? get(kept, call) : list(kept, call);
}

async function add(kept: PodTimelines, { request, info }: ApartCall): Promise<Answer> {
  const { group, version } = podTimelines;
  const body = request.body.object({ group, version, kind: 'PodTimelineEntries' });
  const ref = { namespace: info.namespace ?? '', name: info.name ?? '' };
  if (body.metadata?.name !== ref.name) throw badRequest('the name of the object does not match the name on the URL');
  // The body is read field by field.
  await kept.add(ref, body as unknown as PodTimelineEntries, request.user);
  const value = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return { kind: 'value', code: 201, value };
}

async function get(kept: PodTimelines, { request, info }: ApartCall): Promise<Answer> {
  if (info.namespace === undefined || info.name === undefined) throw notFound(podTimelines, info.name ?? '');
  const ref = { namespace: info.namespace, name: info.name, uid: request.query['uid'] };
  return { kind: 'stored', code: 200, descriptor: podTimelines, stored: storedOf(await kept.get(ref)) };
}

/** Pages are cut by UID: what was forgotten between two of them is simply not there. */
async function list(kept: PodTimelines, { request, info, revision }: ApartCall): Promise<Answer> {
  const query = parseListQuery(podTimelines, request.query, false);
  const known = await kept.known(info.namespace);
  const from = query.continueToken === '' ? 0 : known.findIndex(({ uid }) => uid === query.continueToken) + 1;
  if (from === 0 && query.continueToken !== '') throw badRequest('continue: the list has changed; begin anew');
  const selected = known
    .slice(from)
    .filter((subject) => query.selects === undefined || query.selects(storedOf(kept.outline(subject))));
  const page = query.limit > 0 ? selected.slice(0, query.limit) : selected;
  const read = await Promise.all(page.map((subject) => kept.read(subject)));
  const items = read.flatMap((timeline) => (timeline ? [storedOf(timeline)] : []));
  const remaining = selected.length - page.length;
  const more = remaining > 0 ? { remaining, continueToken: page.at(-1)!.uid } : {};
  return { kind: 'list', descriptor: podTimelines, listing: { items, revision, ...more } };
}

const head = headOf(podTimelines.kind, apiVersionOf(podTimelines));

function storedOf(timeline: TimelineOutline): Stored {
  const { namespace, name, resourceVersion } = timeline.metadata;
  const key = `podtimelines.peapod.dev/${namespace}/${name}` as StoreKey;
  return new Stored(key, Number(resourceVersion) as Revision, {
    head,
    value: encodeForStore(timeline),
    object: timeline,
  });
}
