import assert from 'node:assert/strict';
import test from 'node:test';
import { loopbackRules } from '#network/loopback-ports.ts';
import { hostCommands, machineCommands, planNodeNetwork } from '#network/node-network.ts';

const paths = { hash: '01234567', hosts: '/run/h/hosts' };
const range = { v4: '10.244.0.0/16', v6: 'fd00:10:244::/48' };
const two = [
  { name: 'a', index: 1 },
  { name: 'b', index: 3 },
];
const network = planNodeNetwork(paths, range, two);

test('node network: addresses follow from numbers, in both families, and no port has too long a name', () => {
  assert.deepEqual(network.machine, { v4: '10.244.0.1', v6: 'fd00:10:244::1' });
  const [, b] = network.hosts;
  assert.deepEqual(b?.addresses, { v4: '10.244.0.4', v6: 'fd00:10:244::4' });
  assert.deepEqual([b?.pods.v4.subnet, b?.pods.v6?.subnet], ['10.244.3.0/24', 'fd00:10:244:3::/64']);
  const last = planNodeNetwork(paths, range, [{ name: 'z', index: 250 }]);
  assert.ok(last.hosts[0]!.port.length <= 15);
  assert.equal(last.hosts[0]!.addresses.v4, '10.244.0.251');
  assert.equal(planNodeNetwork(paths, { v4: range.v4 }, two).machine.v6, undefined);
});

test('node network: the machine makes what is missing, and no port twice', () => {
  const fresh = machineCommands(network, new Set(), 1400);
  assert.deepEqual(fresh.slice(0, 3), [
    'link add pea01234567 type bridge',
    'addr replace 10.244.0.1/24 dev pea01234567',
    'addr replace fd00:10:244::1/64 dev pea01234567 nodad',
  ]);
  assert.ok(
    fresh.includes('link add pea01234567p3 mtu 1400 type veth peer name eth0 mtu 1400 netns /run/h/hosts/b.net'),
  );
  assert.ok(fresh.includes('route replace 10.244.3.0/24 via 10.244.0.4'));
  const again = machineCommands(network, new Set(['pea01234567', 'pea01234567p1', 'pea01234567p3']), 1400);
  assert.deepEqual(
    again.filter((command) => command.startsWith('link add')),
    [],
  );
  // A port that is down is a partition somebody wanted.
  assert.deepEqual(
    again.filter((command) => command.startsWith('link set')),
    ['link set pea01234567 up'],
  );
});

test('node network: a host sends to the others directly, and all else to the machine', () => {
  const routes = hostCommands(network.hosts[0]!, network, 1500).filter((command) => command.startsWith('route'));
  assert.deepEqual(routes, [
    'route replace 0.0.0.0/0 via 10.244.0.1',
    'route replace ::/0 via fd00:10:244::1',
    'route replace 10.244.3.0/24 via 10.244.0.4',
    'route replace fd00:10:244:3::/64 via fd00:10:244::4',
  ]);
});

test('loopback ports: only these, only by the address on the bridge', () => {
  const rules = loopbackRules('pea1', { address: '10.244.0.1', ports: [6443, 5000] });
  assert.match(rules, /iifname "pea1" ip daddr 10\.244\.0\.1 tcp dport \{ 6443, 5000 \} dnat ip to 127\.0\.0\.1$/m);
  assert.match(rules, /iifname "pea1" ip daddr 127\.0\.0\.0\/8 drop/);
});
