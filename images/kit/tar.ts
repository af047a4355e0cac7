/**
 * Writes and reads tar archives: the ustar format, as far as images need it. Written archives are a function of their
 * entries alone: time zero, numeric owners, no names of users.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Tree, TreeEntry } from '#images/kit/tree.ts';

const blockBytes = 512;
const chunkBytes = 1 << 20;

/** The archive's bytes, in chunks. */
export function* tarOf(tree: Tree): Generator<Uint8Array> {
  for (const [path, entry] of tree.entries()) {
    yield header(path, entry);
    if (entry.kind !== 'file') continue;
    if (entry.content instanceof Uint8Array) yield entry.content;
    else yield* chunksOf(entry.content.path, entry.content.size);
    yield padding(sizeOf(entry));
  }
  yield new Uint8Array(2 * blockBytes);
}

export interface TarMember {
  /** Where its bytes are in the archive. */
  readonly offset: number;
  readonly size: number;
}

/**
 * Where each regular file of an archive lies, without reading the files. Understands ustar and GNU's and POSIX's ways
 * to write long names, which is what image tools produce; throws on what is not a tar archive.
 */
export function membersOf(archive: string): ReadonlyMap<string, TarMember> {
  const members = new Map<string, TarMember>();
  const file = openSync(archive, 'r');
  try {
    let longName: string | undefined;
    for (let position = 0; ;) {
      const block = readAt(file, position, blockBytes);
      if (block.length < blockBytes || block.every((byte) => byte === 0)) return members;
      if (checksum(block) !== octal(block, 148, 8)) throw new Error(`"${archive}" is not a tar archive`);
      const size = octal(block, 124, 12);
      const offset = position + blockBytes;
      const type = String.fromCharCode(block[156]!);
      if (type === 'L') longName = text(readAt(file, offset, size), 0, size);
      else if (type === 'x') longName = /\d+ path=(.*)\n/.exec(readAt(file, offset, size).toString())?.[1];
      else {
        const prefix = text(block, 345, 155);
        const name = longName ?? (prefix === '' ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`);
        if (type === '0' || type === '\0') members.set(name.replace(/^\.\//, ''), { offset, size });
        longName = undefined;
      }
      position = offset + size + padding(size).length;
    }
  } finally {
    closeSync(file);
  }
}

/** The bytes of one member; for small ones. */
export function readMember(archive: string, member: TarMember): Buffer {
  const file = openSync(archive, 'r');
  try {
    return readAt(file, member.offset, member.size);
  } finally {
    closeSync(file);
  }
}

function header(path: string, entry: TreeEntry): Buffer {
  const block = Buffer.alloc(blockBytes);
  const [prefix, name] = splitName(entry.kind === 'directory' ? `${path}/` : path);
  block.write(name, 0);
  block.write(prefix, 345);
  const owned = entry.kind === 'symlink' ? { mode: 0o777, uid: 0, gid: 0 } : entry;
  writeOctal(block, owned.mode, 100, 8);
  writeOctal(block, owned.uid, 108, 8);
  writeOctal(block, owned.gid, 116, 8);
  writeOctal(block, sizeOf(entry), 124, 12);
  writeOctal(block, 0, 136, 12);
  block.write({ file: '0', symlink: '2', directory: '5' }[entry.kind], 156);
  if (entry.kind === 'symlink') {
    if (Buffer.byteLength(entry.target) > 100) throw new Error(`link target too long for ustar: ${entry.target}`);
    block.write(entry.target, 157);
  }
  block.write('ustar\x0000', 257, 'latin1');
  writeOctal(block, checksum(block), 148, 8);
  return block;
}

const sizeOf = (entry: TreeEntry): number =>
  entry.kind !== 'file' ? 0 : entry.content instanceof Uint8Array ? entry.content.length : entry.content.size;

const padding = (size: number): Uint8Array => new Uint8Array((blockBytes - (size % blockBytes)) % blockBytes);

function* chunksOf(path: string, size: number): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (let position = 0; position < size; position += chunkBytes) {
      const wanted = Math.min(chunkBytes, size - position);
      const chunk = readAt(file, position, wanted);
      if (chunk.length < wanted) throw new Error(`"${path}" has become shorter than ${size} bytes`);
      yield chunk;
    }
  } finally {
    closeSync(file);
  }
}

/** May return less than asked for at the end of the file only. */
function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(file, buffer, filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}

/** ustar keeps 100 bytes of name and 155 of what stands before it, cut at a slash. */
function splitName(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let cut = path.indexOf('/'); cut > 0 && cut < path.length - 1; cut = path.indexOf('/', cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return [prefix, name];
  }
  throw new Error(`path too long for ustar: ${path}`);
}

function writeOctal(block: Buffer, value: number, offset: number, width: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
}

function octal(block: Buffer, offset: number, width: number): number {
  // Sizes from 8 GiB are written in base 256, marked by the top bit.
  if ((block[offset]! & 0x80) !== 0) return Number(block.readBigUInt64BE(offset + width - 8));
  return Number.parseInt(text(block, offset, width).trim() || '0', 8);
}

function text(block: Buffer, offset: number, width: number): string {
  const field = block.subarray(offset, offset + width);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? width : end).toString();
}

/** Sum of all bytes, with the checksum's own field counted as spaces. */
function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}
