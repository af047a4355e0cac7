import { watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the manifests of static pods lie. */
export interface ManifestFolder {
  /** Every file in it but hidden ones, by name. What cannot be read has its error instead of a text. Throws when the folder cannot be read. */
  read(): Promise<readonly ManifestFile[]>;
  /** Calls `changed` when something in it has, or may have; until disposed. It may miss changes: look from time to time anyway. */
  watch(changed: () => void): Disposable;
}

export interface ManifestFile {
  /** The whole path. */
  readonly path: string;
  /** Epoch ms. */
  readonly modifiedAt: number;
  readonly text: string | Error;
}

export class ManifestFolderOnDisk implements ManifestFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<readonly ManifestFile[]> {
    const entries = await readdir(this.#path, { withFileTypes: true });
    const names = entries
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name);
    const files = await Promise.all(names.sort().map((name) => fileAt(join(this.#path, name))));
    return files.filter((file) => file !== undefined);
  }

  watch(changed: () => void): Disposable {
    try {
      const watcher = watch(this.#path, { persistent: false }, changed);
      // The folder is gone: that it is back shows when it is looked for.
      watcher.on('error', changed);
      return { [Symbol.dispose]: () => watcher.close() };
    } catch {
      return { [Symbol.dispose]: () => {} };
    }
  }
}

/** undefined: it has gone since the folder was listed, or is no file. */
async function fileAt(path: string): Promise<ManifestFile | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return undefined;
    return { path, modifiedAt: Math.floor(found.mtimeMs), text: await readFile(path, 'utf8') };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    if ('code' in failure && failure.code === 'ENOENT') return undefined;
    return { path, modifiedAt: 0, text: failure };
  }
}
