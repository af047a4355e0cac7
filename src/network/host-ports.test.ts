import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OpenPort, portRules } from '#network/host-ports.ts';

const places = { bridge: 'pea01234567', ranges: ['10.244.1.0/24', 'fd00:10:244:1::/64'] };
const both = ['10.244.1.3', 'fd00:10:244:1::3'];
const open = (over: Partial<OpenPort> = {}): OpenPort => ({
  protocol: 'TCP',
  hostPort: 8080,
  containerPort: 80,
  addresses: both,
  ...over,
});
/** The rules of the chain that maps ports. */
const mapped = (port: OpenPort): readonly string[] =>
  portRules([port], places)
    .split('chain ports {')[1]!
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('dport'));

const v4 = 'meta nfproto ipv4 tcp dport 8080 dnat ip to 10.244.1.3:80';
const v6 = 'meta nfproto ipv6 tcp dport 8080 dnat ip6 to [fd00:10:244:1::3]:80';
const cases: readonly { readonly name: string; readonly port: OpenPort; readonly want: readonly string[] }[] = [
  { name: 'both families', port: open(), want: [v4, v6] },
  { name: 'an empty hostIP is none', port: open({ hostIp: '' }), want: [v4, v6] },
  { name: 'all of one family: 0.0.0.0', port: open({ hostIp: '0.0.0.0' }), want: [v4] },
  { name: 'all of the other: ::', port: open({ hostIp: '::' }), want: [v6] },
  {
    name: 'one address of the host',
    port: open({ hostIp: '127.0.0.1', protocol: 'UDP' }),
    want: ['meta nfproto ipv4 ip daddr 127.0.0.1 udp dport 8080 dnat ip to 10.244.1.3:80'],
  },
  {
    name: 'one address of the host, IPv6',
    port: open({ hostIp: 'fd01::1', protocol: 'SCTP' }),
    want: ['meta nfproto ipv6 ip6 daddr fd01::1 sctp dport 8080 dnat ip6 to [fd00:10:244:1::3]:80'],
  },
  { name: 'a pod of one family', port: open({ addresses: ['10.244.1.3'] }), want: [v4] },
  { name: 'an address of a family the pod has not', port: open({ addresses: ['10.244.1.3'], hostIp: '::' }), want: [] },
];
for (const { name, port, want } of cases) {
  test(`portRules: ${name}`, () => assert.deepEqual(mapped(port), want));
}

test('portRules: only what was led into a pod comes back through the host, and nobody gets at its loopback', () => {
  const rules = portRules([open()], places);
  assert.match(
    rules,
    /oifname "pea01234567" ct status dnat ip saddr \{ 127\.0\.0\.0\/8, 10\.244\.1\.0\/24 \} masquerade/,
  );
  assert.match(rules, /oifname "pea01234567" ct status dnat ip6 saddr \{ fd00:10:244:1::\/64 \} masquerade/);
  assert.match(rules, /iifname "pea01234567" ip daddr 127\.0\.0\.0\/8 drop/);
  assert.ok(!portRules([open()], { ...places, ranges: ['10.244.1.0/24'] }).includes('ip6 saddr'));
});
