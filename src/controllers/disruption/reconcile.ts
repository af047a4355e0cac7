import { hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { keyOf } from '#api/meta.ts';
import { covers, isReady } from '#api/pod-disruption.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Change, IndexFunctions, Informer } from '#client/informer.ts';
import { podDisruptionBudgetResource } from '#client/resources.ts';
import { settled, type MakeController, type Outcome } from '#controllers/controller.ts';
import { planBudget } from '#controllers/disruption/plan.ts';
import type { FindScale } from '#controllers/disruption/scales.ts';
import type { Clock } from '#lib/clock.ts';

/** The index that both copies must have. */
export const byNamespace: IndexFunctions<Pod | PodDisruptionBudget, 'byNamespace'> = {
  byNamespace: ({ metadata }) => [metadata.namespace ?? ''],
};

export interface DisruptionOptions {
  readonly clock: Clock;
  readonly budgets: Informer<PodDisruptionBudget, 'byNamespace'>;
  readonly pods: Informer<Pod, 'byNamespace'>;
  readonly findScale: FindScale;
  readonly events: Pick<EventRecorder, 'record'>;
}

/**
 * Keeps the status of disruption budgets, by which evictions are granted. Keys are budgets'. The API server takes off what it
 * grants; each of the two writes only over what it has read, so that neither undoes the other.
 */
export const disruptionController =
  (options: DisruptionOptions): MakeController =>
  (client) => ({
    name: 'disruption',
    reads: [options.budgets, options.pods],
    watch(enqueue) {
      const { budgets, pods } = options;
      const watching = new DisposableStack();
      watching.use(budgets.onChange(({ key, after }) => after && enqueue(key)));
      watching.use(
        pods.onChange((change) => {
          if (!matters(change)) return;
          const { before, after } = change;
          const namespace = (after ?? before)?.metadata.namespace ?? '';
          for (const budget of budgets.by('byNamespace', namespace)) {
            if ([before, after].some((pod) => pod && covers(budget, pod))) enqueue(keyOf(budget));
          }
        }),
      );
      return watching;
    },
    async reconcile(key, signal): Promise<Outcome> {
      const { clock, budgets, pods, findScale, events } = options;
      const budget = budgets.get(key);
      if (budget === undefined) return settled;
      const covered = pods.by('byNamespace', budget.metadata.namespace ?? '').filter((pod) => covers(budget, pod));
      const plan = planBudget(budget, { pods: covered, findScale }, clock.now());
      try {
        if (plan.status) {
          await client.updateStatus(podDisruptionBudgetResource, { ...budget, status: plan.status }, signal);
        }
      } catch (error) {
        if (hasReason(error, 'NotFound')) return settled;
        // An eviction, most likely: what it has written brings the key back, and this makes sure.
        if (hasReason(error, 'Conflict')) return { kind: 'again', afterMs: 5, why: 'the budget has changed meanwhile' };
        throw error;
      }
      for (const { about, event } of plan.events) events.record(about, event);
      if (plan.wakeAt === undefined) return settled;
      return {
        kind: 'again',
        afterMs: Math.max(0, plan.wakeAt - clock.now()),
        why: 'pods were let go and have not gone',
      };
    },
  });

/** Most of what is written of a pod changes nothing for its budgets, and there are many pods. */
function matters({ before, after }: Change<Pod>): boolean {
  if (before === undefined || after === undefined) return true;
  const [old, now] = [before.metadata, after.metadata];
  return (
    isReady(before) !== isReady(after) ||
    old.deletionTimestamp !== now.deletionTimestamp ||
    !semanticallyEqual(old.labels, now.labels) ||
    !semanticallyEqual(old.ownerReferences, now.ownerReferences)
  );
}
