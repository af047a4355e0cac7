import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { factPackage } from '#api/fact-table.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { containerFields, type Fate, podFields, withoutEffect } from '#api/pod-scope.ts';

const scope = readFileSync(join(import.meta.dirname, '../../SCOPE.md'), 'utf8');

/** The rows `| field | fate | …` below a heading of SCOPE.md. */
function table(heading: string): Readonly<Record<string, string>> {
  const section = scope.split(/^#+ /m).find((one) => one.startsWith(heading)) ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)];
  return Object.fromEntries(rows.map(([, field, fate]) => [field!, fate!]));
}

const fieldsOf = (name: string): readonly string[] => {
  const type = factPackage('core/v1').type(name);
  assert.equal(type?.kind, 'struct');
  return type.kind === 'struct' ? [...type.jsonFields.keys()].toSorted() : [];
};

for (const [type, fields, heading] of [
  ['PodSpec', podFields, 'Fields of a pod'],
  ['Container', containerFields, 'Fields of a container'],
] as const) {
  test(`scope: every field of ${type} has a fate`, () =>
    assert.deepEqual(Object.keys(fields).toSorted(), fieldsOf(type)));
  test(`scope: SCOPE.md says the same of ${type}`, () =>
    assert.deepEqual(table(heading), fields as Record<string, Fate>));
}

test('withoutEffect: names what a pod sets in vain, and nothing else', () => {
  const pod = {
    spec: {
      topologySpreadConstraints: [],
      hostUsers: false,
      terminationGracePeriodSeconds: 1,
      affinity: { nodeAffinity: {}, podAntiAffinity: {} },
      containers: [{ name: 'a', resizePolicy: [], livenessProbe: {}, terminationMessagePath: '/x' }],
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'w', nfs: {} },
      ],
    },
  } as unknown as Pod;
  assert.deepEqual(
    withoutEffect(pod).map((text) => text.split(':')[0]),
    ['spec.hostUsers', 'spec.containers[0].resizePolicy', 'spec.volumes[1].nfs'],
  );
});
