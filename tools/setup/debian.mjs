/**
 * Debian's packages: only those whose programs are missing, without starting a service. What counts is that the program
 * is there, not who brought it: Docker's containerd.io, for one, conflicts with Debian's containerd and serves as well.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { Stop, attempt, cache, run, say } from './say.mjs';

/**
 * @typedef {object} Need
 * @property {string} package the Debian package that brings it
 * @property {readonly string[]} programs all of them make the package unnecessary; a name is searched in PATH and the usual places
 */

/** Debian puts CNI plugins in /usr/lib/cni, upstream's own archives in /opt/cni/bin. */
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin'];

/** @type {readonly Need[]} */
const forStart = [
  { package: 'containerd', programs: ['containerd', 'containerd-shim-runc-v2', 'ctr'] },
  { package: 'runc', programs: ['runc'] },
  {
    package: 'containernetworking-plugins',
    programs: ['bridge', 'host-local', 'loopback', 'portmap'].map((name) => `cni:${name}`),
  },
  { package: 'iproute2', programs: ['ip'] },
  // Rules are written with nft; CNI's portmap plugin still calls iptables.
  { package: 'nftables', programs: ['nft'] },
  { package: 'iptables', programs: ['iptables', 'ip6tables'] },
  { package: 'docker-registry', programs: ['docker-registry'] },
];

/** @type {readonly Need[]} The benchmark's peer; catatonit is the program in the pause image that podman makes itself. */
const forTest = [
  { package: 'podman', programs: ['podman'] },
  { package: 'catatonit', programs: ['catatonit'] },
];

const policy = '/usr/sbin/policy-rc.d';
const policyMark = '# peapod set-up: no service is started while it installs; may be deleted';

/**
 * @param {'start' | 'test'} purpose
 * @returns {readonly string[]} names of Debian packages
 */
export function missingDebianPackages(purpose) {
  const needs = purpose === 'test' ? [...forStart, ...forTest] : forStart;
  return needs.filter((need) => !need.programs.every(isInstalled)).map((need) => need.package);
}

/** @param {readonly string[]} packages */
export function installDebianPackages(packages) {
  const command = `apt-get install ${packages.join(' ')}`;
  if (!isExecutable('/usr/bin/apt-get'))
    throw new Stop(
      `this machine has no apt-get; install the equivalents of these Debian packages, then run it again: ${packages.join(' ')}`,
    );
  if (process.getuid?.() !== 0)
    throw new Stop(`Debian packages are missing and only root can install them; run as root: ${command}`);
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    throw new Stop(`only x86_64 and arm64 are supported, this machine is ${process.arch}`);
  say(`installing Debian packages: ${packages.join(' ')}`);
  const before = unitsOf(packages);
  const install = [
    'apt-get',
    '-y',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=300',
    'install',
    '--no-install-recommends',
    ...packages,
  ];
  withoutStartingServices((wrap) => {
    if (attempt(wrap(install), { env: quietly }).ok) return;
    // Lists that are absent or out of date are the usual reason; only now is fetching them worth its time.
    updateLists();
    run(command, wrap(install), { env: quietly });
  });
  leaveDisabled(unitsOf(packages).filter((unit) => !before.includes(unit)));
}

export function updateLists() {
  say('fetching the lists of Debian packages (apt-get update)');
  attempt(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'update'], { env: quietly });
}

/** @param {string} name */
export function isInstalled(name) {
  const folders = name.startsWith('cni:')
    ? cniFolders
    : [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin'];
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, name.replace(/^cni:/, ''))));
}

const quietly = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Maintainer scripts ask policy-rc.d before they start a service. Somebody else's policy is covered by a bind mount in a
 * mount namespace of apt's own, which nobody sees and nothing can leave behind; where there is none, ours stands for the
 * while, and one that a killed set-up left is known by its mark.
 * @param {(wrap: (command: readonly string[]) => readonly string[]) => void} install
 */
function withoutStartingServices(install) {
  const script = `#!/bin/sh\n${policyMark}\nexit 101\n`;
  if (existsSync(policy) && !readFileSync(policy, 'utf8').includes(policyMark)) {
    const ours = join(cache, 'policy-rc.d');
    mkdirSync(cache, { recursive: true });
    writeFileSync(ours, script, { mode: 0o755 });
    const covered = 'mount --bind "$0" "$1" && shift && exec "$@"';
    install((command) => ['unshare', '--mount', 'sh', '-c', covered, ours, policy, ...command]);
    return;
  }
  writeFileSync(policy, script, { mode: 0o755 });
  try {
    install((command) => command);
  } finally {
    rmSync(policy, { force: true });
  }
}

/**
 * @param {readonly string[]} packages
 * @returns {readonly string[]} the services these packages have installed
 */
function unitsOf(packages) {
  const { stdout } = spawnSync('dpkg-query', ['--listfiles', ...packages], { encoding: 'utf8' });
  return (stdout ?? '')
    .split('\n')
    .filter((file) =>
      /^(\/usr)?\/lib\/systemd\/system\/[^/@]+\.(service|socket|timer)$|^\/etc\/init\.d\/[^/]+$/.test(file),
    );
}

/**
 * peapod starts its own containerd and registry; what nobody asked for shall not start at the next boot either.
 * @param {readonly string[]} units paths of unit files and init scripts
 */
function leaveDisabled(units) {
  const enabled = new Set(
    ['/etc/systemd/system', '/etc/systemd/user']
      .filter((folder) => existsSync(folder))
      .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => basename(file))),
  );
  for (const unit of units) {
    const name = basename(unit);
    if (unit.startsWith('/etc/init.d/')) attempt(['update-rc.d', name, 'disable']);
    else if (enabled.has(name) && isInstalled('systemctl')) attempt(['systemctl', '--no-reload', 'disable', name]);
    else continue;
    say(`left disabled at boot: ${name}`);
  }
}
