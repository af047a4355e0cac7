import { join } from 'node:path';
import { base } from '#images/base/layer.ts';
import { type ImageSpec, type LayerSpec, path } from '#images/kit/image.ts';
import { node } from '#images/node/layer.ts';
import { addProgram } from '#images/node/program.ts';

const layer: LayerSpec = {
  name: 'testserver',
  folder: import.meta.dirname,
  packages: [],
  on: [base, node],
  fill: (tree) => addProgram(tree, 'testserver', join(import.meta.dirname, 'server'), 'testserver'),
};

export const testserver: ImageSpec = {
  name: 'testserver',
  repository: 'docker.io/peapod/testserver',
  tags: ['latest'],
  description: 'Does what a test tells it to: HTTP statuses, TCP, gRPC health, HTTPS, exit codes, signals, memory.',
  layers: [base, node, layer],
  config: {
    Env: [path],
    Entrypoint: ['testserver'],
    Cmd: ['serve'],
    ExposedPorts: { '8080/tcp': {}, '8443/tcp': {}, '7000/tcp': {}, '9090/tcp': {} },
  },
};
