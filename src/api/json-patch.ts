/**
 * JSON patch (RFC 6902), copy-on-write: what no operation touches is shared with the original; values of the patch become part of
 * the result. All operations or none: the first that fails throws PatchError with upstream's message.
 *
 * Stricter than upstream: an index is a decimal without sign or leading zero. As upstream: the whole document cannot be replaced,
 * and a `test` for null passes where nothing stands.
 */
import { PatchError } from '#api/patch-error.ts';

/** Upstream's limit, so that a small request cannot keep the server busy. */
const MAX_OPERATIONS = 10_000;

type Container = { readonly [key: string]: unknown } | readonly unknown[];
type Change = (container: Container, key: string) => Container;

/** `patch` is the parsed body. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw new PatchError(400, `json: cannot unmarshal ${wordOf(patch)} into Go value of type jsonpatch.Patch`);
  if (patch.length > MAX_OPERATIONS) {
    throw new PatchError(
      413,
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  let result = document;
  for (const operation of patch) {
    if (!isObject(operation)) {
      throw new PatchError(
        400,
        `json: cannot unmarshal ${wordOf(operation)} into Go value of type jsonpatch.Operation`,
      );
    }
    result = applyOperation(result, operation);
  }
  return result;
}

function applyOperation(document: unknown, operation: { readonly [key: string]: unknown }): unknown {
  const op = typeof operation['op'] === 'string' ? operation['op'] : 'unknown';
  switch (op) {
    case 'add': {
      const path = pointerOf(operation, 'path', 'add operation failed to decode path');
      return add(document, path, valueOf(operation), {
        missing: `add operation does not apply: doc is missing path: "${path}"`,
        failed: `error in add for path: '${path}'`,
      });
    }
    case 'remove': {
      const path = pointerOf(operation, 'path', 'remove operation failed to decode path');
      return remove(document, path, {
        missing: `remove operation does not apply: doc is missing path: "${path}"`,
        failed: `error in remove for path: '${path}'`,
      });
    }
    case 'replace':
      return replace(
        document,
        pointerOf(operation, 'path', 'replace operation failed to decode path'),
        valueOf(operation),
      );
    case 'move':
      return move(document, operation);
    case 'copy':
      return copy(document, operation);
    case 'test':
      test(document, pointerOf(operation, 'path', 'test operation failed to decode path'), operation['value'] ?? null);
      return document;
    default:
      throw new PatchError(422, `Unexpected kind: ${op}`);
  }
}

interface Words {
  /** The container at the path's parent is not there. */
  readonly missing: string;
  /** It is there, but the operation cannot be done in it. */
  readonly failed: string;
}

function add(document: unknown, path: string, value: unknown, words: Words): unknown {
  return change(document, path, words, (container, key) => {
    if (!Array.isArray(container)) return withKey(container, key, value);
    const at =
      key === '-'
        ? container.length
        : indexOf(key, container.length, words.failed, 'value was not a proper array index');
    return container.toSpliced(at, 0, value);
  });
}

function remove(document: unknown, path: string, words: Words): unknown {
  return change(document, path, words, (container, key) => {
    if (Array.isArray(container)) return container.toSpliced(indexOf(key, container.length - 1, words.failed), 1);
    if (!Object.hasOwn(container, key)) throw missing(`${words.failed}: Unable to remove nonexistent key: ${key}`);
    const { [key]: _, ...rest } = container as { readonly [key: string]: unknown };
    return rest;
  });
}

function replace(document: unknown, path: string, value: unknown): unknown {
  const words = { missing: `replace operation does not apply: doc is missing path: ${path}`, failed: '' };
  return change(document, path, words, (container, key) => {
    if (lookUp(container, key) === absent)
      throw missing(`replace operation does not apply: doc is missing key: ${path}`);
    return Array.isArray(container) ? container.with(Number(key), value) : withKey(container, key, value);
  });
}

function move(document: unknown, operation: { readonly [key: string]: unknown }): unknown {
  const from = pointerOf(operation, 'from', 'move operation failed to decode from');
  const path = pointerOf(operation, 'path', 'move operation failed to decode path');
  if (path.startsWith(`${from}/`))
    throw new PatchError(422, `move operation does not apply: ${path} is within ${from}`);
  const value = valueAt(document, from, 'move');
  const removed = remove(document, from, { missing: '', failed: `error in move for path: '${lastOf(from)}'` });
  return add(removed, path, value, {
    missing: `move operation does not apply: doc is missing destination path: ${path}`,
    failed: `error in move for path: '${path}'`,
  });
}

