/**
 * A containerd for one test file: own root, state, sockets, CNI bridge and addresses, so that it meets nobody else's. Everything it
 * makes carries its name, and `dispose` takes back what can be found by that name, whatever state a failed test left.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { criRuntime } from '#cri/grpc/cri-runtime.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { type KitImage, readKitFile } from '#images/kit/kit-file.ts';

/** The offline images, which `npm test` has built by then. */
const kitDir = '/var/cache/peapod/kit';
const kitImage = (name: string): KitImage | undefined =>
  readKitFile(kitDir)?.images.find((image) => image.name === name);
const images = [kitImage('pause'), kitImage('busybox')].filter((image) => image !== undefined);
const missingTools = ['containerd', 'runc', 'ctr', 'docker-registry'].filter((tool) => !onPath(tool));

/** Why no containerd can be started here, for `skip`; false when it can. */
export const whyNot: string | false = findHindrance() ?? false;

function findHindrance(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (missingTools.length > 0) return `needs ${missingTools.join(', ')}`;
  if (!readdirOrEmpty('/usr/lib/cni').includes('bridge')) return 'needs the CNI plugins in /usr/lib/cni';
  if (images.length < 2) return `needs the image kit in ${kitDir}`;
  return undefined;
}

export class PrivateContainerd implements AsyncDisposable {
  readonly dir: string;
  readonly name: string;
  /** Of busybox. */
  readonly image = images[1]?.references[0] ?? '';
  readonly bridge: string;
  readonly cgroup: string;
  #process: ChildProcess | undefined;

  private constructor(dir: string) {
    this.dir = dir;
    this.name = dir.slice(dir.lastIndexOf('-') + 1);
    this.bridge = `peat${this.name}`;
    this.cgroup = `/peatest-${this.name}`;
  }

  get socket(): string {
    return join(this.dir, 'containerd.sock');
  }

  static async start(): Promise<PrivateContainerd> {
    const made = new PrivateContainerd(mkdtempSync('/run/peatest-'));
    try {
      made.#writeConfig();
      await made.launch();
      made.#importImages();
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw new Error(`start a private containerd in ${made.dir}`, { cause: error });
    }
  }

  /** Starts the daemon (again) and waits until its CRI says that runtime and network are ready. */
  async launch(): Promise<void> {
    const log = openSync(join(this.dir, 'containerd.log'), 'a');
    this.#process = spawn('containerd', ['-c', join(this.dir, 'config.toml')], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    await using runtime = this.connect();
    await eventually('containerd ready', async () => {
      const status = await runtime.info.status(AbortSignal.timeout(5000)).catch(() => undefined);
      return status?.runtime.ready === true && status.network.ready;
    });
  }

  /** As a crash would: what runs in its sandboxes goes on. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await exited;
  }

  /** The kit's registry, as the mirror of docker.io, until it is disposed of. */
  async startRegistry(): Promise<AsyncDisposable> {
    const port = await freePort();
    const hosts = join(this.dir, 'certs.d', 'docker.io');
    mkdirSync(hosts, { recursive: true });
    const url = `http://127.0.0.1:${port}`;
    const capabilities = 'capabilities = ["pull", "resolve"]';
    writeFileSync(join(hosts, 'hosts.toml'), `server = "${url}"\n[host."${url}"]\n  ${capabilities}\n`);
    const config = join(this.dir, 'registry.yml');
    const storage = join(kitDir, readKitFile(kitDir)?.registry ?? 'registry');
    const settings = [
      'version: 0.1',
      `storage: {filesystem: {rootdirectory: ${storage}}, maintenance: {readonly: {enabled: true}}}`,
      `http: {addr: 127.0.0.1:${port}}`,
    ];
    writeFileSync(config, settings.join('\n'));
    const log = openSync(join(this.dir, 'registry.log'), 'a');
    const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', log, log] });
    closeSync(log);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await eventually('the registry', async () => (await fetch(`${url}/v2/`).catch(() => undefined))?.ok === true);
    return {
      async [Symbol.asyncDispose]() {
        child.kill();
        await exited;
      },
    };
  }

