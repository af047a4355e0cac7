import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base } from '#images/base/layer.ts';
import { type ImageSpec, type LayerSpec, path } from '#images/kit/image.ts';
import { node } from '#images/node/layer.ts';
import { addProgram } from '#images/node/program.ts';

const layer: LayerSpec = {
  name: 'minio',
  folder: import.meta.dirname,
  packages: [],
  on: [base, node],
  fill: (tree) => {
    addProgram(tree, 'minio', join(import.meta.dirname, 'server'), 'minio');
    const entrypoint = readFileSync(join(import.meta.dirname, 'docker-entrypoint.sh'));
    tree.file('usr/bin/docker-entrypoint.sh', entrypoint, { mode: 0o755 }).directory('data');
  },
};

export const minio: ImageSpec = {
  name: 'minio',
  repository: 'docker.io/minio/minio',
  tags: ['latest'],
  description:
    'A small S3 server with the command line of MinIO: buckets, objects, multipart, signatures checked; no web console.',
  standInFor: 'MinIO',
  layers: [base, node, layer],
  config: {
    Env: [path],
    Entrypoint: ['/usr/bin/docker-entrypoint.sh'],
    Cmd: ['minio'],
    ExposedPorts: { '9000/tcp': {} },
  },
};
