import { isUnder, readMountinfo } from '#host/mountinfo.ts';

/**
 * Mounts below containerd's state directory that are for a sandbox or container which is not alive: a start that is cut off
 * in the middle leaves the container's root file system mounted. Their paths name the id they are for.
 */
export const strayMounts = (state: string, alive: ReadonlySet<string>): readonly string[] =>
  readMountinfo()
    .map(({ mountPoint }) => mountPoint)
    .filter((point) => isUnder(point, state))
    .filter((point) => {
      const ids = point.match(/(?<=\/)[0-9a-f]{64}(?=\/|$)/g);
      return ids !== null && !ids.some((id) => alive.has(id));
    });
