/**
 * Mirror pods: what the API shows of a node's static pods. They exist to be seen: whatever is done to one, the containers do
 * not care. The node makes them, and makes them anew when somebody deletes them or the file says something else.
 */
import type { Node, Pod } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import type { Uid } from '#api/meta.ts';
import { isMirrorPod, mirroredUid, sourceAnnotations } from '#api/pod-source.ts';
import type { New } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import type { Informer } from '#client/informer.ts';
import { podResource } from '#client/resources.ts';
import type { StaticPods } from '#kubelet/static-pods/static-pods.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';
import { unreachable } from '#lib/unreachable.ts';

export type MirrorAction =
  | { readonly kind: 'create'; readonly mirror: New<Pod> }
  | { readonly kind: 'delete'; readonly namespace: string; readonly name: string; readonly uid: Uid };

export interface MirrorFacts {
  readonly statics: readonly Pod[];
  /** The API's pods of this node. */
  readonly pods: readonly Pod[];
  /** Owns the mirrors; without it none is made. */
  readonly node: Pick<Node, 'metadata'> | undefined;
}

/** What has to be done so that each static pod has its mirror, and nothing else has one. */
export function planMirrors({ statics, pods, node }: MirrorFacts): readonly MirrorAction[] {
  const shown = new Map(statics.map((pod) => [nameOf(pod), pod]));
  const taken = new Set(pods.map(nameOf));
  const stale = pods.filter(
    (pod) =>
      isMirrorPod(pod) &&
      (pod.metadata.deletionTimestamp !== undefined || shown.get(nameOf(pod))?.metadata.uid !== mirroredUid(pod)),
  );
  // One that is ending is shown as long as it is; nobody is told of it anew.
  const lacking = statics.filter((pod) => pod.metadata.deletionTimestamp === undefined && !taken.has(nameOf(pod)));
  return [
    ...stale.map(({ metadata: { namespace = '', name, uid } }) => ({ kind: 'delete' as const, namespace, name, uid })),
    ...(node === undefined ? [] : lacking.map((pod) => ({ kind: 'create' as const, mirror: mirrorOf(pod, node) }))),
  ];
}

function mirrorOf({ metadata, spec }: Pod, { metadata: { name, uid } }: Pick<Node, 'metadata'>): New<Pod> {
  const { labels, annotations } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [sourceAnnotations.mirror]: metadata.uid },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid, controller: true }],
    },
    spec,
  };
}

export interface MirrorDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly statics: StaticPods;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly log: (message: string, error: unknown) => void;
}

const retry: BackoffPolicy = { baseMs: 500, factor: 2, maxMs: 30_000 };

/** Keeps the mirrors as they should be until `signal` aborts; they then stay. */
export async function keepMirrors(deps: MirrorDeps, signal: AbortSignal): Promise<void> {
  const { clock, statics, pods, nodes } = deps;
  await Promise.all([pods.synced(signal), nodes.synced(signal), statics.synced(signal)]);
  const changed = new Signal();
  using _statics = statics.onChange(() => changed.raise());
  using _pods = pods.onChange(() => changed.raise());
  using _nodes = nodes.onChange(({ before }) => before === undefined && changed.raise());
  for (let failures = 0; ;) {
    const facts = { statics: statics.list(), pods: pods.list(), node: nodes.list()[0] };
    const outcomes = await Promise.all(planMirrors(facts).map((action) => attempt(deps, action, signal)));
    failures = outcomes.includes('failed') ? failures + 1 : 0;
    await changed.wait(clock, failures > 0 ? clock.now() + backoffDelay(retry, failures) : undefined, signal);
  }
}

async function attempt(deps: MirrorDeps, action: MirrorAction, signal: AbortSignal): Promise<'done' | 'failed'> {
  try {
    await take(deps, action, signal);
    return 'done';
  } catch (error) {
    if (isCancellation(error, signal)) throw error;
    // The copy here was late: what was to be done is done, and shows soon.
    const done = action.kind === 'create' ? ['AlreadyExists'] : ['NotFound', 'Conflict'];
    if (done.some((reason) => hasReason(error, reason as 'AlreadyExists'))) return 'done';
    const { name } = action.kind === 'create' ? action.mirror.metadata : action;
    deps.log(`the mirror of static pod ${name}: ${action.kind} failed`, error);
    return 'failed';
  }
}

async function take({ client }: MirrorDeps, action: MirrorAction, signal: AbortSignal): Promise<void> {
  switch (action.kind) {
    case 'create':
      await client.create<Pod>(podResource, action.mirror, signal);
      return;
    case 'delete': {
      const { namespace, name, uid } = action;
      await client.delete(podResource, { namespace, name }, { gracePeriodSeconds: 0, uid }, signal);
      return;
    }
    default:
      unreachable(action);
  }
}

const nameOf = ({ metadata }: Pick<Pod, 'metadata'>): string => `${metadata.namespace}/${metadata.name}`;
