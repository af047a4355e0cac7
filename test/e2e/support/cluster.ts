import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterPathsHere, type ClusterPaths } from '#host/data-dir.ts';
import { realClock } from '#lib/clock.ts';
import { type Remains, remainsOf } from '#network/tear-down-host.ts';
import { Background } from '#test/e2e/support/background.ts';

const root = join(import.meta.dirname, '../../..');
export const examples = join(root, 'examples');
export const peapodBinary = join(root, 'bin/peapod');
const tools = join(root, '.cache/tools/bin');
const kubectlBinary = join(tools, 'kubectl');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end; a code other than 0 is an answer, not a failure. */
export function run(
  command: string,
  args: readonly string[],
  { input, timeoutMs = 60_000, env = {} }: RunOptions = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, env: { ...process.env, ...env }, maxBuffer: 64 << 20 };
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: error?.killed === true ? `${stderr}\n(ended after ${timeoutMs} ms)` : stderr });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

export const peapod = (args: readonly string[], options?: RunOptions): Promise<Ran> => run(peapodBinary, args, options);

/** Those that nobody has taken down yet. */
const standing = new Set<E2eCluster>();

// A test process that is told to end disposes of nothing. In a group of its own: the runner soon ends all of ours.
process.on('exit', () => {
  for (const { global, dataDir } of standing) {
    const args = ['down', ...global, '--purge', '--grace-period', '0'];
    const { status } = spawnSync(peapodBinary, args, { detached: true, stdio: 'ignore', timeout: 30_000 } as object);
    if (status === 0) rmSync(dataDir, { recursive: true, force: true });
  }
});

/** A cluster as a user has one: `peapod up --detach` with real containers, and kubectl. Disposing takes it down and checks that nothing is left. */
export class E2eCluster implements AsyncDisposable {
  readonly name: string;
  readonly dataDir: string;
  readonly paths: ClusterPaths;

  private constructor(name: string, parent = tmpdir()) {
    this.name = name;
    this.dataDir = mkdtempSync(join(parent, `peapod-${name}-`));
    this.paths = clusterPathsHere(name, this.dataDir);
    standing.add(this);
  }

  /** `name` tells clusters of tests that run beside each other apart; `args` go to `up`. */
  static async start(name: string, ...args: readonly string[]): Promise<E2eCluster> {
    const cluster = new E2eCluster(name);
    try {
      await cluster.up(...args);
    } catch (error) {
      // Half a cluster is one too: what did not come up must not stay.
      await cluster[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    return cluster;
  }

  /** Nothing is started yet; its data directory is in `parent`. */
  static reserve(name: string, parent?: string): E2eCluster {
    return new E2eCluster(name, parent);
  }

  /** Which cluster is meant, for any peapod command. */
  get global(): readonly string[] {
    return ['--name', this.name, '--data-dir', this.dataDir];
  }

  get kubeconfig(): string {
    return join(this.dataDir, 'kubeconfig');
  }

  /** Where both kubectls are, for scripts that find them by PATH. */
  get toolsDirectory(): string {
    return tools;
  }

  get port(): number {
    return portOf(this.name);
  }

  /** The arguments of `up` in the foreground. */
  get upArguments(): readonly string[] {
    return ['up', ...this.global, '--images', 'kit', '--port', String(this.port)];
  }

  async up(...args: readonly string[]): Promise<void> {
    const started = await peapod([...this.upArguments, '--detach', ...args], { timeoutMs: 120_000 });
    assert.equal(started.code, 0, started.stderr + started.stdout);
  }

  /** `peapod down`, which keeps the data. */
  async down(...args: readonly string[]): Promise<void> {
    const ended = await peapod(['down', ...this.global, ...args], { timeoutMs: 120_000 });
    assert.equal(ended.code, 0, ended.stderr);
  }

  kubectl(...args: readonly string[]): Promise<Ran> {
    return this.kubectlWith({}, ...args);
  }

  kubectlWith(options: RunOptions, ...args: readonly string[]): Promise<Ran> {
    return run(kubectlBinary, args, this.#environment(options));
  }

  /** kubectl that goes on: a watch, a log that is followed. */
  kubectlInBackground(...args: readonly string[]): Background {
    return new Background(kubectlBinary, args, this.#environment({}).env);
  }

  /** `peapod up` in the foreground, as at a terminal of one's own. */
  upInForeground(...args: readonly string[]): Background {
    return new Background(peapodBinary, [...this.upArguments, ...args]);
  }

  /** As old as Debian's: it finds out what newer ones hide. */
  kubectl120(...args: readonly string[]): Promise<Ran> {
    return this.kubectl120With({}, ...args);
  }

  kubectl120With(options: RunOptions, ...args: readonly string[]): Promise<Ran> {
    return run(join(tools, 'kubectl-1.20'), args, this.#environment(options));
  }

  /** The old kubectl, going on. */
  kubectl120InBackground(...args: readonly string[]): Background {
    return new Background(join(tools, 'kubectl-1.20'), args, this.#environment({}).env);
  }

  /** kubectl that must succeed; gives what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const ran = await this.kubectl(...args);
    assert.equal(ran.code, 0, `kubectl ${args.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  }

  async apply(manifest: string): Promise<string> {
    const ran = await this.kubectlWith({ input: manifest }, 'apply', '-f', '-');
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout;
  }

  /** `kubectl get … -o json`, parsed. */
  async get<T = Record<string, never>>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok('get', ...args, '-o', 'json')) as T;
  }

  /** The pid of the process that runs the cluster. */
  async pid(): Promise<number> {
    return (await this.status()).pid;
  }

  /** `peapod status -o json`, parsed. */
  async status(): Promise<{ readonly pid: number; readonly images: { readonly registry: string | null } }> {
    const ran = await peapod(['status', ...this.global, '-o', 'json']);
    assert.equal(ran.code, 0, ran.stderr);
    return JSON.parse(ran.stdout) as { pid: number; images: { registry: string | null } };
  }

  remains(): Promise<Remains> {
    return remainsOf(this.paths, realClock, new AbortController().signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What does not end when it is told to is nobody's to wait for here.
    const args = ['down', ...this.global, '--purge', '--grace-period', '1'];
    const ended = await peapod(args, { timeoutMs: 120_000 });
    const left = await this.remains();
    // Without its data nobody could find and end what a failed one has left.
    if (ended.code === 0) rmSync(this.dataDir, { recursive: true, force: true });
    standing.delete(this);
    assert.equal(ended.code, 0, `${this.dataDir}: ${ended.stderr}`);
    assert.deepEqual(left, { children: [], shims: [], mounts: [], links: [], tables: [], cgroups: [] });
  }

  #environment(options: RunOptions): RunOptions & { readonly env: Readonly<Record<string, string>> } {
    // Discovery answers are cached below HOME by host and port: another test's server may have had the same.
    return { ...options, env: { ...options.env, KUBECONFIG: this.kubeconfig, HOME: this.dataDir } };
  }
}

/** Asks again until the answer will do; says what the last one was when it never does. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  will: (answer: T) => boolean,
  withinMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (will(answer)) return answer;
    if (Date.now() > deadline)
      assert.fail(`${what}: not within ${withinMs} ms; last seen: ${JSON.stringify(answer)?.slice(0, 2000)}`);
    await sleep(100);
  }
}

/** A port of its own for each name in each process (the same tests may run twice), away from the default and from the ephemeral ones. */
function portOf(name: string): number {
  return 20_000 + (createHash('sha256').update(`${name} ${process.pid}`).digest().readUInt16BE() % 4000);
}