  connect(): ContainerRuntime {
    return criRuntime(this.socket);
  }

  log(): string {
    return readFileSync(join(this.dir, 'containerd.log'), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process) await this.#removeSandboxes().catch(() => {});
    await this.kill('SIGTERM');
    this.#killShims();
    for (const mount of mountsBelow(this.dir)) attempt('umount', ['-l', mount]);
    attempt('ip', ['link', 'delete', this.bridge]);
    removeCgroups(this.cgroup);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #removeSandboxes(): Promise<void> {
    await using runtime = this.connect();
    const signal = AbortSignal.timeout(30_000);
    for (const { id } of await runtime.sandboxes.list({}, signal)) {
      await runtime.sandboxes.stop(id, signal);
      await runtime.sandboxes.remove(id, signal);
    }
  }

  /** Shims outlive their containerd; each has our socket on its command line. */
  #killShims(): void {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const commandLine = readOrEmpty(`/proc/${pid}/cmdline`);
      if (commandLine.includes('containerd-shim') && commandLine.includes(this.socket)) {
        for (const child of readOrEmpty(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)) killPid(child);
        killPid(pid);
      }
    }
  }

  #importImages(): void {
    for (const image of images) {
      const archive = join(kitDir, image.archive);
      execFileSync('ctr', ['-a', this.socket, '-n', 'k8s.io', 'images', 'import', archive], { stdio: 'pipe' });
    }
  }

  #writeConfig(): void {
    const octet = freeOctet();
    mkdirSync(join(this.dir, 'cni'));
    const cni = {
      cniVersion: '1.0.0',
      name: this.bridge,
      plugins: [
        {
          type: 'bridge',
          bridge: this.bridge,
          isGateway: true,
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: join(this.dir, 'ipam'),
            ranges: [[{ subnet: `10.231.${octet}.0/24` }], [{ subnet: `fd00:10:231:${octet}::/64` }]],
            routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
          },
        },
      ],
    };
    writeFileSync(join(this.dir, 'cni', '10-test.conflist'), JSON.stringify(cni));
    writeFileSync(join(this.dir, 'config.toml'), configOf(this.dir));
  }
}

/** Polls until true; fails after ten seconds with what was waited for. */
export async function eventually(
  what: string,
  ready: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!(await ready())) {
    if (performance.now() > until) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** A third number of 10.231 that no link of this machine uses. */
function freeOctet(): number {
  const routes = readOrEmpty('/proc/net/fib_trie');
  const tried = Array.from({ length: 200 }, (_, step) => 16 + ((process.pid + step) % 200));
  return tried.find((octet) => !routes.includes(`10.231.${octet}.`)) ?? 15;
}

const configOf = (dir: string): string => `
version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.native", "io.containerd.internal.v1.restart",
  "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "${dir}/containerd.sock"
[ttrpc]
  address = "${dir}/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${images[0]?.references[0]}"
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${dir}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${dir}/certs.d"
`;

function mountsBelow(dir: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) => point.startsWith(`${dir}/`)).reverse();
}

function removeCgroups(path: string): void {
  for (const hierarchy of readdirOrEmpty('/sys/fs/cgroup')) {
    const root = join('/sys/fs/cgroup', hierarchy, path);
    const below = globSync('**/', { cwd: root }).sort((a, b) => b.length - a.length);
    for (const each of [...below, '.']) {
      try {
        rmdirSync(join(root, each));
      } catch {
        // Not there, or not ours to remove.
      }
    }
  }
}

function attempt(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: 'pipe' });
  } catch {
    // Cleaning up goes as far as it can.
  }
}

function killPid(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function onPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((dir) => readdirOrEmpty(dir).includes(tool));
}

function readdirOrEmpty(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
