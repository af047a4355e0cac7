import { ClusterState } from '#scheduler/cluster-state.ts';
import type { ClusterChange } from '#scheduler/plugin.ts';
import type { WeightedPlugin } from '#scheduler/profile.ts';

/** An empty cluster whose changes these plugins' indexes follow; `onChange` is told of each after them. */
export function indexedCluster(
  plugins: readonly WeightedPlugin[],
  onChange: (change: ClusterChange) => void = () => {},
): ClusterState {
  const cluster = new ClusterState((change) => {
    for (const { plugin } of plugins) plugin.index?.apply(change);
    onChange(change);
  });
  for (const { plugin } of plugins) plugin.index?.init(cluster);
  return cluster;
}
