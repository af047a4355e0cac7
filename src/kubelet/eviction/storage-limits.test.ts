import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, PodSpec } from '#api/generated/core-v1.ts';
import { exceeded, storageLimits } from '#kubelet/eviction/storage-limits.ts';
import { aContainer, aPod } from '#kubelet/fixtures.ts';

const limited = (name: string, disk: string): Container =>
  aContainer(name, { resources: { limits: { 'ephemeral-storage': disk } } });
const Mi = 2 ** 20;

const table: readonly {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly volumes?: Readonly<Record<string, number>>;
  readonly containers?: Readonly<Record<string, number>>;
  /** `unlimited`: there is nothing to measure. */
  readonly want: string | undefined;
}[] = [
  { name: 'a pod without limits', spec: {}, want: 'unlimited' },
  { name: 'an emptyDir without a limit', spec: { volumes: [{ name: 'v', emptyDir: {} }] }, want: 'unlimited' },
  {
    name: 'a limit of zero is none',
    spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: '0' } }], containers: [limited('main', '0')] },
    want: 'unlimited',
  },
  {
    name: 'an emptyDir in memory is the mount’s to limit',
    spec: { volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] },
    want: 'unlimited',
  },
  {
    name: 'a critical pod',
    spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }], priority: 2_000_000_000 },
    want: 'unlimited',
  },
  {
    name: 'a full emptyDir',
    spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: '10Mi' } }] },
    volumes: { v: 10 * Mi },
    want: undefined,
  },
  {
    name: 'an emptyDir with a byte too much',
    spec: {
      volumes: [
        { name: 'u', emptyDir: {} },
        { name: 'v', emptyDir: { sizeLimit: '10240Ki' } },
      ],
    },
    volumes: { u: 50 * Mi, v: 10 * Mi + 1 },
    want: 'Usage of EmptyDir volume "v" exceeds the limit "10Mi". ',
  },
  {
    name: 'volumes and containers count together, and are looked at first',
    spec: { volumes: [{ name: 'v', emptyDir: {} }], containers: [limited('a', '6Mi'), limited('b', '4Mi')] },
    volumes: { v: 5 * Mi },
    containers: { a: 0, b: 5 * Mi + 1 },
    want: 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ',
  },
  {
    name: 'a container that takes another’s part',
    spec: { containers: [limited('a', '6Mi'), limited('b', '4Mi')] },
    containers: { a: 0, b: 4 * Mi + 1 },
    want: 'Container b exceeded its local ephemeral storage limit "4Mi". ',
  },
  {
    name: 'a container without a limit counts for the pod',
    spec: { containers: [limited('a', '4Mi'), aContainer('b')] },
    containers: { a: 0, b: 5 * Mi },
    want: 'Pod ephemeral local storage usage exceeds the total limit of containers 4Mi. ',
  },
];

for (const { name, spec, volumes = {}, containers = {}, want } of table) {
  test(`storage limits: ${name}`, () => {
    const limits = storageLimits(aPod(spec));
    const use = { volumes: new Map(Object.entries(volumes)), containers: new Map(Object.entries(containers)) };
    assert.equal(limits === undefined ? 'unlimited' : exceeded(limits, use), want);
  });
}
