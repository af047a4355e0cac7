import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '#api/generated/core-v1.ts';
import type { DnsConfig } from '#cri/config.ts';
import { type ClusterDns, parseResolvConf, podDns } from '#kubelet/dns-config.ts';
import { aPod } from '#kubelet/fixtures.ts';

const node: DnsConfig = {
  servers: ['192.0.2.1', '192.0.2.2'],
  searches: ['corp.example', 'example'],
  options: ['timeout:1', 'rotate'],
};
const none: ClusterDns = { servers: [], domain: 'cluster.local' };
const cluster: ClusterDns = { servers: ['10.96.0.10'], domain: 'cluster.local' };
const own = {
  nameservers: ['1.1.1.1', '192.0.2.1'],
  searches: ['my.example', 'example'],
  options: [{ name: 'timeout', value: '3' }, { name: 'edns0' }],
};
const clustered: DnsConfig = {
  servers: ['10.96.0.10'],
  searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example', 'example'],
  options: ['ndots:5'],
};
const merged: DnsConfig = {
  servers: ['192.0.2.1', '192.0.2.2', '1.1.1.1'],
  searches: ['corp.example', 'example', 'my.example'],
  options: ['timeout:3', 'rotate', 'edns0'],
};

const cases: readonly {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly cluster: ClusterDns;
  readonly want: DnsConfig;
  readonly missing?: boolean;
}[] = [
  { name: 'Default is the node’s', spec: { dnsPolicy: 'Default' }, cluster, want: node },
  { name: 'Default, and the pod’s own', spec: { dnsPolicy: 'Default', dnsConfig: own }, cluster, want: merged },
  {
    name: 'None is the pod’s own alone',
    spec: { dnsPolicy: 'None', dnsConfig: own },
    cluster,
    want: {
      servers: ['1.1.1.1', '192.0.2.1'],
      searches: ['my.example', 'example'],
      options: ['timeout:3', 'edns0'],
    },
  },
  { name: 'ClusterFirst asks the cluster only', spec: { dnsPolicy: 'ClusterFirst' }, cluster, want: clustered },
  {
    name: 'ClusterFirst, and the pod’s own',
    spec: { dnsPolicy: 'ClusterFirst', dnsConfig: { options: [{ name: 'ndots', value: '2' }] } },
    cluster,
    want: { ...clustered, options: ['ndots:2'] },
  },
  {
    name: 'ClusterFirst in the node’s network is the node’s',
    spec: { dnsPolicy: 'ClusterFirst', hostNetwork: true },
    cluster,
    want: node,
  },
  {
    name: 'ClusterFirstWithHostNet asks the cluster there, too',
    spec: { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
    cluster,
    want: clustered,
  },
  {
    name: 'ClusterFirst of a cluster without DNS is the node’s, and the pod’s own',
    spec: { dnsPolicy: 'ClusterFirst', dnsConfig: own },
    cluster: none,
    want: merged,
    missing: true,
  },
  {
    name: 'in the node’s network nobody misses it',
    spec: { dnsPolicy: 'ClusterFirst', hostNetwork: true },
    cluster: none,
    want: node,
  },
  {
    name: 'nor with None',
    spec: { dnsPolicy: 'None' },
    cluster: none,
    want: { servers: [], searches: [], options: [] },
  },
];
for (const { name, spec, cluster: known, want, missing = false } of cases) {
  test(`podDns: ${name}`, () => {
    const found = podDns(aPod(spec), node, known);
    assert.deepEqual(found.config, want);
    assert.equal(found.missingClusterDns, missing);
    assert.deepEqual(
      found.warnings.map(({ reason, message }) => [reason, message]),
      missing
        ? [
            [
              'MissingClusterDNS',
              'pod: "web_default(uid-1)". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
            ],
          ]
        : [],
    );
  });
}

const numbered = (count: number, length = 0): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${n}`.padStart(length, 'x'));
const limits: readonly {
  readonly name: string;
  readonly node: DnsConfig;
  readonly want: Partial<DnsConfig>;
  readonly told: string;
}[] = [
  {
    name: 'three nameservers',
    node: { ...node, servers: ['a', 'b', 'c', 'd'] },
    want: { servers: ['a', 'b', 'c'] },
    told: 'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: a b c',
  },
  {
    name: '32 search paths',
    node: { ...node, searches: numbered(33) },
    want: { searches: numbered(32) },
    told: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${numbered(32).join(' ')}`,
  },
  {
    name: '2048 characters of them',
    node: { ...node, searches: numbered(9, 250) },
    want: { searches: numbered(8, 250) },
    told: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${numbered(8, 250).join(' ')}`,
  },
  {
    name: 'none that is longer than a name can be',
    node: { ...node, searches: ['a', 'x'.repeat(254), 'b'] },
    want: { searches: ['a', 'b'] },
    told: 'Search Line limits were exceeded, some search paths have been omitted, the applied search line is: a b',
  },
];
for (const { name, node: given, want, told } of limits) {
  test(`podDns: ${name}`, () => {
    const { config, warnings } = podDns(aPod({ dnsPolicy: 'Default' }), given, cluster);
    assert.deepEqual(config, { ...given, ...want });
    assert.deepEqual(warnings, [{ type: 'Warning', reason: 'DNSConfigForming', message: told }]);
  });
}

test('parseResolvConf: nameservers add up, the last of the other lines holds', () => {
  const text = `# nameserver 9.9.9.9
nameserver 192.0.2.1
  nameserver\t192.0.2.2 ignored
search a.example b.example.
nameserver
domain old.example
options ndots:3
search c.example. d.example
options timeout:1  rotate
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: ['192.0.2.1', '192.0.2.2'],
    searches: ['c.example', 'd.example'],
    options: ['timeout:1', 'rotate'],
  });
});
