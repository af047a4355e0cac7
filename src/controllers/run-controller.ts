import type { ObjectKey } from '#api/meta.ts';
import type { Client } from '#client/client.ts';
import { recordWrites, type WriteLog } from '#client/recording-client.ts';
import { GiveUp, type Controller, type MakeController } from '#controllers/controller.ts';
import { backoffDelay, type BackoffPolicy } from '#lib/backoff.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';
import { WorkQueue } from '#lib/work-queue.ts';

export interface RunnerOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** How many keys may be worked on at a time. */
  readonly workers: number;
  readonly log: (line: string, error: unknown) => void;
  /** Told of every look at a key, when it is over. */
  readonly observe?: (attempt: Attempt) => void;
}

export interface Attempt {
  readonly controller: string;
  readonly key: ObjectKey;
  readonly result: 'settled' | 'again' | 'failed' | 'gave-up';
  readonly tookMs: number;
  /** Keys that wait for a worker. */
  readonly waiting: number;
}

/** controller-runtime's and client-go's default for a key that fails: 5 ms, doubling, up to 1,000 s. */
const retry: BackoffPolicy = { baseMs: 5, factor: 2, maxMs: 1_000_000 };

/** Runs a controller until `signal` aborts; resolves once every worker has ended. */
export async function runController(make: MakeController, options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const { client, writes } = recordWrites(options.client);
  const controller = make(client);
  const queue = new WorkQueue<ObjectKey>(options.clock);
  const failures = new Map<ObjectKey, number>();

  const look = async (key: ObjectKey, stop: AbortSignal): Promise<Attempt['result']> => {
    try {
      await seeOwnWrites(controller, writes, stop);
      const outcome = await controller.reconcile(key, stop);
      failures.delete(key);
      if (outcome.kind === 'again') queue.addAfter(key, outcome.afterMs, stop);
      return outcome.kind;
    } catch (error) {
      if (isCancellation(error, stop)) throw error;
      options.log(`${controller.name} ${key}`, error);
      if (error instanceof GiveUp) {
        failures.delete(key);
        return 'gave-up';
      }
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      queue.addAfter(key, backoffDelay(retry, count), stop);
      return 'failed';
    }
  };

  const work = async (stop: AbortSignal): Promise<void> => {
    for (;;) {
      const key = await queue.take(stop);
      const startedAt = options.clock.now();
      try {
        const result = await look(key, stop);
        const tookMs = options.clock.now() - startedAt;
        options.observe?.({ controller: controller.name, key, result, tookMs, waiting: queue.waiting });
      } finally {
        queue.done(key);
      }
    }
  };

  await using scope = new Scope(signal);
  using _watching = controller.watch((key) => queue.add(key));
  scope.spawn(controller.name, async (stop) => {
    await Promise.all(controller.reads.map((copy) => copy.synced(stop)));
    for (let n = 0; n < options.workers; n++) scope.spawn(`${controller.name} worker ${n}`, work);
  });
  await scope.join();
}

/**
 * A plan made from a copy that does not yet show what this controller has written would write it twice. Rather than keep
 * books of what to expect, wait until the copy has come that far. It may never: the object may lie outside the copy's
 * selection, or the watch may be broken. Then the deadline ends the wait, once for each write, and the plan is made from
 * what there is: preconditions keep it harmless.
 */
async function seeOwnWrites(controller: Controller, writes: WriteLog, signal: AbortSignal): Promise<void> {
  for (const copy of controller.reads) {
    const revision = writes.newest(copy.resource);
    if (revision === undefined) continue;
    await copy.waitFor(revision, signal);
    writes.forget(copy.resource, revision);
  }
}
