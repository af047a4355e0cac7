import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { cniConfig, writeCniConfig, type CniOptions } from '#network/cni.ts';
import { attachments, releaseAddress, reservations, type Attachment, type Reservation } from '#network/ipam.ts';
import { planLeaks, type NetworkState } from '#network/leaks.ts';
import { masqueradeRules } from '#network/masquerade.ts';
import { bridgeName } from '#network/network.ts';
import { chooseRange, NoFreeRangeError, nodeRange, overlaps } from '#network/ranges.ts';

const pairs: readonly [string, string, boolean][] = [
  ['10.244.0.0/16', '10.244.7.0/24', true],
  ['10.244.7.0/24', '10.244.0.0/16', true],
  ['10.244.0.0/16', '10.245.0.0/16', false],
  ['10.0.0.0/8', '10.244.0.0/16', true],
  ['10.244.3.9/16', '10.244.0.0/24', true],
  ['192.0.2.2/24', '10.244.0.0/16', false],
  ['fd00:10:244::/48', 'fd00:10:244:5::/64', true],
  ['fd00::2/64', 'fd00:10:244::/48', false],
  ['fd00::/16', 'fd00:10:244::/48', true],
  ['10.244.0.0/16', 'fd00:10:244::/48', false],
];
for (const [a, b, want] of pairs) {
  test(`overlaps: ${a} and ${b}: ${want}`, () => assert.equal(overlaps(a, b), want));
}

const used = (...cidrs: readonly string[]): readonly { cidr: string; link: string }[] =>
  cidrs.map((cidr) => ({ cidr, link: 'eth0' }));
const choices: readonly { name: string; used: ReturnType<typeof used>; ipv6?: boolean; want: string }[] = [
  { name: 'a quiet machine', used: used('192.0.2.2/24', 'fe80::1/64'), want: '10.244.0.0/16 fd00:10:244::/48' },
  { name: 'no IPv6', used: [], ipv6: false, want: '10.244.0.0/16' },
  { name: 'another cluster’s pods', used: used('10.244.1.1/24'), want: '10.245.0.0/16 fd00:10:245::/48' },
  { name: 'taken in v6 only', used: used('fd00:10:244:9::1/64'), want: '10.245.0.0/16 fd00:10:245::/48' },
  { name: 'the first three', used: used('10.244.0.0/14', '10.1.0.0/16'), want: '10.248.0.0/16 fd00:10:248::/48' },
  {
    name: 'a VPN to everywhere is no obstacle',
    used: used('0.0.0.0/1', '128.0.0.0/1'),
    want: '10.244.0.0/16 fd00:10:244::/48',
  },
];
for (const { name, used: taken, ipv6 = true, want } of choices) {
  test(`chooseRange: ${name}`, () => {
    const { v4, v6 } = chooseRange(taken, { ownLink: 'pea1', ipv6 });
    assert.equal(v6 === undefined ? v4 : `${v4} ${v6}`, want);
  });
}

test('chooseRange: our own bridge is no obstacle, and a range once chosen is kept', () => {
  const own = [{ cidr: '10.244.1.1/24', link: 'pea1' }];
  assert.equal(chooseRange(own, { ownLink: 'pea1', ipv6: true }).v4, '10.244.0.0/16');
  const known = { v4: '10.250.0.0/16' };
  assert.equal(chooseRange(used('10.250.3.1/24'), { known, ownLink: 'pea1', ipv6: true }), known);
});

test('chooseRange: when all are taken it says by whom', () => {
  assert.throws(
    () => chooseRange(used('10.0.0.0/8'), { ownLink: 'pea1', ipv6: true }),
    (error: Error) => error instanceof NoFreeRangeError && error.message.includes('10.255.0.0/16 (10.0.0.0/8 on eth0)'),
  );
});

