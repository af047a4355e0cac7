import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { serviceAccountResource } from '#client/resources.ts';
import { tokenKey, type TokenKey, type TokenWanted } from '#kubelet/volumes/projection.ts';
import type { Clock } from '#lib/clock.ts';

interface Held {
  readonly token: string;
  /** When the next one is asked for. */
  readonly renewAt: number;
  readonly expiresAt: number;
}

const RENEW_AT_LEAST_MS = 24 * 3600 * 1000;
const RENEW_AT_SHARE = 0.8;
const RETRY_MS = 10_000;

/** When a token that was given at `issuedAt` is due to be replaced: after 80 % of its life, and after a day at most. */
export const renewalOf = (issuedAt: number, expiresAt: number): number =>
  issuedAt + Math.min((expiresAt - issuedAt) * RENEW_AT_SHARE, RENEW_AT_LEAST_MS);

/** One pod's tokens: made for its service account, bound to the pod so that they die with it, kept until they are due. */
export class PodTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #held = new Map<TokenKey, Held>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** When one of those given so far should be replaced: epoch milliseconds. */
  get dueAt(): number | undefined {
    return this.#held.size === 0 ? undefined : Math.min(...[...this.#held.values()].map(({ renewAt }) => renewAt));
  }

  /** Throws what the API server says, unless there is an earlier token that is still good: then that, and the next try soon. */
  async get(pod: Pod, wanted: TokenWanted, signal: AbortSignal): Promise<string> {
    const key = tokenKey(wanted);
    const now = this.#clock.now();
    const held = this.#held.get(key);
    if (held && now < held.renewAt && now < held.expiresAt) return held.token;
    try {
      const next = await this.#request(pod, wanted, signal);
      this.#held.set(key, next);
      return next.token;
    } catch (error) {
      signal.throwIfAborted();
      if (held) this.#held.set(key, { ...held, renewAt: now + RETRY_MS });
      if (held === undefined || now >= held.expiresAt) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`failed to fetch token: ${why}`, { cause: error });
      }
      return held.token;
    }
  }

  async #request({ metadata, spec }: Pod, { audience, seconds }: TokenWanted, signal: AbortSignal): Promise<Held> {
    const { name, namespace = '', uid } = metadata;
    const account = { namespace, name: spec.serviceAccountName ?? 'default', subresource: 'token' };
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds: seconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    };
    const { status } = await this.#client.post<TokenRequest>(serviceAccountResource, account, body, signal);
    const { token, expirationTimestamp } = status ?? {};
    if (token === undefined || expirationTimestamp === undefined) throw new Error('the API server gave no token');
    const expiresAt = Date.parse(expirationTimestamp);
    return { token, expiresAt, renewAt: renewalOf(this.#clock.now(), expiresAt) };
  }
}
