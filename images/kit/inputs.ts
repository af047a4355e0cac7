import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerSpec } from '#images/kit/image.ts';

/**
 * A hash of all that decides what a layer holds: the builder, the layer's folder and those beneath it, the machine's
 * architecture, the Node that may be copied into it. Not the contents of Debian packages, which are looked at only when
 * something else has changed (or a rebuild is asked for): otherwise each start would ask Debian for news.
 */
export function inputsOf(layer: LayerSpec): string {
  const hash = createHash('sha256').update(`${process.arch} ${process.version} ${layer.packages.join(' ')}\n`);
  const folders = [import.meta.dirname, layer.folder, ...layer.on.map((each) => each.folder)];
  for (const folder of folders)
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
      // Tests beside the files decide nothing.
      if (file.endsWith('.test.ts')) continue;
      const content = readIfFile(join(folder, file));
      if (content) hash.update(`${file} ${content.length}\n`).update(content);
    }
  return hash.digest('hex');
}

function readIfFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR') return undefined;
    throw error;
  }
}
