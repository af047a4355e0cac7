import { closeSync, copyFileSync, openSync, readSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { base } from '#images/base/layer.ts';
import { elfFacts, headerWithoutSections } from '#images/kit/elf.ts';
import type { LayerSpec, Materials } from '#images/kit/image.ts';
import type { Tree } from '#images/kit/tree.ts';

/** The Node that builds the kit, without its symbols: a quarter of it. */
export const node: LayerSpec = {
  name: 'node',
  folder: import.meta.dirname,
  packages: ['libstdc++6', 'libatomic1'],
  on: [base],
  fill,
};

function fill(tree: Tree, { debian, below, work }: Materials): void {
  const stripped = join(work, 'node');
  copyFileSync(process.execPath, stripped);
  const size = cutSections(stripped);
  tree.file('usr/bin/node', { path: stripped, size }, { mode: 0o755 });
  debian.pickLibrariesOf(stripped, tree, below);
}

/** Returns what is left, in bytes. */
function cutSections(program: string): number {
  const facts = elfFacts(program);
  if (!facts) throw new Error(`"${program}" is not a program for Linux`);
  const file = openSync(program, 'r+');
  try {
    const head = Buffer.alloc(64);
    readSync(file, head, 0, head.length, 0);
    writeSync(file, headerWithoutSections(head), 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  truncateSync(program, facts.loadedBytes);
  return facts.loadedBytes;
}
