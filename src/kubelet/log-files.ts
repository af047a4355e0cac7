/**
 * The files of containers' logs: `POD/CONTAINER/ATTEMPT.log`, which the runtime writes, and beside it what was put aside of it
 * (`….log.20260102-030405`, compressed but for the newest), in upstream's names, so that log collectors know them.
 */
import { createReadStream, createWriteStream, type Dirent } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** The log that one attempt of a container writes. */
export interface LogFile {
  readonly uid: string;
  readonly container: string;
  readonly attempt: number;
  readonly path: string;
}

/** Those that are larger than `bytes`, of all pods. A file that goes while one looks is none. */
export async function largeLogs(root: string, bytes: number): Promise<readonly LogFile[]> {
  const found = await Promise.all(
    (await foldersIn(root)).map(async (pod) => {
      const uid = pod.slice(pod.lastIndexOf('_') + 1);
      const containers = await foldersIn(join(root, pod));
      return (await Promise.all(containers.map((name) => logsOf(join(root, pod, name), uid)))).flat();
    }),
  );
  const all = found.flat();
  const sizes = await Promise.all(all.map(({ path }) => sizeOf(path)));
  return all.filter((_, n) => (sizes[n] ?? 0) > bytes);
}

async function logsOf(folder: string, uid: string): Promise<readonly LogFile[]> {
  return (await namesIn(folder)).flatMap((name) => {
    const attempt = /^(\d+)\.log$/.exec(name)?.[1];
    if (attempt === undefined) return [];
    return [{ uid, container: basename(folder), attempt: Number(attempt), path: join(folder, name) }];
  });
}

/**
 * Puts a log aside and has the runtime begin a new one. Older ones are compressed, and those that are too many removed:
 * with `maxFiles` files in all, one is written to. When the runtime does not begin a new one, everything is as it was.
 */
export async function rotateLog(
  path: string,
  { maxFiles, now }: { readonly maxFiles: number; readonly now: number },
  reopen: () => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const aside = (await namesIn(folder)).filter((name) => name.startsWith(`${basename(path)}.`)).toSorted();
  const unfinished = aside.filter((name) => name.endsWith('.tmp'));
  const whole = aside.filter((name) => !name.endsWith('.tmp'));
  const kept = whole.slice(Math.max(0, whole.length - (maxFiles - 2)));
  const surplus = whole.filter((name) => !kept.includes(name));
  for (const name of [...unfinished, ...surplus]) await rm(join(folder, name), { force: true });
  for (const name of kept) if (!name.endsWith('.gz')) await compress(join(folder, name));
  const rotated = `${path}.${stamp(now)}`;
  await rename(path, rotated);
  try {
    await reopen();
  } catch (error) {
    await rename(rotated, path);
    throw error;
  }
}

async function compress(path: string): Promise<void> {
  const half = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(half, { mode: 0o640 }));
  await rename(half, `${path}.gz`);
  await rm(path, { force: true });
}

/** Logs of attempts before `attempt`, with what was put aside of them. */
export async function removeLogsBefore(folder: string, attempt: number): Promise<void> {
  const old = (await namesIn(folder)).filter((name) => Number(/^(\d+)\.log/.exec(name)?.[1] ?? attempt) < attempt);
  await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
}

/** As upstream's: `20060102-150405`, in UTC. */
const stamp = (now: number): string =>
  new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((): readonly Dirent[] => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

const namesIn = (path: string): Promise<readonly string[]> => readdir(path).catch(() => []);
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
