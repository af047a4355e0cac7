import type { Document, LineCounter } from 'yaml';
import { manifestYaml } from '#api/yaml-dialect.ts';
import { checkClusterFile } from '#cli/cluster-file/check-cluster-file.ts';
import { checkSchema } from '#cli/cluster-file/check-schema.ts';
import { clusterFileOf, type FileProblem } from '#cli/cluster-file/cluster-file.ts';
import type { ClusterFile } from '#cli/cluster-shape.ts';

export type ReadClusterFile =
  | { readonly kind: 'read'; readonly file: ClusterFile }
  /** A line each: file, line, column, field, what is wrong. */
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

/**
 * Reads the cluster's file, YAML or JSON. `name` stands for the text in positions; nodes without a name are named after
 * `clusterName`. All that is wrong is told at once, except that what the schema refuses is told alone.
 */
export async function readClusterFile(
  { name, text }: { readonly name: string; readonly text: string },
  clusterName: string,
): Promise<ReadClusterFile> {
  const { LineCounter, parseAllDocuments } = await import('yaml');
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...manifestYaml, lineCounter: lines, prettyErrors: false });
  const [document, second]: readonly Document.Parsed[] = 'empty' in documents ? [] : documents;
  const wrong = (at: number, body: string): string => `${name}:${positionText(lines, at)}: ${body}`;
  if (document === undefined) return { kind: 'wrong', problems: [`${name}: the file is empty`] };
  if (second !== undefined) return { kind: 'wrong', problems: [wrong(second.range[0], 'a cluster is one document')] };
  const faults = document.errors.map(({ pos, message }) => wrong(pos[0], message.replaceAll(/\s*\n\s*/g, ' ')));
  if (faults.length > 0) return { kind: 'wrong', problems: faults };
  const checked = await checkSchema(document.toJS());
  const problems = 'problems' in checked ? checked.problems : checkClusterFile(checked.written, clusterName);
  if ('written' in checked && problems.length === 0) return { kind: 'read', file: clusterFileOf(checked.written) };
  const textOf = ({ path, body }: FileProblem): string =>
    wrong(offsetOf(document, path), path.length === 0 ? body : `${pathText(path)}: ${body}`);
  return { kind: 'wrong', problems: problems.map(textOf) };
}

function positionText(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

/** Where the field is, or what would have it. */
function offsetOf(document: Document.Parsed, path: FileProblem['path']): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (hasRange(node)) return node.range[0];
  }
  return document.contents?.range[0] ?? 0;
}

const hasRange = (node: unknown): node is { readonly range: readonly [number, number, number] } =>
  typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);

const pathText = (path: FileProblem['path']): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (/[^\w-]/.test(step)) return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
