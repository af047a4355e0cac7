import { hasReason } from '#api/errors.ts';
import type { Namespace } from '#api/generated/core-v1.ts';
import type { KubeObject, ObjectKey } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import type { Informer } from '#client/informer.ts';
import { namespaceResource } from '#client/resources.ts';
import { settled, type MakeController, type Outcome } from '#controllers/controller.ts';
import { isOurs, planNamespace, type Found } from '#controllers/namespace/plan.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';

export interface NamespaceOptions {
  readonly clock: Clock;
  readonly namespaces: Informer<Namespace>;
  /** Every namespaced kind the server serves, one version of each; asked anew whenever a namespace is emptied. */
  readonly resources: () => readonly Resource[];
  /** Copies whose deletions bring their namespace back at once (pods, above all); what has none is polled for. */
  readonly wakers: readonly Pick<Informer<KubeObject>, 'onChange'>[];
}

/** Deleting a namespace empties it and ends. Keys are namespaces' names. */
export const namespaceController =
  (options: NamespaceOptions): MakeController =>
  (client) => ({
    name: 'namespace',
    reads: [options.namespaces],
    watch(enqueue) {
      const { namespaces, wakers } = options;
      const watching = new DisposableStack();
      watching.use(namespaces.onChange(({ key, after }) => isOurs(after) && enqueue(key)));
      for (const waker of wakers)
        watching.use(
          waker.onChange(({ before, after }) => {
            const key = before?.metadata.namespace as ObjectKey | undefined;
            if (!after && key !== undefined && isOurs(namespaces.get(key))) enqueue(key);
          }),
        );
      return watching;
    },
    reconcile: (key, signal) => reconcile(client, options, key, signal),
  });

/** Reports, empties, looks again: four looks do for anything but a server that takes deletions and does nothing. */
const LOOKS = 6;

/** Looks again after each act until there is nothing to do but wait; each look is a plan of what was found. */
async function reconcile(
  client: Client,
  options: NamespaceOptions,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<Outcome> {
  let namespace = options.namespaces.get(key);
  let refused: readonly unknown[] = [];
  for (let looks = 0; looks < LOOKS && isOurs(namespace); looks++) {
    const { contents, unlisted } = await observe(client, options.resources(), namespace.metadata.name, signal);
    const found: Found = { contents, unlisted, refused: refused.map(messageOf) };
    const plan = planNamespace(namespace, found, options.clock.now());
    switch (plan.kind) {
      case 'nothing':
        return settled;
      case 'report':
        namespace = await client.updateStatus(namespaceResource, { ...namespace, status: plan.status }, signal);
        break;
      case 'empty':
        refused = await empty(client, plan.resources, namespace.metadata.name, signal);
        break;
      case 'wait': {
        const errors = [...unlisted.map(({ error }) => error), ...refused];
        // What is wrong has been said in the conditions; the runner logs it and comes back with back-off.
        if (errors.length > 0) throw new AggregateError(errors, `emptying namespace "${key}" failed`);
        return { kind: 'again', afterMs: plan.afterMs, why: plan.why };
      }
      case 'finalize':
        await unlessGone(client.updateSubresource(namespaceResource, plan.namespace, 'finalize', signal));
        return settled;
      default:
        unreachable(plan);
    }
  }
  return isOurs(namespace) ? { kind: 'again', afterMs: 1_000, why: 'what was deleted has not gone' } : settled;
}

interface Observed {
  readonly contents: Found['contents'];
  readonly unlisted: readonly (Found['unlisted'][number] & { readonly error: unknown })[];
}

async function observe(
  client: Client,
  resources: readonly Resource[],
  namespace: string,
  signal: AbortSignal,
): Promise<Observed> {
  const contents: Found['contents'][number][] = [];
  const unlisted: Observed['unlisted'][number][] = [];
  const look = async (resource: Resource): Promise<void> => {
    try {
      const { items } = await client.list(resource, { namespace }, signal);
      contents.push({ resource, objects: items });
    } catch (error) {
      signal.throwIfAborted();
      unlisted.push({ resource, why: messageOf(error), error });
    }
  };
  await Promise.all(resources.map(look));
  return { contents, unlisted };
}

/** Gives what was refused. No grace period is set: each object goes as a plain delete of it would. */
async function empty(
  client: Client,
  resources: readonly Resource[],
  namespace: string,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const deletions = await Promise.allSettled(
    resources.map((resource) =>
      client.deleteCollection(resource, { namespace }, { propagationPolicy: 'Background' }, signal),
    ),
  );
  signal.throwIfAborted();
  return deletions.filter((deletion) => deletion.status === 'rejected').map((deletion): unknown => deletion.reason);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
