import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { layers, withoutNode } from '#tools/layers.ts';

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root });
const source = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));

/** Static, dynamic and re-exporting imports alike; a dynamic import is as much of a dependency as any. */
const importsOf = (file: string): string[] =>
  [
    ...source.get(file)!.matchAll(/^(?:import|export)\s(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm),
    ...source.get(file)!.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g),
  ].map((match) => match[1]!);
const layerOf = (path: string): string => path.replace(/^src\/|^#/, '').split('/')[0]!;
const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.endsWith('/conformance.ts');
const allowed = (from: string, to: string): boolean =>
  from === to || layers[from]?.includes('*') === true || layers[from]?.includes(to) === true;

test('layers: every folder of src is in the table', () => {
  assert.deepEqual(
    [...new Set(files.map(layerOf))].filter((layer) => !(layer in layers)),
    [],
  );
});

test('layers: every import goes to an allowed layer', () => {
  const bad = files.flatMap((file) =>
    importsOf(file)
      .filter((to) => to.startsWith('#') && !allowed(layerOf(file), layerOf(to)))
      .map((to) => `${file} may not import ${to}`),
  );
  assert.deepEqual(bad, []);
});

test('layers: imports are #layer/file.ts with the extension written, never relative', () => {
  const bad = files.flatMap((file) =>
    importsOf(file)
      .filter((to) => to.startsWith('.') || (to.startsWith('#') && !/\.\w+$/.test(to)))
      .map((to) => `${file}: ${to}`),
  );
  assert.deepEqual(bad, []);
});

test('layers: lib and api import no node: module, so a browser can run them', () => {
  const bad = files
    .filter((file) => withoutNode.includes(layerOf(file)) && !isTest(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((to) => to.startsWith('node:'))
        .map((to) => `${file}: ${to}`),
    );
  assert.deepEqual(bad, []);
});

test('layers: no index files and no re-exports', () => {
  assert.deepEqual(
    files.filter((file) => file.endsWith('/index.ts')),
    [],
  );
  assert.deepEqual(
    files.filter((file) => /^export\s+(?:\*|\{[^}]*\})\s+from/m.test(source.get(file)!)),
    [],
  );
});

test('layers: no import cycles', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((to) => to.startsWith('#'))
        .map((to) => `src/${to.slice(1)}`),
    ]),
  );
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    assert.notEqual(state.get(file), 'open', `cycle: ${[...path, file].join(' -> ')}`);
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
});
