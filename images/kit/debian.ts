/**
 * Debian packages as a heap of files to pick from: downloaded with their dependencies (as if onto an empty machine),
 * unpacked side by side without running a maintainer script, never installed.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, matchesGlob, relative } from 'node:path';
import { elfFacts } from '#images/kit/elf.ts';
import { run } from '#images/kit/run.ts';
import { type Tree, usrMerged } from '#images/kit/tree.ts';

/** Where Debian keeps libraries on this machine, most specific first. */
const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const libraryFolders = [`usr/lib/${triplet}`, 'usr/lib64', 'usr/lib'];

/** Which package a file on disk came from. */
interface Origin {
  readonly path: string;
  readonly deb: string;
}

export class DebianFiles {
  readonly #files: ReadonlyMap<string, Origin>;
  readonly #used = new Set<string>();

  constructor(files: ReadonlyMap<string, Origin>) {
    this.#files = files;
  }

  /** The .deb files something was picked from since the last call, sorted: what a layer is made of. */
  takeUsed(): readonly string[] {
    const used = [...this.#used].toSorted();
    this.#used.clear();
    return used;
  }

  /** Where a file lies on disk, for programs that are run while building. */
  pathOf(path: string): string {
    return this.#find(path).path;
  }

  /**
   * Copies files that match the patterns into `tree`, with the shared libraries they need unless a layer `below` has
   * them. A pattern that matches nothing is an error: the package has changed under us.
   */
  pick(tree: Tree, patterns: readonly string[], below: readonly Tree[] = []): void {
    for (const pattern of patterns) {
      const paths = this.#files.has(pattern)
        ? [pattern]
        : [...this.#files.keys()].filter((path) => matchesGlob(path, pattern));
      if (paths.length === 0) throw new Error(`no Debian package brought "${pattern}"`);
      for (const path of paths) this.#add(tree, path, below);
    }
  }

  /** Copies the shared libraries that a file from elsewhere needs. */
  pickLibrariesOf(file: string, tree: Tree, below: readonly Tree[] = []): void {
    const facts = elfFacts(file);
    for (const name of facts?.needed ?? []) this.#add(tree, this.#library(name, file), below);
    if (facts?.interpreter !== undefined) this.#add(tree, usrMerged(facts.interpreter), below);
  }

  #add(tree: Tree, path: string, below: readonly Tree[]): void {
    if (tree.has(path) || below.some((each) => each.has(path))) return;
    const origin = this.#find(path);
    const stat = lstatSync(origin.path);
    this.#used.add(origin.deb);
    if (stat.isSymbolicLink()) {
      const target = readlinkSync(origin.path);
      const absolute = usrMerged(target.startsWith('/') ? target : join('/', dirname(path), target));
      tree.symlink(path, relative(dirname(path), absolute));
      this.#add(tree, absolute, below);
    } else {
      // Whole numbers of the package's owner are kept out: what is not root's is set by the image.
      tree.file(path, { path: origin.path, size: stat.size }, { mode: stat.mode & 0o7777 });
      this.pickLibrariesOf(origin.path, tree, below);
    }
  }

  #library(name: string, wantedBy: string): string {
    const found = libraryFolders.map((folder) => `${folder}/${name}`).find((path) => this.#files.has(path));
    if (found === undefined) throw new Error(`no Debian package brought ${name}, which ${wantedBy} needs`);
    return found;
  }

  #find(path: string): Origin {
    const origin = this.#files.get(path);
    if (!origin) throw new Error(`no Debian package brought "${path}"`);
    return origin;
  }
}

/**
 * Downloads what is not in `cache` yet and unpacks into `work`, which the caller removes.
 * @throws when apt-get is absent or a package cannot be had
 */
export async function debianFiles(
  packages: readonly string[],
  folders: { readonly cache: string; readonly work: string },
  signal: AbortSignal,
): Promise<DebianFiles> {
  if (packages.length === 0) return new DebianFiles(new Map());
  const debs = await download(packages, folders.cache, signal);
  mkdirSync(folders.work, { recursive: true });
  const files = new Map<string, Origin>();
  // dpkg-deb decompresses on one core; more at once than the machine has cores gains nothing.
  const waiting = [...debs];
  const unpack = async (): Promise<void> => {
    for (let deb = waiting.pop(); deb !== undefined; deb = waiting.pop())
      await run(['dpkg-deb', '--extract', join(folders.cache, deb), join(folders.work, deb)], {}, signal);
  };
  await Promise.all([unpack(), unpack(), unpack(), unpack()]);
  for (const deb of debs)
    for (const entry of readdirSync(join(folders.work, deb), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isDirectory()) files.set(usrMerged(relative(join(folders.work, deb), path)), { path, deb });
    }
  return new DebianFiles(files);
}

/** `1:10.11.6-0+deb12u1` is Debian's way to write upstream's 10.11.6. */
export function upstreamVersion(deb: string): string {
  const version = decodeURIComponent(deb.split('_')[1] ?? '');
  return version
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/[+~].*$/, '');
}

/** The names of the .deb files, all of which are in `cache` afterwards. */
async function download(packages: readonly string[], cache: string, signal: AbortSignal): Promise<readonly string[]> {
  if (!existsSync('/usr/bin/apt-get'))
    throw new Error('images are made of Debian packages and this machine has no apt-get');
  mkdirSync(join(cache, 'partial'), { recursive: true });
  // An empty status makes apt believe that nothing is installed; an empty archive, that nothing is downloaded.
  const empty = mkdtempSync(join(cache, 'empty-'));
  try {
    mkdirSync(join(empty, 'partial'));
    writeFileSync(join(empty, 'status'), '');
    const apt = (archives: string, ...rest: readonly string[]): Promise<string> =>
      run(
        ['apt-get', '-qq', '-y', ...aptOptions(join(empty, 'status'), archives), ...rest, 'install', ...packages],
        {},
        signal,
      );
    const list = (): Promise<string> => apt(empty, '--print-uris');
    const listed = await list().catch(async () => {
      // Lists that were never fetched are the usual reason.
      await run(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'update'], {}, signal);
      return list();
    });
    const debs = listed.split('\n').flatMap((line) => /^'[^']*' (\S+\.deb) /.exec(line)?.[1] ?? []);
    if (debs.some((deb) => !existsSync(join(cache, deb)))) await apt(cache, '--download-only');
    return debs;
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

function aptOptions(status: string, archives: string): readonly string[] {
  const settings = {
    'Dir::State::status': status,
    'Dir::Cache::archives': archives,
    'APT::Install-Recommends': '0',
    'APT::Sandbox::User': 'root',
    // Only our own folder is written to, so the system's locks are none of our business.
    'Debug::NoLocking': '1',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}
