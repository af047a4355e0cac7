import type { Change, Entry, Revision, StoreKey } from '#store/store.ts';

/**
 * Many entries as a few transferable buffers: cloning ten thousand small arrays one by one costs more than reading them
 * from the file. A buffer is short, so that one entry somebody keeps does not keep the whole listing in memory.
 */
export interface PackedEntries {
  readonly keys: readonly StoreKey[];
  readonly created: Float64Array<ArrayBuffer>;
  readonly modified: Float64Array<ArrayBuffer>;
  /** Length of each value; -1 for a deletion, which has none. */
  readonly lengths: Float64Array<ArrayBuffer>;
  /** The values one behind the other; none is split between two buffers. */
  readonly buffers: readonly ArrayBuffer[];
}

export interface Row {
  readonly key: StoreKey;
  /** 0 for a deletion. */
  readonly created: number;
  readonly modified: number;
  readonly value: Uint8Array;
}

const BUFFER_BYTES = 64 * 1024;

export function pack(rows: readonly Row[]): PackedEntries {
  return {
    keys: rows.map((row) => row.key),
    created: Float64Array.from(rows, (row) => row.created),
    modified: Float64Array.from(rows, (row) => row.modified),
    lengths: Float64Array.from(rows, (row) => (row.created === 0 ? -1 : row.value.length)),
    buffers: buffersOf(rows),
  };
}

/** What to hand to `postMessage` beside them. */
export function transferables(packed: PackedEntries): ArrayBuffer[] {
  return [packed.created.buffer, packed.modified.buffer, packed.lengths.buffer, ...packed.buffers];
}

export function unpackEntries(packed: PackedEntries): readonly Entry[] {
  return unpackChanges(packed).flatMap((change) => change.entry ?? []);
}

export function unpackChanges({ keys, created, modified, lengths, buffers }: PackedEntries): readonly Change[] {
  let index = 0;
  let offset = 0;
  return keys.map((key, i) => {
    const revision = modified[i] as Revision;
    const length = lengths[i] ?? 0;
    if (length < 0) return { kind: 'delete', key, revision, entry: undefined };
    if (offset + length > (buffers[index]?.byteLength ?? 0)) {
      index++;
      offset = 0;
    }
    const value = new Uint8Array(buffers[index] ?? new ArrayBuffer(0), offset, length);
    offset += length;
    return { kind: 'put', key, revision, entry: { key, value, created: created[i] as Revision, modified: revision } };
  });
}

function buffersOf(rows: readonly Row[]): readonly ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (let from = 0; from < rows.length;) {
    let bytes = 0;
    let to = from;
    for (; to < rows.length; to++) {
      const length = rows[to]?.value.length ?? 0;
      if (to > from && bytes + length > BUFFER_BYTES) break;
      bytes += length;
    }
    const buffer = new Uint8Array(bytes);
    let offset = 0;
    for (; from < to; from++) {
      const value = rows[from]?.value ?? new Uint8Array();
      buffer.set(value, offset);
      offset += value.length;
    }
    buffers.push(buffer.buffer);
  }
  return buffers;
}
