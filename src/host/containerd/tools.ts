/** Finding containerd and what it needs; saying which package brings what is missing. */
import { accessSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findCgroupRoots } from '#host/cgroup-roots.ts';
import type { ContainerdVersion, HostFacts } from '#host/containerd/config.ts';
import { CAP_SYS_RESOURCE, hasAppArmor, hasCapability } from '#host/machine.ts';
import { readMountinfo } from '#host/mountinfo.ts';
import { run } from '#host/process.ts';

export interface ContainerdTools {
  readonly containerd: string;
  readonly version: ContainerdVersion;
  readonly runtime: string;
  readonly cniBinDir: string;
}

/** Something must be installed first. One line with what to do. */
export class MissingToolError extends Error {
  override readonly name = 'MissingToolError';
  readonly tool: string;
  constructor(tool: string, message: string) {
    super(message);
    this.tool = tool;
  }
}

export interface SearchPlaces {
  /** Directories as in PATH. */
  readonly path: string;
  /** Searched after PATH, which often lacks them for users that are not root. */
  readonly sbin: readonly string[];
  readonly cniBinDirs: readonly string[];
}

export const usualPlaces = (): SearchPlaces => ({
  path: process.env['PATH'] ?? '',
  sbin: ['/usr/local/sbin', '/usr/sbin', '/sbin'],
  cniBinDirs: ['/usr/lib/cni', '/opt/cni/bin'],
});

/**
 * Throws MissingToolError for the first thing missing, or for a containerd too old to serve CRI v1. The version of an
 * unchanged binary is remembered in `cache`: asking it takes as long as starting it.
 */
export async function findContainerdTools(
  places: SearchPlaces,
  runtime: 'runc' | 'crun',
  cache: string,
  signal: AbortSignal,
): Promise<ContainerdTools> {
  const containerd = findTool('containerd', places);
  findTool('containerd-shim-runc-v2', places, 'containerd');
  const tools = { containerd, runtime: findTool(runtime, places), cniBinDir: findCniPlugins(places.cniBinDirs) };
  // The runtime's callers, not ours to call by path: missing, they would fail one pod at a time.
  for (const [tool, debianPackage] of hostTools) findTool(tool, places, debianPackage);
  if (runtime === 'crun') refuseCrunOnHybrid();
  const version = await containerdVersion(containerd, cache, signal);
  if (version.major < 1 || (version.major === 1 && version.minor < 6)) {
    throw new MissingToolError(
      'containerd',
      `containerd ${version.major}.${version.minor} is too old: 1.6 or newer is needed`,
    );
  }
  return { ...tools, version };
}

/** The absolute path of a program. Throws MissingToolError naming the Debian package. */
export function findTool(name: string, places: SearchPlaces, debianPackage: string = name): string {
  for (const directory of new Set([...places.path.split(':'), ...places.sbin])) {
    if (directory === '') continue;
    const candidate = join(directory, name);
    if (isExecutable(candidate)) return candidate;
  }
  throw new MissingToolError(name, `${name} is not installed: run \`apt-get install ${debianPackage}\``);
}

/** containerd's own version line: "containerd github.com/containerd/containerd/v2 2.1.9 …". */
export function parseContainerdVersion(text: string): ContainerdVersion | undefined {
  const found = /\sv?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return found ? { major: Number(found[1]), minor: Number(found[2]), patch: Number(found[3]) } : undefined;
}

/** What containerd must be told about this machine. */
export function hostFacts(): HostFacts {
  return {
    mayLowerOomScore: hasCapability(CAP_SYS_RESOURCE),
    // containerd looks at the same two places.
    apparmor: hasAppArmor(),
    hugetlb: hugetlbMounted(),
  };
}

/** Known to the kernel is not enough: on v1 the hierarchy must be mounted too. */
function hugetlbMounted(): boolean {
  const roots = findCgroupRoots(readMountinfo())?.roots ?? [];
  return roots.some(({ path, version, controllers }) =>
    version === 1 ? controllers.includes('hugetlb') : /\bhugetlb\b/.test(textOf(join(path, 'cgroup.controllers'))),
  );
}

/** crun gives up where v1 controllers and a v2 hierarchy are mounted together; runc does not mind. */
function refuseCrunOnHybrid(): void {
  const found = findCgroupRoots(readMountinfo());
  if (found?.version === 1 && found.roots.some((root) => root.version === 2)) {
    throw new Error(
      'crun does not work with hybrid cgroups (v1 with an empty v2 beside it), as this machine has: use runc',
    );
  }
}

const hostTools: readonly (readonly [tool: string, debianPackage: string])[] = [
  ['ip', 'iproute2'],
  ['nft', 'nftables'],
  ['mount', 'mount'],
  ['umount', 'mount'],
];

const neededPlugins = ['bridge', 'host-local', 'loopback'];

function findCniPlugins(directories: readonly string[]): string {
  const complete = directories.find((directory) => neededPlugins.every((name) => isExecutable(join(directory, name))));
  if (complete !== undefined) return complete;
  throw new MissingToolError(
    'CNI plugins',
    `the CNI plugins ${neededPlugins.join(', ')} are not installed in ${directories.join(' or ')}: run \`apt-get install containernetworking-plugins\``,
  );
}

async function containerdVersion(binary: string, cache: string, signal: AbortSignal): Promise<ContainerdVersion> {
  const { mtimeMs, size, ino } = statSync(binary);
  const key = `${binary} ${mtimeMs} ${size} ${ino}`;
  const file = join(cache, 'containerd-version');
  const [knownKey, knownText] = textOf(file).split('\n');
  const known = knownKey === key ? parseContainerdVersion(knownText ?? '') : undefined;
  if (known) return known;
  const text = (await run(binary, ['--version'], {}, signal)).trim();
  const version = parseContainerdVersion(text);
  if (!version) throw new Error(`${binary} --version says ${JSON.stringify(text)}: not a version this program knows`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${key}\n${text}\n`);
  return version;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
