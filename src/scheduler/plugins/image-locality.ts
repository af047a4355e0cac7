import type { Pod } from '#api/generated/core-v1.ts';
import { bestScore, type ClusterView, type NodeView, type SchedulerPlugin } from '#scheduler/plugin.ts';

const mebibyte = 1024 * 1024;
/** Less than this is pulled so soon that it makes no difference. */
const leastBytes = 23 * mebibyte;
/** Per container; more is not better. Both are upstream's: the range that nine of ten images lie in. */
const mostBytes = 1000 * mebibyte;

/**
 * Likes nodes that have the pod's images already, by their size: each counts with the share of nodes that have it, so
 * that the one node which has an image does not draw every pod.
 */
export const imageLocality: SchedulerPlugin = {
  name: 'ImageLocality',
  share: { textOf: (pod) => imagesOf(pod).join('\n'), epoch: ({ imagesEpoch }) => imagesEpoch },
  consider(pod, cluster) {
    const images = imagesOf(pod);
    return { kind: 'opinion', scorer: () => scorerOf(images, cluster) };
  },
  interests: [],
};

function scorerOf(images: readonly string[], cluster: ClusterView) {
  const shares = images.map((image) => cluster.nodesWithImage(image) / cluster.nodes.length);
  if (shares.every((share) => share === 0)) return undefined;
  const most = mostBytes * images.length;
  const score = (node: NodeView): number => {
    let bytes = 0;
    for (const [at, image] of images.entries()) {
      bytes += Math.trunc((node.images.get(image) ?? 0) * (shares[at] ?? 0));
    }
    const bounded = Math.min(most, Math.max(leastBytes, bytes));
    return Math.trunc((bestScore * (bounded - leastBytes)) / (most - leastBytes));
  };
  return { score };
}

const imagesOf = ({ spec }: Pod): readonly string[] =>
  [...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => withTag(image ?? ''));

/** Nodes give names with a tag or digest; without either, `latest` is meant. */
const withTag = (name: string): string => (name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name);
