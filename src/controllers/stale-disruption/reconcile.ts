import { hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Informer } from '#client/informer.ts';
import { podResource } from '#client/resources.ts';
import { settled, type MakeController, type Outcome } from '#controllers/controller.ts';
import { planStale } from '#controllers/stale-disruption/plan.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';

export interface StaleDisruptionOptions {
  readonly clock: Clock;
  readonly pods: Informer<Pod>;
}

/** Takes back the condition DisruptionTarget of pods that nobody deleted. Keys are pods'. */
export const staleDisruptionController =
  ({ clock, pods }: StaleDisruptionOptions): MakeController =>
  (client) => ({
    name: 'stale-disruption',
    reads: [pods],
    watch: (enqueue) =>
      pods.onChange(({ key, after }) => planStale(after, clock.now()).kind === 'nothing' || enqueue(key)),
    async reconcile(key, signal): Promise<Outcome> {
      const plan = planStale(pods.get(key), clock.now());
      switch (plan.kind) {
        case 'nothing':
          return settled;
        case 'wait':
          return { kind: 'again', afterMs: plan.afterMs, why: 'it may yet be deleted' };
        case 'clear':
          try {
            await client.updateStatus(podResource, plan.pod, signal);
          } catch (error) {
            if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
            // Whatever it has become brings the key back.
          }
          return settled;
        default:
          return unreachable(plan);
      }
    },
  });
