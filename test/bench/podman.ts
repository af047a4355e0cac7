import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readKitFile } from '#images/kit/kit-file.ts';
import { readMountinfo } from '#host/mountinfo.ts';

const run = promisify(execFile);
const kit = '/var/cache/peapod/kit';

/**
 * Podman with a store, a network and state of its own. It runs in a network namespace that is thrown away, and with it every bridge
 * and rule it leaves behind.
 */
export class PrivatePodman implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'peapod-bench-podman-'));
  readonly #netns = `bench-podman-${process.pid}`;
  /** What the imported image is called there. */
  image = '';

  /** undefined where there is no podman. */
  static async start(): Promise<PrivatePodman | undefined> {
    const found = await run('podman', ['--version']).catch(() => undefined);
    const busybox = readKitFile(kit)?.images.find(({ name }) => name === 'busybox');
    if (found === undefined || busybox === undefined) return undefined;
    const podman = new PrivatePodman();
    try {
      await run('ip', ['netns', 'add', podman.#netns]);
      await run('ip', ['-n', podman.#netns, 'link', 'set', 'lo', 'up']);
      mkdirSync(join(podman.#dir, 'networks'));
      await podman.#podman('pull', '--quiet', `oci-archive:${join(kit, busybox.archive)}`);
      podman.image = (await podman.#podman('images', '--format', '{{.ID}}')).trim();
      await podman.#podman('tag', podman.image, 'localhost/bench-busybox:1');
      podman.image = 'localhost/bench-busybox:1';
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
    const own = ['--root', join(this.#dir, 'root'), '--runroot', join(this.#dir, 'run'), '--tmpdir', join(this.#dir, 'tmp')];
    const settings = ['--cgroup-manager', 'cgroupfs', '--network-config-dir', join(this.#dir, 'networks')];
    const { stdout } = await run(
      'nsenter',
      [`--net=/run/netns/${this.#netns}`, 'podman', ...own, ...settings, '--events-backend', 'file', ...args],
      { timeout: 60_000 },
    );
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#podman('pod', 'rm', '--all', '--force', '--time', '0').catch(() => {});
    const mounts = readMountinfo().filter(({ target }) => target.startsWith(`${this.#dir}/`));
    for (const { target } of mounts.toReversed()) await run('umount', ['-l', target]).catch(() => {});
    if (existsSync(`/run/netns/${this.#netns}`)) await run('ip', ['netns', 'delete', this.#netns]);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
