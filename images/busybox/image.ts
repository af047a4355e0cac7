import { base } from '#images/base/layer.ts';
import { type ImageSpec, path } from '#images/kit/image.ts';

export const busybox: ImageSpec = {
  name: 'busybox',
  repository: 'docker.io/library/busybox',
  tags: ['latest'],
  versionOf: 'busybox',
  description: "Debian's busybox. Its wget crashes with -T: use `timeout N wget` instead.",
  standInFor: 'the Docker Official Image busybox',
  layers: [base],
  config: { Env: [path], Cmd: ['sh'] },
};
