import { mkdir } from 'node:fs/promises';
import type { Mounts } from '#host/host.ts';
import { isUnder, readMountinfo } from '#host/mountinfo.ts';
import { CommandError, run } from '#host/process.ts';

/** Unmounted by one command: many times faster than one by one, and on a busy machine still done within a command's time. */
const AT_ONCE = 50;

/** The kernel's mounts, through mount(8) and umount(8) of util-linux. */
export const realMounts: Mounts = {
  async tmpfs(target, { sizeBytes, mode = 0o777 }, signal) {
    if (isMounted(target)) return;
    await mkdir(target, { recursive: true });
    const options = [`mode=${mode.toString(8)}`, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
    await run('mount', ['-n', '-t', 'tmpfs', '-o', options.join(','), 'tmpfs', target], {}, signal);
  },

  async bind(source, target, { readOnly = false }, signal) {
    if (isMounted(target)) return;
    await run('mount', ['-n', '--bind', source, target], {}, signal);
    // A bind mount takes `ro` only when it is mounted once more.
    if (readOnly) await run('mount', ['-n', '-o', 'remount,bind,ro', target], {}, signal);
  },

  under: async (prefix) => mountPointsUnder(prefix),

  async unmountAll(prefix, signal) {
    // Repeated because a mount may hide others of the same place.
    for (let rounds = 0; rounds < 10; rounds++) {
      const points = mountPointsUnder(prefix).toReversed();
      if (points.length === 0) return;
      for (let at = 0; at < points.length; at += AT_ONCE) {
        const some = points.slice(at, at + AT_ONCE);
        if (rounds === 0 && (await unmountTogether(some, signal))) continue;
        // Something among them is busy.
        for (const point of some) await unmount(point, signal);
      }
    }
    const left = mountPointsUnder(prefix);
    if (left.length > 0) throw new Error(`cannot unmount ${left.join(', ')}`);
  },
};

/** The newest mount is the last line, and a later mount may lie over an earlier one: reversed, this is the order to undo. */
function mountPointsUnder(prefix: string): readonly string[] {
  return readMountinfo()
    .map((line) => line.mountPoint)
    .filter((point) => isUnder(point, prefix));
}

const isMounted = (target: string): boolean => readMountinfo().some((line) => line.mountPoint === target);

async function unmountTogether(points: readonly string[], signal: AbortSignal): Promise<boolean> {
  try {
    await run('umount', ['-n', '--', ...points], {}, signal);
    return true;
  } catch (error) {
    if (!(error instanceof CommandError) || error.kind !== 'failed') throw error;
    return false;
  }
}

async function unmount(point: string, signal: AbortSignal): Promise<void> {
  try {
    await run('umount', ['-n', '--', point], {}, signal);
  } catch (error) {
    if (!(error instanceof CommandError) || error.kind !== 'failed') throw error;
    if (!isMounted(point)) return;
    // Busy: detached from the tree now, gone when its last user is.
    await run('umount', ['-n', '-l', '--', point], {}, signal);
  }
}
