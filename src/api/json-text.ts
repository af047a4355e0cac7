/**
 * JSON as an API server reads it: a syntax error in Go's words, and object keys that stand twice reported by their path.
 *
 * `JSON.parse` does the work. That no key was lost in it is seen by counting: colons outside strings against keys of the result.
 * Only where the counts differ, or the text does not parse, is it read a second time, slowly, to say what and where.
 */
import { JsonScanner } from '#api/json-scanner.ts';

export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
}

export interface ParsedJson {
  readonly value: unknown;
  /** In upstream's words, `duplicate field "spec.nodeName"`, in the order of the text; of two values the last is taken. */
  readonly duplicates: readonly string[];
}

/** Deeper objects are refused: whoever walks one must not run out of stack. Upstream's limit is 10,000. */
const MAX_DEPTH = 1000;

/** Throws JsonTextError with Go's message (`invalid character 'x' after object key:value pair`). */
export function parseJsonText(text: string): ParsedJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonTextError(syntaxError(text) ?? 'invalid JSON', { cause: error });
  }
  const { colons, depth } = outline(text);
  if (depth > MAX_DEPTH) throw new JsonTextError('exceeded max depth');
  if (colons === countKeys(value)) return { value, duplicates: [] };
  const scanner = new JsonScanner(text);
  scanner.scan();
  return { value, duplicates: scanner.duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`) };
}

function syntaxError(text: string): string | undefined {
  if (outline(text).depth > MAX_DEPTH) return 'exceeded max depth';
  return new JsonScanner(text).scan();
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function outline(text: string): { readonly colons: number; readonly depth: number } {
  let colons = 0;
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case 0x3a: // :
        colons++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        if (depth > deepest) deepest = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      default:
    }
  }
  return { colons, depth: deepest };
}

/** Where the string that begins at `start` ends; the end of the text if it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const one of value) count += countKeys(one);
    return count;
  }
  const object = value as { readonly [key: string]: unknown };
  for (const key in object) count += 1 + countKeys(object[key]);
  return count;
}
