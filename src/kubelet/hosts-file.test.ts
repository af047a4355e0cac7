import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { PodSpec } from '#api/generated/core-v1.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { hostsFileOf } from '#kubelet/hosts-file.ts';
import { writeHostsFile } from '#kubelet/write-hosts-file.ts';

const managed = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;
const both = ['10.1.2.3', 'fd00::3'];
const hostAliases = [
  { ip: '123.45.67.89', hostnames: ['foo', 'bar'] },
  { ip: '::9', hostnames: ['baz'] },
];
const cases: readonly {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly addresses?: readonly string[];
  readonly want: string | undefined;
}[] = [
  { name: 'each address with the hostname', spec: {}, want: `${managed}10.1.2.3\tweb\nfd00::3\tweb\n` },
  {
    name: 'a subdomain gives the FQDN, and the hostname after it',
    spec: { hostname: 'a', subdomain: 's' },
    addresses: ['10.1.2.3'],
    want: `${managed}10.1.2.3\ta.s.default.svc.cluster.local\ta\n`,
  },
  {
    name: 'aliases come last',
    spec: { hostAliases },
    addresses: ['10.1.2.3'],
    want: `${managed}10.1.2.3\tweb\n\n# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n::9\tbaz\n`,
  },
  {
    name: 'in the node’s network the node’s own file',
    spec: { hostNetwork: true, hostAliases: [hostAliases[1]!] },
    addresses: [],
    want: '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n\n# Entries added by HostAliases.\n::9\tbaz\n',
  },
  { name: 'without an address there is none', spec: { hostAliases }, addresses: [], want: undefined },
];
for (const { name, spec, addresses = both, want } of cases) {
  test(`hostsFileOf: ${name}`, () =>
    assert.equal(hostsFileOf(aPod(spec), { addresses, nodeHosts: '127.0.0.1 localhost\n' }), want));
}

test('writeHostsFile: changes the file in place, shorter or longer, and leaves it when it says the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'peapod-hosts-'));
  try {
    const path = join(folder, 'etc-hosts');
    await writeHostsFile(path, 'one\ntwo\n');
    const first = await stat(path);
    assert.equal(first.mode & 0o777, 0o644);
    for (const text of ['one\n', 'one\ntwo\nthree\n']) {
      await writeHostsFile(path, text);
      assert.equal(await readFile(path, 'utf8'), text);
    }
    await writeFile(path, 'one\ntwo\nTHREE\n');
    await writeHostsFile(path, 'one\ntwo\nthree\n');
    assert.equal(await readFile(path, 'utf8'), 'one\ntwo\nthree\n');
    const before = await stat(path);
    await writeHostsFile(path, 'one\ntwo\nthree\n');
    const after = await stat(path);
    assert.deepEqual([after.ino, after.mtimeMs], [first.ino, before.mtimeMs]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
