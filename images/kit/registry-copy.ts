import { linkSync, mkdirSync, readdirSync, copyFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { KitFile } from '#images/kit/kit-file.ts';

/**
 * Makes `folder` a registry's own storage that begins with all images of the kit. Blobs, which nobody ever changes, are
 * hard links (copies on another file system): a few milliseconds and no space. Names are copied: a push rewrites their
 * files in place, and would change the kit's. Both may be there already; what the registry has beyond the kit stays.
 */
export function copyRegistry(kit: string, { registry }: Pick<KitFile, 'registry'>, folder: string): void {
  const source = join(kit, registry);
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(folder, relative(source, from));
    mkdirSync(dirname(to), { recursive: true });
    if (entry.name === 'link') copyFileSync(from, to);
    else linkOrCopy(from, to);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'EXDEV' && code !== 'EPERM') throw error;
    copyFileSync(from, to);
  }
}
