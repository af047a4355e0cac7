import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readClusterFile } from '#cli/cluster-file/read-cluster-file.ts';

const head = 'apiVersion: peapod.dev/v1alpha1\nkind: Cluster\n';
const read = (text: string) => readClusterFile({ name: 'c.yaml', text }, 'c');

const right: readonly { readonly name: string; readonly text: string; readonly want: unknown }[] = [
  { name: 'nothing but what it is', text: head, want: {} },
  {
    name: 'all of it',
    text: `${head}
nodes:
- name: big
  labels: { disk: ssd }
  taints: [{ key: dedicated, value: db, effect: NoSchedule }]
  capacity: { cpu: 4, memory: 8Gi, example.com/gpu: "2" }
- {}
simulatedNodes:
- count: 3
  labels: { topology.kubernetes.io/zone: a }
podCIDRs: [10.200.0.0/16, "fd00:10:200::/48"]
registryMirrors:
  docker.io: [http://mirror.example:5000]
`,
    want: {
      nodes: [
        {
          name: 'big',
          labels: { disk: 'ssd' },
          taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
          capacity: { cpu: '4', memory: '8Gi', 'example.com/gpu': '2' },
        },
        {},
      ],
      simulatedNodes: [{ count: 3, labels: { 'topology.kubernetes.io/zone': 'a' } }],
      podRange: { v4: '10.200.0.0/16', v6: 'fd00:10:200::/48' },
      mirrors: { 'docker.io': ['http://mirror.example:5000'] },
    },
  },
  {
    name: 'JSON',
    text: '{"apiVersion": "peapod.dev/v1alpha1", "kind": "Cluster", "nodes": [{}]}',
    want: { nodes: [{}] },
  },
];
for (const { name, text, want } of right) {
  test(`cluster file: ${name}`, async () => {
    assert.deepEqual(await read(text), { kind: 'read', file: want });
  });
}

const wrong: readonly { readonly name: string; readonly text: string; readonly want: readonly string[] }[] = [
  { name: 'empty', text: '', want: ['c.yaml: the file is empty'] },
  { name: 'a list', text: '- a', want: ['c.yaml:1:1: Invalid value: ["a"]: must be an object'] },
  {
    name: 'YAML that does not parse',
    text: `${head}nodes: [`,
    want: ['c.yaml:3:9: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  },
  { name: 'two documents', text: `${head}---\nkind: Pod\n`, want: ['c.yaml:3:1: a cluster is one document'] },
  {
    name: 'another kind',
    text: 'apiVersion: v1\nkind: Pod\n',
    want: [
      'c.yaml:1:13: apiVersion: Unsupported value: "v1": supported values: "peapod.dev/v1alpha1"',
      'c.yaml:2:7: kind: Unsupported value: "Pod": supported values: "Cluster"',
    ],
  },
  { name: 'no kind', text: 'apiVersion: peapod.dev/v1alpha1\n', want: ['c.yaml:1:1: kind: Required value'] },
  {
    name: 'unknown fields, wrong types',
    text: `${head}nodes:\n- name: a\n  lables: {}\n- name: 3\n`,
    want: [
      'c.yaml:5:11: nodes[0].lables: unknown field',
      'c.yaml:6:9: nodes[1].name: Invalid value: 3: must be text (put it in quotes)',
    ],
  },
  {
    name: 'what no node may have',
    text: `${head}nodes:\n- name: A_b\n- labels: { "a b": x }\n  taints: [{ key: k, effect: NoSchedule }, { key: k, effect: NoSchedule }]\n  capacity: { cpu: lots }\n`,
    want: [
      'c.yaml:4:9: nodes[0].name: Invalid value: "A_b"',
      'c.yaml:5:11: nodes[1].labels: Invalid value: "a b"',
      'c.yaml:6:44: nodes[1].taints[1]: Duplicate value',
      'c.yaml:7:20: nodes[1].capacity.cpu: Invalid value: "lots"',
    ],
  },
  {
    name: 'an effect there is not',
    text: `${head}nodes:\n- taints: [{ key: k, effect: Never }]\n`,
    want: [
      'c.yaml:4:30: nodes[0].taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  },
  {
    name: 'names twice: by themselves, by their place, by a simulated one',
    text: `${head}nodes:\n- name: c-node2\n- {}\n- name: c-sim2\nsimulatedNodes:\n- count: 1\n- count: 1\n`,
    want: [
      'c.yaml:5:3: nodes[1].name: Duplicate value: "c-node2"',
      'c.yaml:6:9: nodes[2].name: Duplicate value: "c-sim2"',
    ],
  },
  {
    name: 'more simulated nodes than there is room for',
    text: `${head}simulatedNodes: [{ count: 16000 }, { count: 1 }]\n`,
    want: ['c.yaml:3:17: simulatedNodes: Too many: 16001: there is room for 16000 nodes'],
  },
  {
    name: 'ranges',
    text: `${head}podCIDRs: [10.0.0.0/8, "fd00::/48"]\n`,
    want: [
      'c.yaml:3:12: podCIDRs[0]: Invalid value: "10.0.0.0/8": must be an IPv4 /16, such as 10.244.0.0/16',
      'c.yaml:3:24: podCIDRs[1]: Invalid value: "fd00::/48": must be an IPv6 /48 in three groups, such as fd00:10:244::/48',
    ],
  },
  {
    name: 'ranges that others have',
    text: `${head}podCIDRs: [10.97.0.0/16]\n`,
    want: [
      'c.yaml:3:12: podCIDRs[0]: Invalid value: "10.97.0.0/16": must not overlap 10.96.0.0/12, which services have',
    ],
  },
  {
    name: 'a family alone, and twice',
    text: `${head}podCIDRs: ["fd00:1:2::/48"]\n`,
    want: ['c.yaml:3:11: podCIDRs: Required value: an IPv4 range'],
  },
  {
    name: 'mirrors',
    text: `${head}registryMirrors: { "https://docker.io": ["http://a"], quay.io: [mirror] }\n`,
    want: [
      `c.yaml:3:41: registryMirrors[https://docker.io]: Invalid value: "https://docker.io": must be a registry's host, such as docker.io`,
      'c.yaml:3:65: registryMirrors[quay.io][0]: Invalid value: "mirror": must be an http or https URL',
    ],
  },
];
for (const { name, text, want } of wrong) {
  test(`cluster file: ${name}`, async () => {
    const found = await read(text);
    assert.equal(found.kind, 'wrong');
    const problems = found.kind === 'wrong' ? found.problems : [];
    assert.equal(problems.length, want.length, problems.join('\n'));
    for (const [index, start] of want.entries()) assert.equal(problems[index]?.slice(0, start.length), start);
  });
}

test('cluster file: the example is right', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../../examples/cluster.yaml'), 'utf8');
  const found = await read(text);
  assert.equal(found.kind, 'read', JSON.stringify(found));
});
