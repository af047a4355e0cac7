import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { hostsToml, writeRegistryHosts } from '#host/containerd/certs-d.ts';
import { containerdConfig, toToml, type ContainerdConfig } from '#host/containerd/config.ts';
import { findContainerdTools, MissingToolError, parseContainerdVersion } from '#host/containerd/tools.ts';

const config: ContainerdConfig = {
  version: { major: 1, minor: 6, patch: 20 },
  root: '/data',
  state: '/run/state',
  socket: '/run/c.sock',
  sandboxImage: 'registry.k8s.io/pause:3.6',
  cni: { binDir: '/usr/lib/cni', confDir: '/run/cni' },
  registryConfig: '/run/certs.d',
  runtime: { binary: '/usr/sbin/runc', root: '/run/runc' },
  facts: { mayLowerOomScore: false, apparmor: false, hugetlb: false },
};

test('containerdConfig: 1.6 and 1.7 get version 2, with the CRI plugin in one piece', () => {
  const text = containerdConfig(config);
  assert.match(text, /^version = 2$/m);
  assert.match(text, /^\[plugins\."io\.containerd\.grpc\.v1\.cri"\]$/m);
  assert.match(text, /^bin_dir = "\/usr\/lib\/cni"$/m);
  assert.match(text, /^sandbox_image = "registry\.k8s\.io\/pause:3\.6"$/m);
  // Without it the task service of 1.6 does not load.
  assert.ok(!text.includes('io.containerd.runtime.v1.linux'));
});

test('containerdConfig: 2.x gets version 3, with the CRI plugin in two pieces', () => {
  const text = containerdConfig({ ...config, version: { major: 2, minor: 1, patch: 9 } });
  assert.match(text, /^version = 3$/m);
  assert.match(text, /^\[plugins\."io\.containerd\.cri\.v1\.images"\.pinned_images\]\nsandbox = /m);
  assert.match(text, /^bin_dirs = \["\/usr\/lib\/cni"\]$/m);
  assert.ok(!text.includes('io.containerd.grpc.v1.cri'));
});

test('containerdConfig: what the machine lacks is switched off, and only that', () => {
  const without = containerdConfig(config);
  const withAll = containerdConfig({ ...config, facts: { mayLowerOomScore: true, apparmor: true, hugetlb: true } });
  for (const key of ['restrict_oom_score_adj', 'disable_apparmor', 'disable_hugetlb_controller']) {
    assert.match(without, new RegExp(`^${key} = true$`, 'm'));
    assert.match(withAll, new RegExp(`^${key} = false$`, 'm'));
  }
});

test('toToml: plain keys before tables, names quoted where they must be', () => {
  assert.equal(
    toToml({ t: { 'a.b': { x: 1 }, y: true }, list: ['q"', 'z'] }),
    'list = ["q\\"","z"]\n\n[t]\ny = true\n\n[t."a.b"]\nx = 1\n',
  );
});

test('hostsToml: mirrors in order, then the server', () => {
  assert.equal(
    hostsToml({ mirrors: ['http://127.0.0.1:5000'], server: 'http://127.0.0.1:5000' }),
    'server = "http://127.0.0.1:5000"\n\n[host."http://127.0.0.1:5000"]\ncapabilities = ["pull","resolve"]\n',
  );
});

test('writeRegistryHosts: the directory says what was last written, and nothing else', () => {
  const directory = mkdtempSync(join(tmpdir(), 'certs-d-'));
  try {
    writeRegistryHosts(directory, { 'docker.io': { mirrors: ['http://a'] }, _default: { mirrors: ['http://a'] } });
    writeRegistryHosts(directory, { 'docker.io': { mirrors: ['http://b'] } });
    assert.deepEqual(readdirSync(directory), ['docker.io']);
    assert.match(readFileSync(join(directory, 'docker.io/hosts.toml'), 'utf8'), /^\[host\."http:\/\/b"\]$/m);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const versions: readonly { text: string; want: unknown }[] = [
  { text: 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1', want: [1, 6, 20] },
  { text: 'containerd github.com/containerd/containerd/v2 2.1.9~ds1 2.1.9', want: [2, 1, 9] },
  { text: 'containerd github.com/containerd/containerd v1.7.24 88bf19b2105c', want: [1, 7, 24] },
  { text: 'containerd', want: undefined },
];
for (const { text, want } of versions) {
  test(`parseContainerdVersion: ${text}`, () => {
    const found = parseContainerdVersion(text);
    assert.deepEqual(found && [found.major, found.minor, found.patch], want);
  });
}

/** A machine on which exactly these programs are installed. None of the usual sbin directories has them either. */
async function missingOn(programs: Readonly<Record<string, string>>, plugins: readonly string[]): Promise<unknown> {
  const base = mkdtempSync(join(tmpdir(), 'tools-'));
  try {
    for (const [name, script] of Object.entries(programs)) program(join(base, 'bin'), name, script);
    for (const name of plugins) program(join(base, 'cni'), name, 'exit 0');
    const places = { path: join(base, 'bin'), sbin: [], cniBinDirs: [join(base, 'cni')] };
    return await findContainerdTools(places, 'runc', join(base, 'cache'), new AbortController().signal);
  } catch (error) {
    return error;
  } finally {
    rmSync(base, { recursive: true });
  }
}

function program(directory: string, name: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, name), 0o755);
}

const all = {
  containerd: 'echo containerd github.com/containerd/containerd 1.6.20',
  'containerd-shim-runc-v2': '',
  runc: '',
  ip: '',
  nft: '',
  mount: '',
  umount: '',
};
const allPlugins = ['bridge', 'host-local', 'loopback'];
const without = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => key !== name));

const machines: readonly { name: string; found: () => Promise<unknown>; want: RegExp }[] = [
  {
    name: 'no containerd',
    found: () => missingOn({}, []),
    want: /^containerd is not installed: run `apt-get install containerd`$/,
  },
  {
    name: 'no runc',
    found: () => missingOn(without('runc'), allPlugins),
    want: /^runc is not installed: .*install runc`$/,
  },
  {
    name: 'no nft',
    found: () => missingOn(without('nft'), allPlugins),
    want: /^nft is not installed: .*install nftables`$/,
  },
  { name: 'no plugins', found: () => missingOn(all, ['bridge']), want: /install containernetworking-plugins`$/ },
  {
    name: 'an old containerd',
    found: () => missingOn({ ...all, containerd: 'echo containerd x 1.4.13' }, allPlugins),
    want: /^containerd 1\.4 is too old/,
  },
];
for (const { name, found, want } of machines) {
  test(`findContainerdTools: ${name}`, async () => {
    const error = await found();
    assert.ok(error instanceof MissingToolError, String(error));
    assert.match(error.message, want);
  });
}

test('findContainerdTools: everything there', async () => {
  const tools = await missingOn(all, allPlugins);
  assert.ok(typeof tools === 'object' && tools !== null && 'version' in tools, String(tools));
  assert.deepEqual(tools.version, { major: 1, minor: 6, patch: 20 });
});
