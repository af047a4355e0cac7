/**
 * Debian's docker-registry as a child: it serves the image kit as a mirror of other registries, and takes users' pushes.
 * Its storage begins as a clone of the kit's. It listens on loopback only, on the same port at every start.
 */
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import type { Child, Children, ChildSpec, ChildWatcher } from '#host/children.ts';
import { privateDirectory, type ClusterPaths } from '#host/data-dir.ts';
import { logTail } from '#host/log-file.ts';
import { isAlive, isErrno } from '#host/proc.ts';
import { get } from '#wire/node-http.ts';

export const REGISTRY_CHILD = 'registry';

export interface RegistryOptions {
  readonly paths: ClusterPaths;
  /** docker-registry's path: `findTool('docker-registry', …)`. */
  readonly binary: string;
  /** The kit's storage to begin with; undefined for an empty registry. */
  readonly kit: string | undefined;
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #children: Children;
  readonly #clock: Clock;

  constructor(options: RegistryOptions, children: Children, clock: Clock) {
    this.#options = options;
    this.#children = children;
    this.#clock = clock;
  }

  get logFile(): string {
    return join(this.#options.paths.data, 'registry.log');
  }

  /**
   * Adopts or starts it and waits until it answers. Returns its URL: http://127.0.0.1:PORT. A port that somebody else
   * has taken meanwhile is given up for the next free one. Throws, quoting its log, when it does not come up.
   */
  async start(signal: AbortSignal): Promise<{ readonly url: string; readonly child: Child }> {
    const { paths, kit } = this.#options;
    privateDirectory(paths.data);
    privateDirectory(paths.run);
    privateDirectory(this.#storage);
    if (kit !== undefined) cloneKit(kit, this.#storage);
    for (let attempt = 1; ; attempt++) {
      const child = this.#children.find(REGISTRY_CHILD) ?? (await this.#startOnFreePort());
      const port = this.#knownPort();
      if (port === undefined) throw new Error(`the registry (pid ${child.pid}) runs, but ${this.#portFile} is missing`);
      const url = `http://127.0.0.1:${port}`;
      if (await this.#answers(child, url, signal)) return { url, child };
      // Most likely somebody took the port between our look and its start.
      if (attempt === START_ATTEMPTS) throw new Error(`the registry ended while starting: ${logTail(this.logFile, 3)}`);
    }
  }

  /** Keeps it running until cancelled or stopped; call `start` first. */
  async keepRunning(watcher: ChildWatcher, signal: AbortSignal): Promise<void> {
    await this.#children.keepRunning(this.#spec(), watcher, signal);
  }

  async stop(graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#children.stop(REGISTRY_CHILD, graceMs, signal);
  }

  get #storage(): string {
    return this.#options.paths.registry;
  }

  get #portFile(): string {
    return join(this.#options.paths.data, 'registry.port');
  }

  get #configFile(): string {
    return join(this.#options.paths.run, 'registry.yaml');
  }

  #spec(): ChildSpec {
    const { binary } = this.#options;
    return { name: REGISTRY_CHILD, command: binary, args: ['serve', this.#configFile], logFile: this.logFile };
  }

  #knownPort(): number | undefined {
    try {
      const port = Number(readFileSync(this.#portFile, 'utf8'));
      return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async #startOnFreePort(): Promise<Child> {
    const port = await firstFreePort(this.#knownPort());
    writeFileSync(this.#portFile, `${port}\n`, { mode: 0o600 });
    writeFileSync(this.#configFile, registryConfig(this.#storage, port, randomBytes(16).toString('hex')), {
      mode: 0o600,
    });
    return this.#children.startOrAdopt(this.#spec());
  }

  /** false when it ended instead. Its process is looked at last: an answer may come from somebody else on that port. */
  async #answers(child: Child, url: string, signal: AbortSignal): Promise<boolean> {
    const deadline = this.#clock.now() + START_TIMEOUT_MS;
    for (;;) {
      const answered = await registryAnswers(url);
      if (!isAlive(child)) return false;
      if (answered) return true;
      if (this.#clock.now() >= deadline) {
        throw new Error(`the registry does not answer on ${url}: ${logTail(this.logFile, 3)}`);
      }
      await this.#clock.sleep(POLL_MS, signal);
    }
  }
}

/**
 * Makes `storage` hold what the kit holds, once per kit: contents, which never change, as hard links; names (tags), which
 * do, as copies. What was pushed stays; a name that both have becomes the kit's. A kit seen before changes nothing.
 */
export function cloneKit(kit: string, storage: string): void {
  if (!existsSync(kit)) return;
  const stamp = kitStamp(kit);
  const stampFile = `${storage}.kit`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  privateDirectory(storage);
  for (const entry of readdirSync(kit, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    const to = join(storage, relative(kit, from));
    if (entry.isDirectory()) mkdirSync(to, { recursive: true });
    else if (entry.isFile()) cloneFile(from, to);
  }
  // Last, so that a clone cut short is done again.
  writeFileSync(stampFile, stamp, { mode: 0o600 });
}

/** `secret` signs the state of uploads; without one, an upload dies with the process. */
export function registryConfig(storage: string, port: number, secret: string): string {
  // YAML takes JSON strings.
  return [
    'version: 0.1',
    'log: {level: warn, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${JSON.stringify(storage)}}, delete: {enabled: true}}`,
    `http: {addr: "127.0.0.1:${port}", secret: ${JSON.stringify(secret)}}`,
    '',
  ].join('\n');
}

const POLL_MS = 5;
const START_TIMEOUT_MS = 10_000;
const START_ATTEMPTS = 3;
// Where local registries are by custom, and enough after it for as many clusters as a machine will run.
const FIRST_PORT = 5_000;
const LAST_PORT = 5_999;

/** `preferred` if it is free, else the first free one from 5000. */
async function firstFreePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let port = FIRST_PORT; port <= LAST_PORT; port++) if (await isFree(port)) return port;
  throw new Error(`no port from ${FIRST_PORT} to ${LAST_PORT} is free on 127.0.0.1 for the registry`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function registryAnswers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`${url}/v2/`, { timeout: 1_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

/** Blobs are named by their content and written once, so sharing them is safe; all else is small. */
function cloneFile(from: string, to: string): void {
  const shared = /\/blobs\/sha256\/[^/]+\/[^/]+\/data$/.test(from);
  if (shared && existsSync(to)) return;
  if (shared) {
    try {
      linkSync(from, to);
      return;
    } catch (error) {
      // Another filesystem, one without links, or a kit that belongs to somebody else.
      if (!isErrno(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP')) throw error;
    }
  }
  const draft = `${to}.draft`;
  copyFileSync(from, draft);
  renameSync(draft, to);
}

/** Changes when an image is added to the kit or its tag moves. */
function kitStamp(kit: string): string {
  const links = readdirSync(kit, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('/current/link'))
    .sort();
  return links.map((name) => `${name} ${lstatSync(join(kit, name)).mtimeMs}\n`).join('');
}