test('nodeRange: the first pod of node 1 gets 10.244.1.3', () => {
  const cluster = { v4: '10.244.0.0/16', v6: 'fd00:10:244::/48' };
  assert.deepEqual(nodeRange(cluster, 1), {
    v4: { subnet: '10.244.1.0/24', first: '10.244.1.3', gateway: '10.244.1.1' },
    v6: { subnet: 'fd00:10:244:1::/64', first: 'fd00:10:244:1::3', gateway: 'fd00:10:244:1::1' },
  });
  assert.equal(nodeRange(cluster, 255).v6?.subnet, 'fd00:10:244:255::/64');
  assert.deepEqual(Object.keys(nodeRange({ v4: '10.245.0.0/16' }, 2)), ['v4']);
  for (const index of [0, 256, 1.5, -1]) assert.throws(() => nodeRange(cluster, index), RangeError);
});

test('bridgeName: fits the kernel’s 15 characters', () => assert.ok(bridgeName({ hash: '01234567' }).length <= 15));

test('masqueradeRules: each family only what leaves the cluster', () => {
  const rules = masqueradeRules({ v4: '10.244.0.0/16', v6: 'fd00:10:244::/48' });
  assert.match(rules, /ip saddr 10\.244\.0\.0\/16 ip daddr != \{ 10\.244\.0\.0\/16, 224\.0\.0\.0\/4 \} masquerade/);
  assert.match(rules, /ip6 saddr fd00:10:244::\/48 /);
  assert.ok(!masqueradeRules({ v4: '10.244.0.0/16' }).includes('ip6'));
});

const options: CniOptions = {
  network: 'peapod-01234567',
  bridge: 'pea01234567',
  range: nodeRange({ v4: '10.244.0.0/16', v6: 'fd00:10:244::/48' }, 1),
  ipam: '/data/ipam',
};

test('cniConfig: dual stack, from .3, without the plugin’s own masquerade', () => {
  assert.deepEqual(cniConfig(options), {
    cniVersion: '1.0.0',
    name: 'peapod-01234567',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pea01234567',
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: '/data/ipam',
          ranges: [
            [{ subnet: '10.244.1.0/24', rangeStart: '10.244.1.3' }],
            [{ subnet: 'fd00:10:244:1::/64', rangeStart: 'fd00:10:244:1::3' }],
          ],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      },
    ],
  });
  const narrow = JSON.stringify(cniConfig({ ...options, range: nodeRange({ v4: '10.244.0.0/16' }, 1), mtu: 1400 }));
  assert.ok(!narrow.includes('::'));
  assert.ok(narrow.includes('"mtu":1400'));
});

test('writeCniConfig: in place, and not at all when nothing changes', () =>
  withDirectory((directory) => {
    const file = join(directory, '10-peapod.conflist');
    writeCniConfig(directory, options);
    const first = statSync(file);
    writeCniConfig(directory, options);
    assert.equal(statSync(file).mtimeMs, first.mtimeMs);
    writeCniConfig(directory, { ...options, mtu: 1400 });
    // containerd 1.6 does not notice a file that was renamed there.
    assert.equal(statSync(file).ino, first.ino);
    assert.match(readFileSync(file, 'utf8'), /"mtu": 1400/);
  }));

test('reservations: addresses only, with the container each is held for', () =>
  withDirectory((directory) => {
    const network = join(directory, 'net');
    mkdirSync(network);
    for (const [name, text] of Object.entries({
      '10.244.1.3': 'abc\r\neth0',
      'fd00:10:244:1::3': 'abc\r\neth0',
      'last_reserved_ip.0': '10.244.1.3',
      lock: '',
    }))
      writeFileSync(join(network, name), text);
    const found = reservations(directory, 'net').map(({ address, containerId }) => `${address} ${containerId}`);
    assert.deepEqual(found.sort(), ['10.244.1.3 abc', 'fd00:10:244:1::3 abc']);
    assert.deepEqual(reservations(directory, 'other'), []);
  }));

