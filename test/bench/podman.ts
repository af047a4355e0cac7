import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCgroupRoots } from '#host/cgroup-roots.ts';
import { readMountinfo } from '#host/mountinfo.ts';
import { readKitFile } from '#images/kit/kit-file.ts';

const run = promisify(execFile);
const kit = '/var/cache/peapod/kit';
/** podman's state, CNI's leases and whatever else lies in these is thrown away with the mount namespace. */
const prepare =
  'mount -t tmpfs none /run && mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && ip link set lo up';

/**
 * Podman with a store of its own, in a network and a mount namespace of its own: with them go the bridge, the rules and the mounts
 * it leaves behind. Nothing of another podman's is touched.
 */
export class PrivatePodman implements AsyncDisposable {
  readonly image = 'localhost/bench-busybox:1';
  readonly #dir: string;
  readonly #holder: ChildProcess;
  readonly #before: ReadonlySet<string> = new Set(podmanCgroups());

  private constructor(dir: string, holder: ChildProcess) {
    this.#dir = dir;
    this.#holder = holder;
  }

  /** undefined where there is no podman or no image kit. */
  static async start(): Promise<PrivatePodman | undefined> {
    const found = await run('podman', ['--version']).catch(() => undefined);
    const busybox = readKitFile(kit)?.images.find(({ name }) => name === 'busybox');
    if (found === undefined || busybox === undefined) return undefined;
    const dir = mkdtempSync(join(tmpdir(), 'peapod-bench-podman-'));
    const args = ['--net', '--mount', 'sh', '-c', `${prepare} && echo ready && exec sleep infinity`];
    const holder = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const podman = new PrivatePodman(dir, holder);
    try {
      await Promise.race([
        once(holder.stdout, 'data'),
        once(holder, 'exit').then(() => Promise.reject(new Error('no namespaces for podman'))),
      ]);
      mkdirSync(join(dir, 'networks'));
      writeFileSync(join(dir, 'containers.conf'), `[containers]\ndefault_ulimits = [${limits}]\n`);
      await podman.#podman('pull', '--quiet', `oci-archive:${join(kit, busybox.archive)}`);
      const id = (await podman.#podman('images', '--quiet')).trim();
      await podman.#podman('tag', id, podman.image);
      return podman;
    } catch (error) {
      await podman[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `podman play kube` of the manifest: milliseconds until it returns, which is when all containers run. */
  async play(manifest: object): Promise<number> {
    const file = join(this.#dir, 'pod.json');
    writeFileSync(file, JSON.stringify(manifest));
    const begun = performance.now();
    await this.#podman('play', 'kube', file);
    return performance.now() - begun;
  }

  async remove(pod: string): Promise<void> {
    await this.#podman('pod', 'rm', '--force', '--time', '0', pod);
  }

  async #podman(...args: readonly string[]): Promise<string> {
    const own = ['--root', join(this.#dir, 'root'), '--runroot', '/run/bench-podman', '--tmpdir', '/run/bench-libpod'];
    const settings = [
      '--cgroup-manager',
      'cgroupfs',
      '--events-backend',
      'file',
      '--network-config-dir',
      join(this.#dir, 'networks'),
    ];
    const namespaces = [`--net=/proc/${this.#holder.pid}/ns/net`, `--mount=/proc/${this.#holder.pid}/ns/mnt`];
    const { stdout } = await run('nsenter', [...namespaces, 'podman', ...own, ...settings, ...args], {
      timeout: 60_000,
      env: { ...process.env, CONTAINERS_CONF: join(this.#dir, 'containers.conf') },
    });
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#podman('pod', 'rm', '--all', '--force', '--time', '0').catch(() => {});
    const gone = once(this.#holder, 'exit');
    if (this.#holder.kill('SIGKILL')) await gone;
    rmSync(this.#dir, { recursive: true, force: true });
    for (const cgroup of podmanCgroups().toReversed()) {
      // One that was there before, or is in use, is another podman's.
      if (!this.#before.has(cgroup)) removeEmpty(cgroup);
    }
  }
}

/** podman would raise them to a million, which needs CAP_SYS_RESOURCE. */
const limits = '"nofile=1024:1024", "nproc=1024:1024"';

/** What podman leaves of its pods in the hierarchies that have no controllers, parents first. */
function podmanCgroups(): readonly string[] {
  const roots = findCgroupRoots(readMountinfo())?.roots ?? [];
  return roots.flatMap(({ path }) => {
    const parent = join(path, 'libpod_parent');
    if (!existsSync(parent)) return [];
    const children = readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [parent, ...children.map(({ name }) => join(parent, name))];
  });
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Gone, or in use after all.
  }
}
