import { hasReason } from '#api/errors.ts';
import type { Lease, LeaseSpec } from '#api/generated/coordination-v1.ts';
import type { Client } from '#client/client.ts';
import { leaseResource } from '#client/resources.ts';
import type { Clock } from '#lib/clock.ts';
import { isCancellation, Scope } from '#lib/scope.ts';

/**
 * Leader election on a Lease, by client-go's rules: of several candidates one works at a time.
 *
 * Nobody's clock is compared with another's: a candidate measures by its own how long it has seen a lease unchanged, and
 * takes it once that is longer than the holder asked for. The holder renews every `retryMs`, and stops working when it has
 * not managed to for `renewDeadlineMs`, which is shorter than the lease lasts: before anybody else can begin.
 */
export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unique among the candidates: host name and something random. */
  readonly identity: string;
  /** client-go's when absent: 15 s, 10 s and 2 s. */
  readonly leaseSeconds?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  readonly onError?: (error: unknown) => void;
  /** In [0, 1); spreads the candidates. Math.random when absent. */
  readonly random?: () => number;
}

export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}

/**
 * Waits until it leads, then runs `work` with a signal that aborts when the lead is lost. Resolves when `work` has ended or
 * `signal` aborts; the lease is then given back, so that the next one need not wait for its end. Rejects with what `work`
 * threw, or with LeadershipLostError, after `work` has ended: who wants to stand again calls again.
 */
export async function lead(
  options: LeaderElectionOptions,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate(options);
  try {
    await candidate.acquire(signal);
  } catch (error) {
    if (isCancellation(error, signal)) return;
    throw error;
  }
  const scope = new Scope(signal);
  scope.spawn('keeping the lead', (stop) => candidate.keep(stop));
  scope.spawn('leading', async (stop) => {
    await work(stop);
    scope.stop();
  });
  try {
    await scope.join();
  } catch (error) {
    throw error instanceof Error && error.cause !== undefined ? error.cause : error;
  } finally {
    await candidate.release();
  }
}

/** What a candidate may do with the lease it found. `seenSince`: since when it has seen it as it is. */
export function planLease(
  lease: Lease | undefined,
  candidate: { readonly identity: string; readonly leaseSeconds: number; readonly seenSince: number },
  now: number,
): { readonly kind: 'leave' } | { readonly kind: 'write'; readonly spec: LeaseSpec } {
  const { identity, leaseSeconds, seenSince } = candidate;
  const { holderIdentity = '', leaseDurationSeconds = 0, leaseTransitions = 0, acquireTime } = lease?.spec ?? {};
  const ours = holderIdentity === identity;
  const expired = now - seenSince > leaseDurationSeconds * 1_000;
  if (!ours && holderIdentity !== '' && !expired) return { kind: 'leave' };
  const time = microTime(now);
  const spec: LeaseSpec = {
    holderIdentity: identity,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: ours && acquireTime !== undefined ? acquireTime : time,
    renewTime: time,
    leaseTransitions: lease && !ours ? leaseTransitions + 1 : leaseTransitions,
  };
  return { kind: 'write', spec };
}

/** client-go's JitterFactor: candidates that wait look again after one to 2.2 times the retry period. */
const JITTER = 1.2;

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #leaseSeconds: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  /** The lease as last seen, and since when by our own clock. */
  #seen: { readonly revision: string; readonly since: number } | undefined;
  #held: Lease | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leaseSeconds = options.leaseSeconds ?? 15;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2_000;
  }

  async acquire(signal: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    while (!(await this.#try(signal))) await clock.sleep(this.#retryMs * (1 + JITTER * random()), signal);
  }

  /** Renews until told to stop; throws LeadershipLostError when that has not worked for too long. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, lease } = this.#options;
    for (;;) {
      await clock.sleep(this.#retryMs, signal);
      const deadline = new AbortController();
      const stop = AbortSignal.any([signal, deadline.signal]);
      const lost = new LeadershipLostError(`the lease "${lease.namespace}/${lease.name}" could not be renewed in time`);
      // A call that hangs must not outlast the deadline.
      const timer = clock.sleep(this.#renewDeadlineMs - this.#retryMs, stop).then(
        () => deadline.abort(lost),
        () => {},
      );
      try {
        while (!(await this.#try(stop))) await clock.sleep(this.#retryMs, stop);
      } finally {
        deadline.abort(new Error('renewed'));
        await timer;
      }
    }
  }

  /** Best effort and at once: whoever stops must not be kept by a server that is away. */
  async release(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    const { client, clock, onError } = this.#options;
    const now = microTime(clock.now());
    const spec: LeaseSpec = {
      ...held.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: now,
      acquireTime: now,
    };
    const deadline = new AbortController();
    const timer = clock.sleep(this.#retryMs, deadline.signal).then(
      () => deadline.abort(new Error('giving the lease back took too long')),
      () => {},
    );
    try {
      await client.update(leaseResource, { ...held, spec }, deadline.signal);
    } catch (error) {
      onError?.(error);
    } finally {
      deadline.abort(new Error('given back'));
      await timer;
    }
  }

  /** True when we hold the lease, as of now. */
  async #try(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#acquireOrRenew(signal);
    } catch (error) {
      if (isCancellation(error, signal)) throw error;
      // Somebody else was faster: nothing went wrong.
      if (!hasReason(error, 'Conflict') && !hasReason(error, 'AlreadyExists')) this.#options.onError?.(error);
      return false;
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, clock, lease: ref, identity } = this.#options;
    const lease = await client.get(leaseResource, ref, signal);
    const seenSince = this.#seenSince(lease);
    const plan = planLease(lease, { identity, leaseSeconds: this.#leaseSeconds, seenSince }, clock.now());
    if (plan.kind === 'leave') {
      this.#held = undefined;
      return false;
    }
    const { spec } = plan;
    const fresh = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ref, spec } as const;
    this.#held = lease
      ? await client.update(leaseResource, { ...lease, spec: { ...lease.spec, ...spec } }, signal)
      : await client.create(leaseResource, fresh, signal);
    return true;
  }

  #seenSince(lease: Lease | undefined): number {
    const revision = lease?.metadata.resourceVersion ?? '';
    if (this.#seen?.revision !== revision) this.#seen = { revision, since: this.#options.clock.now() };
    return this.#seen.since;
  }
}

/** RFC 3339 with microseconds, as Leases have it. */
const microTime = (now: number): string => new Date(now).toISOString().replace('Z', '000Z');
