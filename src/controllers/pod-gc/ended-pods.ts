import type { Pod } from '#api/generated/core-v1.ts';
import type { ObjectKey } from '#api/meta.ts';
import type { Informer } from '#client/informer.ts';
import { type MakeController, settled } from '#controllers/controller.ts';
import { hasEnded, surplus } from '#controllers/pod-gc/plan.ts';
import { removeNow } from '#controllers/pod-gc/reconcile.ts';
import type { Clock } from '#lib/clock.ts';

export interface EndedPodsOptions {
  readonly clock: Clock;
  readonly pods: Informer<Pod>;
  /** So many are kept. */
  readonly kept: number;
}

/** Not after each pod that ends: all of them have to be put in order for it. Upstream looks as often. */
const PERIOD_MS = 20_000;
/** It is about all of them at once. */
const ALL = 'ended-pods' as ObjectKey;

/** Pods that have ended stay, for people to look at, until there are too many of them. */
export const endedPodsController =
  ({ clock, pods, kept }: EndedPodsOptions): MakeController =>
  (client) => {
    const ended = new Set<ObjectKey>();
    let nextAt = 0;
    return {
      name: 'pod-gc of ended pods',
      reads: [pods],
      watch: (enqueue) =>
        pods.onChange(({ key, after }) => {
          if (!after || !hasEnded(after)) return void ended.delete(key);
          ended.add(key);
          if (ended.size > kept) enqueue(ALL);
        }),
      async reconcile(_key, signal) {
        const now = clock.now();
        if (now < nextAt) return { kind: 'again', afterMs: nextAt - now, why: 'it was looked a moment ago' };
        nextAt = now + PERIOD_MS;
        const known = [...ended].flatMap((key) => pods.get(key) ?? []);
        for (const pod of surplus(known, kept)) await removeNow(client, pod, { now }, signal);
        return settled;
      },
    };
  };
