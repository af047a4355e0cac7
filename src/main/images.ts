import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Children } from '#host/children.ts';
import { type RegistryHosts, writeRegistryHosts } from '#host/containerd/certs-d.ts';
import { findTool, usualPlaces } from '#host/containerd/tools.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { Registry } from '#host/registry.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';
import type { ImageChoice } from '#cli/commands.ts';
import type { Tell } from '#cli/tell.ts';

/** Where a cluster's images come from. */
export interface ImageSource {
  readonly mode: 'hub' | 'kit';
  /** Why, for people. */
  readonly why: string;
  /** The cluster's own registry: serves the kit, takes users' pushes. undefined when docker-registry is not installed and not needed. */
  readonly registry: string | undefined;
}

/** What "docker.io" is reached at (the registry's own name differs from the one in image names). */
const HUB = 'registry-1.docker.io';
const PROBE_MS = 2000;
const kitBuilder = join(import.meta.dirname, '../../images/build.ts');
const node = process.execPath;

export interface ImageParts {
  readonly paths: ClusterPaths;
  readonly children: Children;
  readonly clock: Clock;
  readonly tell: Tell;
}

/** Decides once per data dir; an explicit choice is remembered too. */
export async function chooseImages(
  choice: ImageChoice,
  paths: ClusterPaths,
  signal: AbortSignal,
): Promise<Pick<ImageSource, 'mode' | 'why'>> {
  const file = join(paths.data, 'images.json');
  if (choice === 'auto' && existsSync(file)) {
    const known: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isChoice(known)) return known;
  }
  const made = await decide(choice, signal);
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}

async function decide(choice: ImageChoice, signal: AbortSignal): Promise<Pick<ImageSource, 'mode' | 'why'>> {
  if (choice !== 'auto') return { mode: choice, why: `--images ${choice}` };
  const problem = await hubProblem(signal);
  return problem === undefined
    ? { mode: 'hub', why: 'Docker Hub can be reached' }
    : { mode: 'kit', why: `Docker Hub cannot be reached (${problem})` };
}

const isChoice = (value: unknown): value is Pick<ImageSource, 'mode' | 'why'> =>
  typeof value === 'object' &&
  value !== null &&
  'mode' in value &&
  (value.mode === 'hub' || value.mode === 'kit') &&
  'why' in value &&
  typeof value.why === 'string';

/** undefined when the hub answers at all, whatever it says. */
function hubProblem(signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = request({ host: HUB, path: '/v2/', method: 'HEAD', timeout: PROBE_MS, signal }, (response) => {
      response.resume();
      resolve(undefined);
    });
    const deadline = setTimeout(() => probe.destroy(new Error(`no answer within ${PROBE_MS / 1000} s`)), PROBE_MS);
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.on('close', () => clearTimeout(deadline));
    probe.end();
  });
}

/**
 * Starts the cluster's registry, with the kit in it when that is to be used (building it first if it has never been
 * built here), and keeps it running in `scope`.
 */
export async function startRegistry(mode: 'hub' | 'kit', parts: ImageParts, scope: Scope): Promise<string | undefined> {
  const { paths, children, clock, tell } = parts;
  const kit = join(paths.cache, 'kit');
  if (mode === 'kit' && !existsSync(join(kit, 'kit.json'))) await buildKit(kit, tell, scope.signal);
  const binary = registryBinary(mode);
  if (binary === undefined) return undefined;
  const registry = new Registry(
    { paths, binary, kit: mode === 'kit' ? join(kit, 'registry') : undefined },
    children,
    clock,
  );
  const { url } = await registry.start(scope.signal);
  scope.spawn('registry', (signal) => registry.keepRunning({}, signal));
  return url;
}

/** The kit cannot be served without it; where images come from the hub it is only a convenience. */
function registryBinary(mode: 'hub' | 'kit'): string | undefined {
  try {
    return findTool('docker-registry', usualPlaces());
  } catch (error) {
    if (mode === 'kit') throw error;
    return undefined;
  }
}

async function buildKit(kit: string, tell: Tell, signal: AbortSignal): Promise<void> {
  tell.line('building the image kit from Debian and npm packages (once on this machine; about a minute)');
  const builder = spawn(node, [kitBuilder, '--out', kit], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const errors: string[] = [];
  createInterface(builder.stderr).on('line', (line) => errors.push(line));
  createInterface(builder.stdout).on('line', (line) => tell.line(`  ${line}`));
  const code = await new Promise<number | null>((resolve, reject) => {
    builder.on('error', reject);
    builder.on('close', resolve);
  });
  if (code !== 0)
    throw new Error(`building the image kit failed: ${errors.slice(-3).join(' ') || `exit code ${code}`}`);
}

export interface PullWishes {
  /** Of docker.io. */
  readonly mirror: string | undefined;
  /** By the registry's host. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** How a URL of this machine is written for who pulls. */
  readonly reached: (url: string) => string;
}

/** Tells containerd where to ask for images. It reads this at every pull. */
export function directPulls(directory: string, source: ImageSource, wishes: PullWishes): void {
  const { mode } = source;
  const registry = source.registry === undefined ? undefined : wishes.reached(source.registry);
  const own: Record<string, RegistryHosts> = {};
  if (registry !== undefined) {
    const { host } = new URL(source.registry!);
    // What was pushed to it is named after it; by any of its names.
    for (const name of [host, host.replace('127.0.0.1', 'localhost')])
      own[name] = { mirrors: [registry], server: registry };
  }
  if (mode === 'kit' && registry !== undefined) {
    own['docker.io'] = { mirrors: [registry], server: registry };
    own['_default'] = { mirrors: [registry], server: registry };
  }
  const kit = mode === 'kit' && registry !== undefined ? [registry] : [];
  const { mirror, mirrors } = wishes;
  for (const [host, urls] of Object.entries(mirror === undefined ? mirrors : { ...mirrors, 'docker.io': [mirror] }))
    own[host] = { mirrors: [...urls.map(wishes.reached), ...kit] };
  writeRegistryHosts(directory, own);
}