function copy(document: unknown, operation: { readonly [key: string]: unknown }): unknown {
  const from = pointerOf(operation, 'from', 'copy operation failed to decode from');
  const path = pointerOf(operation, 'path', 'copy operation failed to decode path');
  return add(document, path, valueAt(document, from, 'copy'), {
    missing: `copy operation does not apply: doc is missing destination path: ${path}`,
    failed: 'error while adding value during copy',
  });
}

function test(document: unknown, path: string, wanted: unknown): void {
  const container = parentAt(document, path);
  if (container === absent) throw missing(`test operation does not apply: is missing path: ${path}`);
  const found = lookUp(container, lastOf(path));
  if (!equal(found === absent ? null : found, wanted))
    throw new PatchError(422, `testing value ${path} failed: test failed`);
}

/** Copies the containers on the way to `path` and lets `apply` change the last one. */
function change(document: unknown, path: string, words: Words, apply: Change): unknown {
  const parts = partsOf(path);
  const walk = (node: unknown, depth: number): unknown => {
    if (!isContainer(node)) throw missing(words.missing);
    const key = parts[depth]!;
    if (depth === parts.length - 1) return apply(node, key);
    const inner = lookUp(node, key);
    if (inner === absent) throw missing(words.missing);
    const changed = walk(inner, depth + 1);
    return Array.isArray(node) ? node.with(Number(key), changed) : withKey(node, key, changed);
  };
  if (parts.length === 0) throw missing(words.missing);
  return walk(document, 0);
}

function valueAt(document: unknown, path: string, op: 'move' | 'copy'): unknown {
  const container = parentAt(document, path);
  if (container === absent) throw missing(`${op} operation does not apply: doc is missing from path: ${path}`);
  const value = lookUp(container, lastOf(path));
  if (value === absent) {
    const where = op === 'move' ? `error in move for path: '${lastOf(path)}'` : `error in copy for from: '${path}'`;
    throw missing(`${where}: unable to get nonexistent key: ${lastOf(path)}`);
  }
  return value;
}

const absent = Symbol('absent');

function parentAt(document: unknown, path: string): Container | typeof absent {
  const parts = partsOf(path);
  if (parts.length === 0) return absent;
  let node: unknown = document;
  for (const part of parts.slice(0, -1)) node = isContainer(node) ? lookUp(node, part) : absent;
  return isContainer(node) ? node : absent;
}

function lookUp(container: Container, key: string): unknown {
  if (Array.isArray(container)) return isIndex(key) && Number(key) < container.length ? container[Number(key)] : absent;
  return Object.hasOwn(container, key) ? (container as { readonly [key: string]: unknown })[key] : absent;
}

function indexOf(key: string, last: number, failed: string, improper?: string): number {
  if (!isIndex(key)) {
    const why = improper === undefined ? '' : `${improper}: '${key}': `;
    throw new PatchError(422, `${failed}: ${why}strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  }
  if (Number(key) > last)
    throw new PatchError(422, `${failed}: Unable to access invalid index: ${key}: invalid index referenced`);
  return Number(key);
}

const isIndex = (key: string): boolean => /^(?:0|[1-9]\d{0,14})$/.test(key);
const missing = (message: string): PatchError => new PatchError(422, `${message}: missing value`);

function pointerOf(operation: { readonly [key: string]: unknown }, name: 'path' | 'from', failed: string): string {
  const pointer = operation[name];
  if (typeof pointer === 'string') return pointer;
  throw missing(`${failed}: operation${name === 'from' ? ', missing from' : ' missing path'} field`);
}

/** Upstream takes an absent value for null. */
const valueOf = (operation: { readonly [key: string]: unknown }): unknown => operation['value'] ?? null;

const partsOf = (path: string): readonly string[] =>
  path.startsWith('/')
    ? path
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [];
const lastOf = (path: string): string => partsOf(path).at(-1) ?? '';

function withKey(container: Container, key: string, value: unknown): Container {
  const copied = { ...(container as { readonly [key: string]: unknown }) };
  // A plain assignment of __proto__ would be lost.
  return Object.defineProperty(copied, key, { value, enumerable: true, writable: true, configurable: true });
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equal(lookUp(a, key), lookUp(b, key)));
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;
const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  isContainer(value) && !Array.isArray(value);

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
