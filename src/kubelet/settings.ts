import type { BackoffPolicy } from '#lib/backoff.ts';

/** What whoever runs a node may choose about it; the names in comments are those of upstream's KubeletConfiguration. */
export interface KubeletSettings {
  /** How long a container that keeps ending waits before it is started again. */
  readonly crashLoop: BackoffPolicy;
  readonly logs: LogSettings;
  /** What the lease of the node promises; it is renewed four times as often (nodeLeaseDurationSeconds). */
  readonly leaseSeconds: number;
}

export interface LogSettings {
  /** A container's log is put aside when it is larger (containerLogMaxSize). */
  readonly maxBytes: number;
  /** How many files it may have, the one that is written to included; at least 2 (containerLogMaxFiles). */
  readonly maxFiles: number;
}

/** crashLoopBackOff.maxContainerRestartPeriod (KEP-4603): the first wait is no longer than the longest. 1 s to 300 s. */
export const crashLoopUpTo = (maxMs: number): BackoffPolicy => ({
  baseMs: Math.min(10_000, maxMs),
  factor: 2,
  maxMs,
});

export const usualSettings: KubeletSettings = {
  crashLoop: crashLoopUpTo(300_000),
  logs: { maxBytes: 10 * 2 ** 20, maxFiles: 5 },
  leaseSeconds: 40,
};

/** So that a node that is well is never taken for a silent one: as upstream's 40 s are to its grace period of 50 s. */
export const leaseWithin = (graceMs: number): number =>
  Math.max(1, Math.min(usualSettings.leaseSeconds, Math.floor((graceMs * 0.8) / 1000)));
