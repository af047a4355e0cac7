/**
 * A pod from a file, as its node runs it: a pure function of what stands in the file. It is completed and checked as the API
 * server would, since nobody else does, and gets its identity from the file: the name of the node behind its own, so that
 * the same file on two nodes makes two pods, and a UID that is the hash of what it says, so that another text is another pod.
 */
import { createHash } from 'node:crypto';
import { canonicalObject } from '#api/canonical.ts';
import { defaultObject } from '#api/defaults/defaults.ts';
import { withInitialPodStatus } from '#api/defaults/initial.ts';
import { kindFacts } from '#api/fact-table.ts';
import type { Pod, Toleration } from '#api/generated/core-v1.ts';
import type { ResourceVersion, Uid } from '#api/meta.ts';
import { referredKind } from '#api/pod-references.ts';
import { sourceAnnotations } from '#api/pod-source.ts';
import { checkFields } from '#api/strict.ts';
import { validateCreate } from '#api/validation/validation.ts';

export interface ManifestSource {
  /** The whole path of the file. */
  readonly path: string;
  /** When it was last written, epoch ms. */
  readonly modifiedAt: number;
  readonly node: string;
}

export type StaticPod = { readonly kind: 'pod'; readonly pod: Pod } | Unreadable;
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly why: string;
}

/** Stays on its node whatever is wrong with it, as upstream's. */
const staysForGood: Toleration = { operator: 'Exists', effect: 'NoExecute' };

/** `value` is what the file's JSON or YAML says. */
export function staticPodOf(value: unknown, source: ManifestSource): StaticPod {
  const wrong = wrongShape(value);
  if (wrong !== undefined) return unreadable(wrong);
  // Its fields are of the types of a pod's: that was just checked.
  const given = canonicalObject(podFacts(), value as Pod);
  if (given.metadata?.name === undefined) return unreadable('metadata.name: Required value: name is required');
  const pod = identified(given, source);
  const errors = validateCreate(pod);
  if (errors.length > 0) return unreadable(errors.map(({ field, body }) => `${field}: ${body}`).join(', '));
  const kind = referredKind(pod);
  if (kind !== undefined) return unreadable(`static pods may not reference ${kind}`);
  return { kind: 'pod', pod };
}

export const unreadable = (why: string): Unreadable => ({ kind: 'unreadable', why });

function podFacts(): NonNullable<ReturnType<typeof kindFacts>> {
  const facts = kindFacts('v1', 'Pod');
  if (facts === undefined) throw new Error('the table of kinds has no Pod');
  return facts;
}

function wrongShape(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'a Pod is wanted, this is no object';
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  if (apiVersion !== 'v1' || kind !== 'Pod') {
    return `a Pod of v1 is wanted, this is ${JSON.stringify(kind) ?? 'nothing'} of ${JSON.stringify(apiVersion) ?? 'nothing'}`;
  }
  return checkFields(podFacts(), value).mismatch;
}

function identified(given: Pod, source: ManifestSource): Pod {
  const uid = hashOf(given, source);
  const { name, namespace, labels, annotations } = given.metadata;
  const tolerations = given.spec?.tolerations ?? [];
  const stays = tolerations.some(
    ({ key, operator, effect }) => !key && operator === 'Exists' && effect === 'NoExecute',
  );
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${source.node}`,
      namespace: namespace || 'default',
      uid: uid as Uid,
      // The API knows only its mirror, which has one of its own.
      resourceVersion: '0' as ResourceVersion,
      creationTimestamp: timeOf(source.modifiedAt),
      ...(labels === undefined ? {} : { labels }),
      annotations: {
        ...annotations,
        [sourceAnnotations.hash]: uid,
        [sourceAnnotations.seen]: new Date(source.modifiedAt).toISOString(),
        [sourceAnnotations.source]: 'file',
      },
    },
    spec: {
      ...given.spec,
      nodeName: source.node,
      tolerations: stays ? tolerations : [...tolerations, staysForGood],
    },
  };
  return withInitialPodStatus(defaultObject(pod));
}

const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

function hashOf({ metadata, spec }: Pod, { node, path }: ManifestSource): string {
  return createHash('md5')
    .update(JSON.stringify([node, path, metadata, spec]))
    .digest('hex');
}
