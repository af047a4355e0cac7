import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imagesText } from '#cli/images-text.ts';
import { statusText } from '#cli/status-text.ts';

const facts = {
  pid: 42,
  api: 'https://127.0.0.1:6443',
  nodes: [
    { name: 'peapod-node1', ready: true },
    { name: 'peapod-node2', ready: false },
  ],
  simulatedNodes: { count: 0, ready: 0 },
  runtime: 'containerd',
  images: { mode: 'kit', why: 'Docker Hub cannot be reached (timeout)', registry: 'http://127.0.0.1:5000' },
  dataDir: '/var/lib/peapod/peapod',
};

test('status: a line a fact', () => {
  assert.deepEqual(statusText(facts).split('\n'), [
    'API server   https://127.0.0.1:6443 (pid 42)',
    'node         peapod-node1 Ready',
    'node         peapod-node2 NotReady',
    'runtime      containerd',
    'images       from the image kit: Docker Hub cannot be reached (timeout)',
    'registry     http://127.0.0.1:5000',
    'data         /var/lib/peapod/peapod',
    'kubeconfig   /var/lib/peapod/peapod/kubeconfig',
  ]);
});

test('status: without a registry there is no line of it', () => {
  const text = statusText({ ...facts, images: { mode: 'hub', why: '--images hub', registry: null } });
  assert.ok(!text.includes('registry'));
  assert.match(text, /^images {7}from where their names say: --images hub$/m);
});

test('images: a line a name, sorted', () => {
  const images = [
    { id: 'sha256:0123456789abcdef', repoTags: ['b:1', 'a:1'], sizeBytes: 1_250_000 },
    { id: 'sha256:fedcba9876543210', repoTags: [], sizeBytes: 5 },
  ];
  assert.deepEqual(imagesText(images).split('\n'), [
    'IMAGE    ID             SIZE',
    '<none>   fedcba987654   0.0 MB',
    'a:1      0123456789ab   1.3 MB',
    'b:1      0123456789ab   1.3 MB',
  ]);
});
