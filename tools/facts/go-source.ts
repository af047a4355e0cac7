/**
 * Reads the declarations of one Go package of API types: structs with their tags and markers, named types, constants.
 * It understands the regular Go of such packages (gofmt'ed, one field a line), not Go at large, and throws on a field it cannot read.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GoField {
  /** Undefined for an embedded field. */
  readonly name: string | undefined;
  readonly type: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly markers: readonly string[];
}
export type GoType =
  | { readonly kind: 'struct'; readonly fields: readonly GoField[]; readonly markers: readonly string[] }
  | { readonly kind: 'named'; readonly type: string; readonly markers: readonly string[] };
export interface GoPackage {
  readonly types: ReadonlyMap<string, GoType>;
  /** Constants with a named string type: type name to values, in the order of the source. */
  readonly constants: ReadonlyMap<string, readonly string[]>;
  /** Constant name to its string value, for defaults given by reference. */
  readonly values: ReadonlyMap<string, string>;
  /** Import alias to import path. */
  readonly imports: ReadonlyMap<string, string>;
}

/** `directory` holds the package's `.go` files; tests and generated code are left out. */
export function readGoPackage(directory: string): GoPackage {
  const files = globSync('*.go', { cwd: directory })
    .filter((file) => !/_test\.go$|^zz_generated|generated\.pb\.go$|_swagger_doc_generated/.test(file))
    .toSorted();
  const types = new Map<string, GoType>();
  const constants = new Map<string, string[]>();
  const values = new Map<string, string>();
  const imports = new Map<string, string>();
  for (const file of files) {
    const text = readFileSync(join(directory, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    readImports(text, imports);
    readTypes(text, types);
    readConstants(text, constants, values);
  }
  return { types, constants, values, imports };
}

function readImports(text: string, into: Map<string, string>): void {
  const blocks = text.matchAll(/^import \(\n([\s\S]*?)^\)|^import (.*)$/gm);
  for (const block of blocks) {
    for (const line of (block[1] ?? block[2] ?? '').matchAll(/^\s*(\w+)?\s*"([^"]+)"/gm)) {
      into.set(line[1] ?? line[2]!.split('/').at(-1)!, line[2]!);
    }
  }
}

function readTypes(text: string, into: Map<string, GoType>): void {
  let comments: string[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.startsWith('//')) comments.push(line);
    const declaration = /^type (\w+) (=? ?.*)$/.exec(line);
    if (declaration) {
      const [, name, rest] = declaration;
      const markers = markersOf(comments);
      if (/^struct \{$/.test(rest!)) {
        const end = lines.indexOf('}', i);
        into.set(name!, { kind: 'struct', fields: readFields(name!, lines.slice(i + 1, end)), markers });
        i = end;
      } else if (/^struct ?\{\}$/.test(rest!)) {
        into.set(name!, { kind: 'struct', fields: [], markers });
      } else if (!/^(interface|func|struct)\b/.test(rest!)) {
        into.set(name!, { kind: 'named', type: withoutComment(rest!.replace(/^= /, '')), markers });
      }
    }
    // A blank line between a comment and its declaration still belongs to it for markers: upstream writes genclient that way.
    if (line !== '' && !line.startsWith('//')) comments = [];
  }
}

function readFields(owner: string, lines: readonly string[]): GoField[] {
  const fields: GoField[] = [];
  let comments: string[] = [];
  for (const raw of lines) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('//')) {
      comments.push(line);
      continue;
    }
    const field = /^(?:(\w+)\s+)?([\w.*[\]{}]+)\s*(?:`([^`]*)`)?\s*(?:\/\/.*)?$/.exec(line);
    if (!field) throw new Error(`cannot read the field ${JSON.stringify(line)} of ${owner}`);
    fields.push({ name: field[1], type: field[2]!, tags: tagsOf(field[3] ?? ''), markers: markersOf(comments) });
    comments = [];
  }
  return fields;
}

function tagsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+):"([^"]*)"/g)].map((match) => [match[1]!, match[2]!]));
}

const markersOf = (comments: readonly string[]): string[] =>
  comments.flatMap((comment) => /^\/\/\s*\+(.*)$/.exec(comment)?.[1]?.trim() ?? []);

const withoutComment = (text: string): string => text.replace(/\s*\/\/.*$/, '').trim();

function readConstants(text: string, constants: Map<string, string[]>, values: Map<string, string>): void {
  const note = (name: string, type: string | undefined, value: string): void => {
    values.set(name, value);
    if (type === undefined || type === 'string') return;
    const known = constants.get(type) ?? [];
    if (!known.includes(value)) known.push(value);
    constants.set(type, known);
  };
  for (const match of text.matchAll(/^(?:const |\t)(\w+)\s+(?:(\w+)\s+)?= "([^"]*)"/gm))
    note(match[1]!, match[2], match[3]!);
  for (const match of text.matchAll(/^(?:const |\t)(\w+)\s+= (\w+)\("([^"]*)"\)/gm))
    note(match[1]!, match[2], match[3]!);
}