test('attachments: ours by the network’s name, loopback’s by where the namespace is; a torn file still names its container', () =>
  withDirectory((cache) => {
    const cached = (sandbox: string): string =>
      JSON.stringify({
        result: { interfaces: [{ name: 'veth1' }, { name: 'eth0', sandbox }] },
      });
    for (const [name, text] of Object.entries({
      'net-abc-eth0': cached('/state/netns/1'),
      'net-def-eth0': '{"kind":',
      'net-ghi-eth0': '',
      'cni-loopback-abc-lo': cached('/state/netns/1'),
      'cni-loopback-xyz-lo': cached('/elsewhere/netns/1'),
      'network-abc-eth0': cached('/state/netns/2'),
    }))
      writeFileSync(join(cache, name), text);
    const found = new Map(
      attachments('net', '/state', cache).map((one) => [`${one.containerId} ${one.interfaceName}`, one]),
    );
    assert.deepEqual([...found.keys()].sort(), ['abc eth0', 'abc lo', 'def eth0', 'ghi eth0']);
    assert.equal(found.get('abc eth0')?.namespace, '/state/netns/1');
    assert.equal(found.get('def eth0')?.namespace, undefined);
    assert.deepEqual(
      [...found.values()]
        .filter(({ torn }) => torn)
        .map(({ containerId }) => containerId)
        .sort(),
      ['def', 'ghi'],
    );
  }));

test('releaseAddress: not one that somebody else has by now', () =>
  withDirectory((directory) => {
    const file = join(directory, '10.244.1.3');
    writeFileSync(file, 'later\r\neth0');
    releaseAddress({ address: '10.244.1.3', file, containerId: 'dead' });
    assert.ok(existsSync(file));
    releaseAddress({ address: '10.244.1.3', file, containerId: 'later' });
    assert.ok(!existsSync(file));
    releaseAddress({ address: '10.244.1.3', file, containerId: 'later' });
  }));

const held = (containerId: string): Reservation => ({
  address: '10.244.1.3',
  file: `/ipam/${containerId}`,
  containerId,
});
const attached = (containerId: string, namespace: string | undefined, interfaceName = 'eth0'): Attachment => ({
  file: `/cache/${containerId}-${interfaceName}`,
  containerId,
  interfaceName,
  namespace,
  torn: false,
});
const states: readonly { name: string; state: NetworkState; want: readonly string[] }[] = [
  { name: 'nothing there', state: { reservations: [], attachments: [], namespaces: [] }, want: [] },
  {
    name: 'a live sandbox is left alone',
    state: {
      reservations: [held('live')],
      attachments: [attached('live', '/ns/1'), attached('live', '/ns/1', 'lo')],
      namespaces: ['/ns/1'],
    },
    want: [],
  },
  {
    name: 'a crash before the address was written down as a result',
    state: { reservations: [held('dead')], attachments: [], namespaces: ['/ns/1'] },
    want: ['release-address /ipam/dead', 'remove-namespace /ns/1'],
  },
  {
    name: 'a dead sandbox beside a live one: the namespace last',
    state: {
      reservations: [held('dead'), held('live')],
      attachments: [attached('live', '/ns/1'), attached('dead', '/ns/2')],
      namespaces: ['/ns/1', '/ns/2'],
    },
    want: ['forget-attachment /cache/dead-eth0', 'release-address /ipam/dead', 'remove-namespace /ns/2'],
  },
  {
    name: 'a live sandbox whose result was cut short: it goes, and no namespace is called unused yet',
    state: {
      reservations: [held('live')],
      attachments: [{ ...attached('live', undefined), torn: true }],
      namespaces: ['/ns/1'],
    },
    want: ['forget-attachment /cache/live-eth0'],
  },
  {
    name: 'a live sandbox whose result does not say where it is: no namespace is called unused',
    state: { reservations: [held('dead')], attachments: [attached('live', undefined)], namespaces: ['/ns/1'] },
    want: ['release-address /ipam/dead'],
  },
];
for (const { name, state, want } of states) {
  test(`planLeaks: ${name}`, () => {
    const steps = planLeaks(state, new Set(['live']));
    const shown = steps.map((step) =>
      step.kind === 'forget-attachment'
        ? `${step.kind} ${step.attachment.file}`
        : `${step.kind} ${step.kind === 'release-address' ? step.reservation.file : step.file}`,
    );
    assert.deepEqual(shown, want);
  });
}

function withDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'network-'));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
