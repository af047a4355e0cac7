import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Document, LineCounter } from 'yaml';
import type { NewMeta } from '#api/meta.ts';
import { manifestYaml } from '#api/yaml-dialect.ts';
import { UserError } from '#cli/user-error.ts';

/**
 * Manifests as people write them: files of YAML or JSON, several documents a file, lists of objects. They are read as
 * kubectl reads them.
 */
export interface Manifest {
  readonly object: ManifestObject;
  /** `pod.yaml:12`, the line at which the object begins. */
  readonly where: string;
}

/** What is known of an object before the server has looked at it. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: NewMeta;
  readonly [field: string]: unknown;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** What is wrong, a text each; it begins with where it is, and may show the line below. */
  readonly problems: readonly string[];
}

const EXTENSIONS = ['.yaml', '.yml', '.json'];

/**
 * Reads files, whole directories (not those within) and `-`, which is standard input; in the order given, a directory's
 * files by name. A file that does not parse gives its problems and no manifest. Throws UserError when there is no such file.
 */
export async function readManifests(paths: readonly string[], stdin: () => string = standardInput): Promise<Manifests> {
  const files = paths.flatMap(filesOf);
  const read = await Promise.all(
    files.map((file) => (file === '-' ? parseManifests('stdin', stdin()) : parseManifests(file, textOf(file)))),
  );
  return { manifests: read.flatMap((each) => each.manifests), problems: read.flatMap((each) => each.problems) };
}

/** `name` stands for the text in positions. */
export async function parseManifests(name: string, text: string): Promise<Manifests> {
  const { LineCounter, parseAllDocuments } = await import('yaml');
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...manifestYaml, lineCounter: lines, prettyErrors: false });
  // An empty stream is a list of its own sort.
  const all: readonly Document.Parsed[] = 'empty' in documents ? [] : documents;
  const source: Source = { name, text, lines };
  const problems = all.flatMap((document) => document.errors.map((error) => problemAt(source, error)));
  if (problems.length > 0) return { manifests: [], problems };
  return joined(all.map((document) => objectsOf(source, document)));
}

function filesOf(path: string): readonly string[] {
  if (path === '-') return [path];
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new UserError(`the path ${JSON.stringify(path)} does not exist`);
  if (!stats.isDirectory()) return [path];
  const found = readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && EXTENSIONS.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(path, entry.name))
    .sort();
  if (found.length === 0) throw new UserError(`no ${EXTENSIONS.join(', ')} file in ${path}`);
  return found;
}

const standardInput = (): string => readFileSync(0, 'utf8');

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

interface Source {
  readonly name: string;
  readonly text: string;
  readonly lines: LineCounter;
}

const at = ({ name, lines }: Source, offset: number): string => `${name}:${lines.linePos(offset).line}`;

/** The line is shown, with a mark below the column: tabs and quotes are seen better than described. */
function problemAt(
  source: Source,
  error: { readonly message: string; readonly pos: readonly [number, number] },
): string {
  const { line, col } = source.lines.linePos(error.pos[0]);
  const shown = source.text.split('\n', line)[line - 1]?.trimEnd() ?? '';
  const number = String(line).padStart(5);
  const indent = shown.slice(0, col - 1).replaceAll(/[^\t]/g, ' ');
  const message = error.message.replaceAll(/\s*\n\s*/g, ' ');
  return `${source.name}:${line}:${col}: ${message}\n${number} | ${shown}\n${' '.repeat(number.length)} | ${indent}^`;
}

function objectsOf(source: Source, document: Document.Parsed): Manifests {
  const where = at(source, document.contents?.range[0] ?? 0);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases that stand for nothing, or for too much.
    return failed(where, error instanceof Error ? error.message : String(error));
  }
  if (value === null || value === undefined) return { manifests: [], problems: [] };
  if (isRecord(value) && isList(value)) {
    return joined(
      value.items.map((item, index) => {
        const node = document.getIn(['items', index], true);
        return objectOf(item, hasRange(node) ? at(source, node.range[0]) : where);
      }),
    );
  }
  return objectOf(value, where);
}

function objectOf(value: unknown, where: string): Manifests {
  if (!isRecord(value)) {
    const found = Array.isArray(value) ? 'a list' : `the ${typeof value} ${JSON.stringify(value)}`;
    return failed(where, `an object with apiVersion, kind and metadata is wanted here, this is ${found}`);
  }
  const { apiVersion, kind, metadata } = value;
  const unset = Object.entries({ apiVersion, kind }).filter(([, field]) => typeof field !== 'string' || field === '');
  if (unset.length > 0) return failed(where, unset.map(([field]) => `${field} not set`).join(', '));
  if (!isRecord(metadata)) return failed(where, `${String(kind)}: metadata not set`);
  const wrong = ['name', 'generateName', 'namespace'].find(
    (field) => metadata[field] !== undefined && metadata[field] !== null && typeof metadata[field] !== 'string',
  );
  if (wrong !== undefined) {
    const found = JSON.stringify(metadata[wrong]);
    return failed(where, `${String(kind)}: metadata.${wrong} must be text, this is ${found} (put it in quotes)`);
  }
  if (!metadata['name'] && !metadata['generateName']) {
    return failed(where, `${String(kind)}: metadata.name not set (resource name may not be empty)`);
  }
  // Checked above, as far as it is relied on; the rest is the server's to check.
  return { manifests: [{ object: value as unknown as ManifestObject, where }], problems: [] };
}

const failed = (where: string, message: string): Manifests => ({ manifests: [], problems: [`${where}: ${message}`] });

const joined = (parts: readonly Manifests[]): Manifests => ({
  manifests: parts.flatMap((part) => part.manifests),
  problems: parts.flatMap((part) => part.problems),
});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isList = (value: Readonly<Record<string, unknown>>): value is { readonly items: readonly unknown[] } =>
  typeof value['kind'] === 'string' && value['kind'].endsWith('List') && Array.isArray(value['items']);

const hasRange = (node: unknown): node is { readonly range: readonly [number, number, number] } =>
  isRecord(node) && Array.isArray(node['range']);
