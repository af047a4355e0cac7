import { mkdir, open, readdir, readFile, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { findCgroupRoots, limitFiles, type CgroupRoot, type CgroupRoots } from '#host/cgroup-roots.ts';
import type { CgroupLimits, PodCgroup, PodCgroups, QosClass } from '#host/host.ts';
import { readMountinfo } from '#host/mountinfo.ts';
import { commandLineOf, isErrno } from '#host/proc.ts';

/**
 * Pod cgroups as directories of the kernel's hierarchies, v1 (hybrid included) and v2 alike: a v1 host has several roots,
 * each with some controllers, a v2 host has one. The cgroupfs driver everywhere, also beside systemd, which leaves
 * directories alone that it did not make: containerd's SystemdCgroup must be false to match.
 */
export class CgroupDirectories implements PodCgroups {
  readonly version: 1 | 2;
  readonly #roots: readonly CgroupRoot[];
  readonly #node: string;
  readonly #clock: Clock;

  /** `node` is the node's cgroup within each hierarchy, such as /peapod/NAME/NODE. */
  constructor(found: CgroupRoots, node: string, clock: Clock) {
    // Everything below this path is killed by removeAll: it must never be somebody else's.
    if (!/^\/peapod\/[a-z0-9][^/]*\/[a-z0-9][^/]*$/.test(node))
      throw new Error(`${JSON.stringify(node)} is not a node's cgroup`);
    this.version = found.version;
    this.#roots = found.roots;
    this.#node = node;
    this.#clock = clock;
  }

  async prepare(limits: CgroupLimits, signal: AbortSignal): Promise<void> {
    await this.#checkControllers();
    for (const level of levelsOf(join(this.#node, 'kubepods'))) {
      signal.throwIfAborted();
      await this.#make(level);
    }
    await this.#make(this.#qos('Burstable'));
    await this.#make(this.#qos('BestEffort'));
    await this.#limit(this.#qos('Guaranteed'), limits);
    await this.#limit(this.#qos('BestEffort'), { cpuShares: 2 });
  }

  async shareBurstable(cpuShares: number): Promise<void> {
    await this.#limit(this.#qos('Burstable'), { cpuShares });
  }

  async apply(pod: PodCgroup, limits: CgroupLimits): Promise<string> {
    const path = this.#pathOf(pod);
    await this.#make(path);
    await this.#limit(path, limits);
    return path;
  }

  async remove(pod: PodCgroup, { kill }: { readonly kill: boolean }, signal: AbortSignal): Promise<void> {
    await this.#removeTree(this.#pathOf(pod), kill, signal);
  }

  async list(): Promise<readonly PodCgroup[]> {
    const found = new Map<string, PodCgroup>();
    for (const qosClass of qosClasses) {
      for (const root of this.#roots) {
        for (const name of await directoriesIn(join(root.path, this.#qos(qosClass)))) {
          const uid = /^pod(.+)$/.exec(name)?.[1];
          if (uid !== undefined) found.set(`${qosClass}/${uid}`, { uid, qosClass });
        }
      }
    }
    return [...found.values()];
  }

  async removeAll(signal: AbortSignal): Promise<void> {
    await this.#removeTree(this.#node, true, signal);
    // Other nodes and clusters may still be in these: only empty ones go.
    for (const level of levelsOf(dirname(this.#node)).toReversed()) {
      for (const root of this.#roots) await removeDirectory(join(root.path, level));
    }
  }

  #qos(qosClass: QosClass): string {
    return join(this.#node, 'kubepods', qosDirectories[qosClass]);
  }

  #pathOf(pod: PodCgroup): string {
    return join(this.#qos(pod.qosClass), `pod${pod.uid}`);
  }

  async #checkControllers(): Promise<void> {
    const present = new Set<string>();
    for (const root of this.#roots) {
      for (const controller of await controllersOf(root)) present.add(controller);
    }
    const missing = neededControllers.filter((controller) => !present.has(controller));
    if (missing.length > 0) {
      throw new Error(
        `the kernel's cgroup controllers ${missing.join(', ')} are not available (cgroup v${this.version}): enable them, for example with cgroup_enable=memory on the kernel's command line`,
      );
    }
  }

  async #make(path: string): Promise<void> {
    await Promise.all(this.#roots.map((root) => makeDirectory(root, path)));
  }

  async #limit(path: string, limits: CgroupLimits): Promise<void> {
    for (const root of this.#roots) {
      if (root.version !== this.version) continue;
      const controllers = await controllersOf(root);
      for (const { controller, file, value } of limitFiles(this.version, limits)) {
        if (controllers.includes(controller)) await writeControl(join(root.path, path, file), value);
      }
    }
  }

  async #removeTree(path: string, kill: boolean, signal: AbortSignal): Promise<void> {
    let deadline = this.#clock.now() + REMOVE_TIMEOUT_MS;
    let fewest = Infinity;
    for (let killed = false; ;) {
      const left = await Promise.all(this.#roots.map((root) => removeTree(join(root.path, path))));
      if (left.every((gone) => gone)) return;
      const pids = await this.#pidsIn(path);
      if (kill) killAll(pids);
      // Hundreds of them take their time on a busy machine; as long as they become fewer nothing is stuck.
      if (pids.length < fewest) deadline = this.#clock.now() + REMOVE_TIMEOUT_MS;
      fewest = Math.min(fewest, pids.length);
      if (this.#clock.now() >= deadline) throw new Error(busyMessage(path, pids));
      // Killed processes are usually gone within a millisecond or two; waiting for others can take its time.
      await this.#clock.sleep(kill && !killed ? 2 : RETRY_MS, signal);
      killed = kill;
    }
  }

  async #pidsIn(path: string): Promise<readonly number[]> {
    const each = await Promise.all(this.#roots.map((root) => pidsBelow(join(root.path, path))));
    return [...new Set(each.flat())];
  }
}

/** Throws when the machine has no cgroups mounted. */
export function machineCgroups(): CgroupRoots {
  const found = findCgroupRoots(readMountinfo());
  if (!found) throw new Error('no cgroup hierarchy is mounted on this machine: mount one on /sys/fs/cgroup');
  return found;
}

/** Every process at or below a cgroup of this machine, in any hierarchy. */
export async function pidsInCgroup(path: string, found: CgroupRoots): Promise<readonly number[]> {
  const each = await Promise.all(found.roots.map((root) => pidsBelow(join(root.path, path))));
  return [...new Set(each.flat())];
}

/** Names of the cgroups directly below `path`, in any hierarchy. */
export async function cgroupsIn(path: string, found: CgroupRoots): Promise<readonly string[]> {
  const each = await Promise.all(found.roots.map((root) => directoriesIn(join(root.path, path))));
  return [...new Set(each.flat())];
}

const REMOVE_TIMEOUT_MS = 5_000;
const RETRY_MS = 20;
const qosClasses: readonly QosClass[] = ['Guaranteed', 'Burstable', 'BestEffort'];
const qosDirectories: Readonly<Record<QosClass, string>> = {
  Guaranteed: '',
  Burstable: 'burstable',
  BestEffort: 'besteffort',
};
const neededControllers = ['cpu', 'memory', 'pids'];

/** /a/b/c: /a, /a/b, /a/b/c. */
function levelsOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

async function controllersOf(root: CgroupRoot): Promise<readonly string[]> {
  if (root.version === 1) return root.controllers;
  return (await readFile(join(root.path, 'cgroup.controllers'), 'utf8')).split(/\s+/).filter((name) => name !== '');
}

async function makeDirectory(root: CgroupRoot, path: string): Promise<void> {
  const directory = join(root.path, path);
  try {
    await mkdir(directory);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw new Error(`cannot make the cgroup ${directory}`, { cause: error });
  }
  if (root.version === 2) await delegate(root, dirname(directory));
  // A v1 cpuset starts empty, and nothing can run in it until it is told its CPUs and memory nodes.
  else if (root.controllers.includes('cpuset')) await inheritCpuset(directory);
}

/** Hands every available controller on to the children of `directory`, one by one: one refusal must not stop the others. */
async function delegate(root: CgroupRoot, directory: string): Promise<void> {
  const wanted = await controllersOf(root);
  const file = join(directory, 'cgroup.subtree_control');
  const enabled = wanted.length === 0 ? [] : (await readFile(file, 'utf8')).split(/\s+/);
  for (const controller of wanted) {
    if (enabled.includes(controller)) continue;
    try {
      await writeControl(file, `+${controller}`);
    } catch (error) {
      if (neededControllers.includes(controller)) throw error;
    }
  }
}

async function inheritCpuset(directory: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if ((await readFile(join(directory, file), 'utf8')).trim() !== '') continue;
    await writeControl(join(directory, file), (await readFile(join(dirname(directory), file), 'utf8')).trim());
  }
}

/** Never creates a file: where the kernel has none, the controller is missing. */
async function writeControl(file: string, value: string): Promise<void> {
  try {
    const handle = await open(file, 'r+');
    try {
      await handle.write(value);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new Error(`cannot write ${JSON.stringify(value)} to ${file}`, { cause: error });
  }
}

/** Says whether nothing is left. A directory with processes in it stays. */
async function removeTree(directory: string): Promise<boolean> {
  for (const name of await directoriesIn(directory)) await removeTree(join(directory, name));
  return removeDirectory(directory);
}

async function removeDirectory(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw new Error(`cannot remove the cgroup ${directory}`, { cause: error });
  }
}

async function directoriesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    // ENODEV: it was removed while being read.
    if (isErrno(error, 'ENOENT', 'ENODEV')) return [];
    throw error;
  }
}

async function pidsBelow(directory: string): Promise<readonly number[]> {
  const below = await Promise.all((await directoriesIn(directory)).map((name) => pidsBelow(join(directory, name))));
  return [...(await pidsOf(directory)), ...below.flat()];
}

async function pidsOf(directory: string): Promise<readonly number[]> {
  try {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8');
    // 0 stands for processes that this pid namespace cannot see.
    return text
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return [];
    throw error;
  }
}

/** The pids were read a moment ago from a cgroup of ours, which they can only have left by ending. */
function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    }
  }
}

function busyMessage(path: string, pids: readonly number[]): string {
  const who = pids.map((pid) => `${pid} (${commandLineOf(pid)[0] ?? 'unknown'})`).join(', ');
  return `the cgroup ${path} cannot be removed${who === '' ? '' : `: still in it are ${who}`}`;
}
