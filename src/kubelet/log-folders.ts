import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a pod's logs lie: NAMESPACE_NAME_UID, of which none has a `_` in it. What else lies in `logs` is not a pod's. */
export function logFolders(logs: string): readonly { readonly path: string; readonly uid: string }[] {
  const names = existsSync(logs) ? readdirSync(logs) : [];
  return names.flatMap((name) => {
    const [, , uid] = name.split('_');
    return uid === undefined ? [] : [{ path: join(logs, name), uid }];
  });
}

/** Succeeds when there are none. */
export async function removeLogs(logs: string, uid: string): Promise<void> {
  const own = logFolders(logs).filter((folder) => folder.uid === uid);
  await Promise.all(own.map(({ path }) => rm(path, { recursive: true, force: true })));
}
