import assert from 'node:assert/strict';
import test from 'node:test';
import { cpuWeight, findCgroupRoots, limitFiles } from '#host/cgroup-roots.ts';
import { parseShimFlags, shimSocket } from '#host/containerd/leftovers.ts';
import { parseAddresses, parseLinks, parseRoutes } from '#host/links.ts';
import { effectiveCapability, goArchitecture, prettyName, totalMemory } from '#host/machine.ts';
import { isUnder, parseMountinfo } from '#host/mountinfo.ts';
import { parseTables, replacingTable } from '#host/nft.ts';
import { identityOf, isAlive, parseStat, signalProcess } from '#host/proc.ts';
import { CommandError, run } from '#host/process.ts';

const never = new AbortController().signal;
/** Fields 5 to 21 of /proc/PID/stat, of which the 20th is the number of threads. */
const tail = (threads: number): string =>
  Array.from({ length: 17 }, (_, i) => (i === 15 ? threads : i + 100)).join(' ');

test('parseStat: a name with spaces and parentheses does not confuse it', () => {
  assert.deepEqual(parseStat(`42 (a) S (b) 9) S 7 ${tail(9)} 555 1 2`), {
    pid: 42,
    parent: 7,
    startTicks: 555,
    zombie: false,
  });
  assert.equal(parseStat(`42 (x) Z 7 ${tail(1)} 555 1`)?.zombie, true);
  assert.equal(parseStat(`42 (x) Z 7 ${tail(3)} 555 1`)?.zombie, false, 'other threads are still at it');
  assert.equal(parseStat('nonsense'), undefined);
});

test('identity: this process lives, the same pid with another start time does not and is not signalled', () => {
  const self = identityOf(process.pid)!;
  assert.ok(isAlive(self));
  const recycled = { ...self, startTicks: self.startTicks + 1 };
  assert.ok(!isAlive(recycled));
  // SIGKILL: if it were sent, this test would not live to say so.
  assert.equal(signalProcess(recycled, 'SIGKILL'), false);
});

test('parseMountinfo: octal escapes, optional fields, super options', () => {
  const text = [
    '36 35 98:0 /mnt1 /mnt/with\\040space\\134 rw,noatime master:1 shared:2 - ext4 /dev/root rw,errors=continue',
    '37 35 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct',
    '',
  ].join('\n');
  const [first, second] = parseMountinfo(text);
  assert.equal(first!.mountPoint, '/mnt/with space\\');
  assert.equal(first!.fsType, 'ext4');
  assert.equal(first!.device, '98:0');
  assert.deepEqual(second!.superOptions, ['rw', 'cpu', 'cpuacct']);
});

test('isUnder: at or below, not merely beginning alike', () => {
  assert.ok(isUnder('/a/b', '/a/b'));
  assert.ok(isUnder('/a/b/c', '/a/b'));
  assert.ok(!isUnder('/a/bc', '/a/b'));
  assert.ok(isUnder('/a', '/'));
});

const cgroup = (id: number, path: string, type: string, options: string): string =>
  `${id} 1 0:${id} / /sys/fs/cgroup/${path} rw - ${type} ${type} rw,${options}`;
const hosts: readonly { name: string; lines: readonly string[]; want: unknown }[] = [
  { name: 'nothing mounted', lines: [], want: undefined },
  {
    name: 'v2 only',
    lines: [cgroup(1, '', 'cgroup2', 'nsdelegate')],
    want: { version: 2, paths: [['/sys/fs/cgroup/', []]] },
  },
  {
    name: 'hybrid: v1 with an empty v2 and a named hierarchy; a second mount of one hierarchy is passed over',
    lines: [
      cgroup(1, 'cpu,cpuacct', 'cgroup', 'cpu,cpuacct'),
      cgroup(1, 'again', 'cgroup', 'cpu,cpuacct'),
      cgroup(2, 'systemd', 'cgroup', 'name=systemd'),
      cgroup(3, 'unified', 'cgroup2', 'nsdelegate'),
    ],
    want: {
      version: 1,
      paths: [
        ['/sys/fs/cgroup/cpu,cpuacct', ['cpu', 'cpuacct']],
        ['/sys/fs/cgroup/systemd', []],
        ['/sys/fs/cgroup/unified', []],
      ],
    },
  },
];
for (const { name, lines, want } of hosts) {
  test(`findCgroupRoots: ${name}`, () => {
    const found = findCgroupRoots(parseMountinfo(lines.join('\n')));
    assert.deepEqual(
      found && { version: found.version, paths: found.roots.map((root) => [root.path, root.controllers]) },
      want,
    );
  });
}

