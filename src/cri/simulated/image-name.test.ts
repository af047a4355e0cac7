import assert from 'node:assert/strict';
import test from 'node:test';
import { parseImageName } from '#cri/simulated/image-name.ts';

test('image names: are normalised as every runtime does, or are none', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const table: readonly (readonly [name: string, full: string | undefined])[] = [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.25', 'docker.io/library/nginx:1.25'],
    ['minio/minio', 'docker.io/minio/minio:latest'],
    ['docker.io/library/busybox', 'docker.io/library/busybox:latest'],
    ['registry.k8s.io/pause:3.6', 'registry.k8s.io/pause:3.6'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/team/app:v1', 'localhost:5000/team/app:v1'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`quay.io/a/b:v1@${digest}`, `quay.io/a/b@${digest}`],
    ['a__b/c-d.e_f', 'docker.io/a__b/c-d.e_f:latest'],
    ['Nginx', undefined],
    ['nginx:', undefined],
    ['UPPER//bad', undefined],
    ['a b', undefined],
    ['', undefined],
    ['nginx@sha256:12', undefined],
    ['-x', undefined],
  ];
  for (const [name, full] of table) assert.equal(parseImageName(name)?.full, full, name);
});
