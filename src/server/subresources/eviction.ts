import { ApiError, badRequest, hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Eviction, PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { covers, withDisruptionTarget } from '#api/pod-disruption.ts';
import type { Clock } from '#lib/clock.ts';
import type { Lookup } from '#server/admission.ts';
import { storagePrefix } from '#server/descriptor.ts';
import { checkPreconditions, parseDeleteOptions, type DeleteOptions } from '#server/registry/delete-options.ts';
import type { Registry, Target, UpdateRules, WriteRequest } from '#server/registry/registry.ts';
import type { ServerRequest } from '#server/request.ts';
import { podDisruptionBudgets } from '#server/resources/policy.ts';
import { success, type SubresourceHandler } from '#server/subresources/call.ts';
import {
  hasEndedOrEnds,
  isBeyondBudgets,
  maySpare,
  spent,
  stillProcessed,
  tooManyBudgets,
} from '#server/subresources/eviction-budget.ts';

export interface EvictionParts {
  readonly registry: Registry;
  readonly lookup: Lookup;
  readonly clock: Clock;
}

/** As often as upstream thinks an eviction through again when others write the pod or its budget. */
const MOST_ATTEMPTS = 20;

/**
 * Eviction: a deletion that asks the pod's disruption budget first. One disruption is taken off the budget, on condition that the
 * budget has not changed since it was read, so that two evictions never share the last one; then the pod is marked and deleted.
 * Who is let go is remembered in the budget until the disruption controller sees it going: no moment counts a pod twice. Whatever
 * fails after that costs the budget one disruption for two minutes, and no pod.
 */
export function evictPod(parts: EvictionParts): SubresourceHandler {
  return async ({ request, target, write }) => {
    const options = optionsOf(request, target);
    const eviction = new PodEviction(parts, target, options, { ...write, dryRun: options.dryRun });
    await eviction.run();
    return success;
  };
}

function optionsOf({ body, query }: ServerRequest, { name, namespace }: Target): DeleteOptions {
  // policy/v1beta1 is what kubectl before 1.22 sends.
  const eviction = body.object({ group: 'policy', version: 'v1', kind: 'Eviction', alikeIn: ['v1beta1'] }) as Eviction;
  const sent = eviction.metadata as KubeObject['metadata'] | undefined;
  if (sent?.name !== name) throw badRequest('name in URL does not match name in Eviction object');
  if (sent?.namespace && sent.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return parseDeleteOptions(eviction.deleteOptions ?? {}, query);
}

/** The pod's condition and nothing else. */
const markRules: UpdateRules = { prepare: (object) => object, validate: () => [] };

const budgetRules: UpdateRules = {
  prepare: podDisruptionBudgets.strategy.prepareForStatusUpdate,
  validate: podDisruptionBudgets.strategy.validateStatusUpdate,
};

class PodEviction {
  readonly #parts: EvictionParts;
  readonly #target: Target;
  readonly #options: DeleteOptions;
  readonly #write: WriteRequest;

  constructor(parts: EvictionParts, target: Target, options: DeleteOptions, write: WriteRequest) {
    this.#parts = parts;
    this.#target = target;
    this.#options = options;
    this.#write = write;
  }

  async run(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const pod = this.#parts.registry.get(this.#target).object as Pod;
      if (!isBeyondBudgets(pod)) return await this.#withinBudget(pod);
      try {
        // A pod that has not begun might do so while it is being deleted.
        return await this.#deletePod(hasEndedOrEnds(pod) ? undefined : pod);
      } catch (error) {
        const again = hasReason(error, 'Conflict') && this.#options.resourceVersion === undefined;
        if (!again || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  async #withinBudget(pod: Pod): Promise<void> {
    const [budget, another] = this.#budgetsOf(pod);
    if (another !== undefined) throw tooManyBudgets();
    if (budget === undefined) return this.#deletePod(undefined);
    if (!maySpare(pod, budget)) {
      // Whoever may not evict it, or means another version of it, does not cost the budget anything.
      await this.#mark(this.#options, true);
      await this.#spend(budget);
      return this.#deletePod(undefined);
    }
    try {
      // It must not become ready meanwhile.
      await this.#deletePod(pod);
    } catch (error) {
      if (!hasReason(error, 'Conflict') || this.#options.resourceVersion !== undefined) throw error;
      throw stillProcessed(budget);
    }
  }

  #budgetsOf(pod: Pod): readonly PodDisruptionBudget[] {
    const prefix = `${storagePrefix(podDisruptionBudgets)}${this.#target.namespace}/`;
    const all = this.#parts.lookup.under(prefix).map(({ object }) => object as PodDisruptionBudget);
    return all.filter((each) => covers(each, pod));
  }

  async #spend(budget: PodDisruptionBudget): Promise<void> {
    const { registry, clock } = this.#parts;
    const podName = this.#target.name!;
    const spend = (known: KubeObject): PodDisruptionBudget => spent(known as PodDisruptionBudget, podName, clock.now());
    if (this.#options.dryRun) {
      spend(budget);
      return;
    }
    const { name } = budget.metadata;
    const target = { ...this.#target, descriptor: podDisruptionBudgets, name, subresource: 'status' };
    try {
      // The server's own doing: whoever may evict need not be allowed to write budgets.
      await registry.change(target, spend, budgetRules, { user: self, dryRun: false, warn: () => {} });
    } catch (error) {
      // The budget has gone meanwhile. A 404 would say that the pod has.
      if (hasReason(error, 'NotFound')) throw stillProcessed(budget);
      if (!hasReason(error, 'Conflict')) throw error;
      const why = `couldn't update PodDisruptionBudget ${JSON.stringify(name)} due to conflicts`;
      throw new ApiError('Timeout', `Timeout: ${why}`, { details: { retryAfterSeconds: 10 }, cause: error });
    }
  }

  /** Marks the pod, then deletes it; with `unchanged` only if it is still that version. */
  async #deletePod(unchanged: Pod | undefined): Promise<void> {
    const { registry } = this.#parts;
    const asked = this.#options.resourceVersion ?? unchanged?.metadata.resourceVersion;
    const options = { ...this.#options, resourceVersion: asked };
    const marked = await this.#mark(options, this.#options.dryRun);
    // What was asked of its version holds for the version that was marked.
    const next = asked === undefined ? options : { ...options, resourceVersion: marked };
    await registry.delete(this.#target, next, this.#write);
  }

  /** Gives the revision of the marked pod; in a dry run, in which nothing is written, that of the pod as it is. */
  async #mark(options: DeleteOptions, dryRun: boolean): Promise<string> {
    const { registry, clock } = this.#parts;
    const { descriptor } = this.#target;
    const mark = (old: KubeObject): Pod => {
      checkPreconditions(descriptor, old, options);
      return withDisruptionTarget(old as Pod, evicting, clock.now());
    };
    const outcome = await registry.change(this.#target, mark, markRules, { ...this.#write, dryRun });
    if (outcome.kind === 'value') throw new Error('marking a pod gave no pod');
    return outcome.kind === 'stored' ? String(outcome.stored.revision) : outcome.object.metadata.resourceVersion;
  }
}

const self = { name: 'system:apiserver', groups: ['system:masters'] };

const evicting = { status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' } as const;
