import type { ImageSpec, LayerSpec } from '#images/kit/image.ts';

const layer: LayerSpec = {
  name: 'pause',
  folder: import.meta.dirname,
  packages: ['catatonit'],
  on: [],
  // Statically linked, so the image holds this one file.
  fill: (tree, { debian }) => debian.pick(tree, ['usr/bin/catatonit']),
};

/** What holds a pod's namespaces. Its tags are the sandbox images that containerd 1.6 to 2.x ask for by default. */
export const pause: ImageSpec = {
  name: 'pause',
  repository: 'registry.k8s.io/pause',
  tags: ['3.6', '3.8', '3.9', '3.10', '3.10.1', 'latest'],
  description: 'Waits and reaps orphans (catatonit).',
  standInFor: 'the Kubernetes pause image',
  layers: [layer],
  config: { Entrypoint: ['/usr/bin/catatonit', '-P'], User: '65535:65535' },
};
