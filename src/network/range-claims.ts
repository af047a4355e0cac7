/**
 * Which cluster of this machine has which range. A range shows in the machine's routes only once its first pod runs, and
 * not at all while its cluster is down; so each is claimed by a file that only one can create, and that counts for as
 * long as the claimer's RUN directory exists: until `down` or a reboot.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ClusterPaths } from '#host/data-dir.ts';
import { usedPrefixes, type UsedPrefix } from '#host/links.ts';
import { isErrno } from '#host/proc.ts';
import { bridgeName, type ClusterRange } from '#network/network.ts';
import { chooseRange, NoFreeRangeError, obstacleTo } from '#network/ranges.ts';

export interface RangeWish {
  readonly ipv6: boolean;
  /** This and no other. */
  readonly wanted?: ClusterRange | undefined;
}

/**
 * The cluster's range: the one it had before (remembered in DATA) unless another cluster has it now, else the first free
 * one. Claims and remembers it. RUN must exist. Throws NoFreeRangeError.
 */
export async function claimRange(
  paths: ClusterPaths,
  { ipv6, wanted }: RangeWish,
  signal: AbortSignal,
): Promise<ClusterRange> {
  if (wanted !== undefined) return claimWanted(paths, wanted, await usedPrefixes(signal));
  const known = rememberedRange(paths, ipv6);
  if (known && claim(paths, known)) return known;
  const taken: UsedPrefix[] = known ? [{ cidr: known.v4, link: undefined }] : [];
  const used = await usedPrefixes(signal);
  for (;;) {
    const range = chooseRange([...used, ...taken], { ownLink: bridgeName(paths), ipv6 });
    if (claim(paths, range)) {
      writeFileSync(rangeFile(paths), JSON.stringify(range), { mode: 0o600 });
      return range;
    }
    taken.push({ cidr: range.v4, link: undefined });
  }
}

function claimWanted(paths: ClusterPaths, wanted: ClusterRange, used: readonly UsedPrefix[]): ClusterRange {
  const before = rememberedRange(paths, true);
  // What runs of this cluster has addresses of its own range.
  const obstacle = before?.v4 === wanted.v4 ? undefined : obstacleTo(wanted, used, bridgeName(paths));
  if (obstacle !== undefined)
    throw new NoFreeRangeError(`this machine has ${obstacle}, so pods cannot have ${wanted.v4}: choose other podCIDRs`);
  if (before !== undefined && before.v4 !== wanted.v4) releaseRange(paths);
  if (!claim(paths, wanted))
    throw new NoFreeRangeError(`the address range ${wanted.v4} is another cluster's: choose other podCIDRs`);
  writeFileSync(rangeFile(paths), JSON.stringify(wanted), { mode: 0o600 });
  return wanted;
}

/** Lets others have it. The range stays remembered in DATA. */
export function releaseRange(paths: ClusterPaths): void {
  const range = rememberedRange(paths, true);
  if (range && ownerOf(claimFile(paths, range)) === paths.run) rmSync(claimFile(paths, range), { force: true });
}

function claim(paths: ClusterPaths, range: ClusterRange): boolean {
  const file = claimFile(paths, range);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const owner = ownerOf(file);
  if (owner === paths.run) return true;
  if (owner !== undefined && existsSync(owner)) return false;
  // Its cluster is gone. Should another take it over in this instant too, only one of us creates it anew.
  rmSync(file, { force: true });
  try {
    writeFileSync(file, paths.run, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

const rangeFile = (paths: ClusterPaths): string => join(paths.data, 'range.json');

/** Beside the RUN directories of all clusters. */
const claimFile = (paths: ClusterPaths, range: ClusterRange): string =>
  join(dirname(paths.run), 'ranges', range.v4.replace('/', '-'));

function ownerOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Without IPv6 on the machine now, the v6 part is left out, but not forgotten. */
function rememberedRange(paths: ClusterPaths, ipv6: boolean): ClusterRange | undefined {
  const text = ownerOf(rangeFile(paths));
  if (text === undefined) return undefined;
  const { v4, v6 }: Partial<Record<keyof ClusterRange, unknown>> = JSON.parse(text) ?? {};
  if (typeof v4 !== 'string') throw new Error(`${rangeFile(paths)} holds no address range: ${JSON.stringify(text)}`);
  return ipv6 && typeof v6 === 'string' ? { v4, v6 } : { v4 };
}
