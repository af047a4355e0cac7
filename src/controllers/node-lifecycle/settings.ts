/** Named as the flags of upstream's controller manager, whose defaults these are. */
export interface NodeLifecycleSettings {
  /** `--node-monitor-grace-period`: a node that was not heard of for so long is Unknown. */
  readonly graceMs: number;
  /** `--node-startup-grace-period`: the same for one that has never said how it is. */
  readonly startupGraceMs: number;
  /**
   * `--node-monitor-period`. Upstream looks at all nodes so often, and what one look finds not ready the next one taints. Here nodes
   * are looked at when something changes; what is kept is the pause before pods are evicted. In it a node may come back,
   * and it shows whether all the others are gone as well.
   */
  readonly pauseMs: number;
  /** `--node-eviction-rate`: how many nodes of a zone may begin to lose their pods, a second. */
  readonly evictionsPerSecond: number;
  /** `--secondary-node-eviction-rate`: the same in a large zone of which much is not ready. */
  readonly secondaryEvictionsPerSecond: number;
  /** `--large-cluster-size-threshold`: a zone of no more nodes loses none while much of it is not ready. */
  readonly largeZoneNodes: number;
  /** `--unhealthy-zone-threshold`: from which share of nodes that are not ready that is. */
  readonly unhealthyShare: number;
}

export const usualNodeLifecycle: NodeLifecycleSettings = {
  graceMs: 50_000,
  startupGraceMs: 60_000,
  pauseMs: 5_000,
  evictionsPerSecond: 0.1,
  secondaryEvictionsPerSecond: 0.01,
  largeZoneNodes: 50,
  unhealthyShare: 0.55,
};

/** For people who try what a failure does: the pause is no longer than what comes before it. */
export const withGrace = (graceMs: number): NodeLifecycleSettings => ({
  ...usualNodeLifecycle,
  graceMs,
  pauseMs: Math.min(usualNodeLifecycle.pauseMs, graceMs),
});