test('limitFiles: both versions say the same, in their own words', () => {
  const limits = { cpuShares: 1024, cpuQuotaUs: 50_000, memoryBytes: 1 << 20, pids: 9 };
  const written = (version: 1 | 2, l: object): Record<string, string> =>
    Object.fromEntries(limitFiles(version, l).map(({ file, value }) => [file, value]));
  assert.deepEqual(written(1, limits), {
    'cpu.shares': '1024',
    'cpu.cfs_period_us': '100000',
    'cpu.cfs_quota_us': '50000',
    'memory.limit_in_bytes': '1048576',
    'pids.max': '9',
  });
  assert.deepEqual(written(2, limits), {
    'cpu.weight': '39',
    'cpu.max': '50000 100000',
    'memory.max': '1048576',
    'pids.max': '9',
  });
  assert.deepEqual(written(1, {})['cpu.cfs_quota_us'], '-1');
  assert.deepEqual(written(2, {})['cpu.max'], 'max 100000');
  assert.equal(written(1, { cpuShares: 0 })['cpu.shares'], '2');
  assert.equal(written(1, { cpuShares: 1e9 })['cpu.shares'], '262144');
});

test('cpuWeight: the ends of both scales meet', () => {
  assert.deepEqual([2, 1024, 262_144].map(cpuWeight), [1, 39, 10_000]);
});

test('machine: facts read from the kernel’s and the distribution’s texts', () => {
  assert.equal(totalMemory('MemTotal:       24682416 kB\nMemFree: 1 kB\n'), 24_682_416 * 1024);
  assert.throws(() => totalMemory(''));
  assert.equal(prettyName('NAME=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'), 'Debian GNU/Linux 12 (bookworm)');
  assert.equal(prettyName("PRETTY_NAME='Void'"), 'Void');
  assert.equal(prettyName(''), 'Unknown');
  assert.deepEqual(['x64', 'arm64'].map(goArchitecture), ['amd64', 'arm64']);
  assert.equal(effectiveCapability('CapEff:\t000001fffeffffff\n', 24), false);
  assert.equal(effectiveCapability('CapEff:\t000001ffffffffff\n', 24), true);
});

test('links: what `ip -j` prints, nothing at all included', () => {
  assert.deepEqual(parseLinks(''), []);
  assert.deepEqual(
    parseLinks(
      '[{"ifname":"lo","mtu":65536},{"ifname":"v1","mtu":1500,"master":"pea1","linkinfo":{"info_kind":"veth"}},{}]',
    ),
    [
      { name: 'lo', kind: '', master: undefined, mtu: 65_536 },
      { name: 'v1', kind: 'veth', master: 'pea1', mtu: 1500 },
    ],
  );
  assert.deepEqual(
    parseAddresses('[{"ifname":"eth0","addr_info":[{"local":"192.0.2.2","prefixlen":24}]},{"ifname":"x"}]'),
    [{ cidr: '192.0.2.2/24', link: 'eth0' }],
  );
  assert.deepEqual(
    parseRoutes(
      '[{"dst":"default","dev":"a"},{"dst":"10.1.0.0/16","dev":"b"},{"dst":"10.2.0.1"},{"dst":"fd00::1","dev":"c"}]',
    ),
    [
      { cidr: '10.1.0.0/16', link: 'b' },
      { cidr: '10.2.0.1/32', link: undefined },
      { cidr: 'fd00::1/128', link: 'c' },
    ],
  );
});

test('nft: tables are listed, and replaced in one transaction whether they exist or not', () => {
  assert.deepEqual(
    parseTables('{"nftables":[{"metainfo":{}},{"table":{"family":"inet","name":"peapod-1","handle":3}}]}'),
    [{ family: 'inet', name: 'peapod-1' }],
  );
  assert.deepEqual(replacingTable({ family: 'inet', name: 't' }, 'BODY').split('\n').slice(0, 3), [
    'table inet t',
    'delete table inet t',
    'table inet t {',
  ]);
});

test('shims: named by their flags and by the socket that follows from them', () => {
  const line = ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-id', 'abc', '-address', '/run/x/c.sock'];
  const flags = parseShimFlags(line);
  assert.deepEqual(flags, { namespace: 'k8s.io', id: 'abc', address: '/run/x/c.sock' });
  // The name is `sha256sum` of /run/x/c.sock/k8s.io/abc.
  assert.equal(
    shimSocket(flags!),
    '/run/containerd/s/98fc2abb24d936245c57fe16ff5c3ee10fb4b502eda53f41b4f9e5fd8ee759c7',
  );
  assert.equal(parseShimFlags(['sleep', '1']), undefined);
});

test('run: output, input, and errors that quote what the command said', async () => {
  assert.equal(await run('cat', [], { input: 'hello' }, never), 'hello');
  await assert.rejects(run('sh', ['-c', 'echo no luck >&2; exit 3'], {}, never), (error: CommandError) => {
    assert.equal(error.kind, 'failed');
    assert.match(error.message, /ended with 3: no luck$/);
    return true;
  });
  await assert.rejects(
    run('no-such-command-here', [], {}, never),
    /^CommandError: no-such-command-here is not installed/,
  );
  await assert.rejects(
    run('sleep', ['10'], { timeoutMs: 20 }, never),
    (error: CommandError) => error.kind === 'timed-out',
  );
});

test('run: cancelling kills the command and rejects with the reason', async () => {
  const controller = new AbortController();
  const before = performance.now();
  const running = run('sleep', ['10'], {}, controller.signal);
  setTimeout(() => controller.abort(new Error('enough')), 10);
  await assert.rejects(running, /enough/);
  assert.ok(performance.now() - before < 5_000);
  await assert.rejects(run('true', [], {}, controller.signal), /enough/);
});
