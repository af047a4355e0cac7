import type { Pod } from '#api/generated/core-v1.ts';
import { disruptionTarget } from '#api/pod-disruption.ts';
import type { Actor, EntryBody } from '#api/peapod/pod-timeline.ts';
import { changedFields } from '#server/timelines/changed-fields.ts';

/** A write of a pod that has taken effect. */
export interface PodWrite {
  /** undefined when it was made. */
  readonly before: Pod | undefined;
  /** undefined when it is gone. */
  readonly after: Pod | undefined;
  readonly subresource: string | undefined;
  readonly by: Actor;
}

const MOST_FIELDS = 16;

/** What a write of a pod adds to its timeline. Writes of its status add nothing: who wrote them tells more than they say. */
export function writeEntries({ before, after, subresource, by }: PodWrite): readonly EntryBody[] {
  if (before === undefined) {
    // Static pods, and those of who does without a scheduler, are made with their node.
    const node = after?.spec.nodeName;
    return [{ type: 'Created', by }, ...(node ? [{ type: 'Bound', by, node } as const] : [])];
  }
  const said = before.status?.conditions?.find(({ type, status }) => type === disruptionTarget && status === 'True');
  const because = said?.message ? { because: said.message } : {};
  const asked = (graceSeconds: number): EntryBody => ({
    type: 'DeletionAsked',
    by,
    graceSeconds,
    ...(subresource === 'eviction' ? { evicted: true } : because),
  });
  if (after === undefined) {
    const wasAsked = before.metadata.deletionTimestamp !== undefined;
    return [...(wasAsked ? [] : [asked(0)]), { type: 'Gone', by }];
  }
  if (subresource === 'status') return [];
  if (subresource === 'binding') return [{ type: 'Bound', by, node: after.spec.nodeName ?? '' }];
  const grace = after.metadata.deletionGracePeriodSeconds;
  if (after.metadata.deletionTimestamp !== undefined && grace !== before.metadata.deletionGracePeriodSeconds) {
    return [asked(grace ?? 0)];
  }
  const fields = changedFields(wishesOf(before), wishesOf(after));
  if (fields.length === 0) return [];
  const more = fields.length - MOST_FIELDS;
  return [{ type: 'Changed', by, fields: fields.slice(0, MOST_FIELDS), ...(more > 0 ? { moreFields: more } : {}) }];
}

/** What its owner wants of it, without what follows from that. */
function wishesOf({ metadata, spec }: Pod): object {
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  return { metadata: { labels: labels ?? {}, annotations: annotations ?? {}, ownerReferences, finalizers }, spec };
}
