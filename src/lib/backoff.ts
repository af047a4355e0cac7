export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

/** Delay before retry number `attempt` (first retry is 1). Jitter is the caller's business. */
export function backoffDelay(policy: BackoffPolicy, attempt: number): number {
  if (attempt <= 0) return 0;
  return Math.min(policy.maxMs, policy.baseMs * policy.factor ** (attempt - 1));
}
