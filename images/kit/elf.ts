/** What a 64-bit little-endian ELF file says about itself: the libraries it needs, its loader, where its useful part ends. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface ElfFacts {
  /** Names as a loader would look for them: `libc.so.6`. */
  readonly needed: readonly string[];
  /** The program that starts it: `/lib64/ld-linux-x86-64.so.2`; absent in libraries and static programs. */
  readonly interpreter: string | undefined;
  /**
   * Bytes from the start that are mapped or found through program headers when it runs. What follows, symbols and
   * section headers, is for linkers and debuggers: cut off, a program runs just the same.
   */
  readonly loadedBytes: number;
}

const segmentLoad = 1;
const segmentDynamic = 2;
const segmentInterpreter = 3;
const tagNeeded = 1n;
const tagStringTable = 5n;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** `undefined` for anything that is not such a file: a script, a page. */
export function elfFacts(path: string): ElfFacts | undefined {
  const file = openSync(path, 'r');
  try {
    const read = (offset: number, size: number): Buffer => {
      const buffer = Buffer.alloc(size);
      return buffer.subarray(0, readSync(file, buffer, 0, size, offset));
    };
    const head = read(0, 64);
    if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return undefined;
    const segments = segmentsOf(head, read);
    const interpreter = segments.find((segment) => segment.type === segmentInterpreter);
    return {
      needed: neededBy(segments, read, fstatSync(file).size),
      interpreter: interpreter && stringAt(read(interpreter.offset, interpreter.size), 0),
      loadedBytes: Math.max(...segments.map((segment) => segment.offset + segment.size)),
    };
  } finally {
    closeSync(file);
  }
}

/** The file's first `loadedBytes` without a pointer to the section headers, which are cut off. Only the header differs. */
export function headerWithoutSections(head: Uint8Array): Buffer {
  const copy = Buffer.from(head);
  copy.writeBigUInt64LE(0n, 40);
  copy.writeUInt16LE(0, 60);
  copy.writeUInt16LE(0, 62);
  return copy;
}

type Read = (offset: number, size: number) => Buffer;

function segmentsOf(head: Buffer, read: Read): readonly Segment[] {
  const entryBytes = head.readUInt16LE(54);
  const table = read(Number(head.readBigUInt64LE(32)), entryBytes * head.readUInt16LE(56));
  return Array.from({ length: head.readUInt16LE(56) }, (_, index) => {
    const at = index * entryBytes;
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    };
  });
}

function neededBy(segments: readonly Segment[], read: Read, fileBytes: number): readonly string[] {
  const dynamic = segments.find((segment) => segment.type === segmentDynamic);
  if (!dynamic) return [];
  const table = read(dynamic.offset, dynamic.size);
  const pairs = Array.from({ length: Math.floor(table.length / 16) }, (_, index) => ({
    tag: table.readBigInt64LE(index * 16),
    value: Number(table.readBigUInt64LE(index * 16 + 8)),
  }));
  const address = pairs.find(({ tag }) => tag === tagStringTable)?.value;
  const home = segments.find(
    (each) =>
      each.type === segmentLoad &&
      address !== undefined &&
      address >= each.address &&
      address < each.address + each.size,
  );
  if (!home || address === undefined) return [];
  const start = home.offset + address - home.address;
  // A name never is longer than a path may be.
  return pairs
    .filter(({ tag }) => tag === tagNeeded)
    .map(({ value }) => stringAt(read(start + value, Math.min(4096, fileBytes - start - value)), 0));
}

function stringAt(bytes: Buffer, offset: number): string {
  return bytes.subarray(offset, bytes.indexOf(0, offset)).toString();
}
