/**
 * Protocol Buffers by table: a message is written down once as `{ field: kind(number) }`, and its TypeScript types follow.
 *
 *   const Metadata = message({ name: string(1), attempt: uint32(2) });
 *   Metadata.decode(Metadata.encode({ name: 'web' }))          // { name: 'web', attempt: 0 }
 *
 * proto3 throughout: reading yields every field (the default where the sender left it out, undefined for an embedded
 * message), writing leaves defaults out, unknown fields are skipped, the last value of a field wins. 64-bit integers
 * become numbers, rounded beyond 2^53. Small and without code generation, because it is loaded at every start.
 */
import { Reader, Writer } from '#wire/protobuf-bytes.ts';

/** How one field is written and read. `In` is what `encode` takes, `Out` what `decode` gives. */
export interface Field<In, Out> {
  readonly number: number;
  readonly absent: Out;
  write(to: Writer, value: In): void;
  read(from: Reader, wireType: number, before: Out): Out;
}

type Fields = Readonly<Record<string, Field<never, unknown>>>;
type InOf<F> = F extends Field<infer In, infer _> ? In : never;
type OutOf<F> = F extends Field<infer _, infer Out> ? Out : never;
type InputOf<F extends Fields> = { readonly [K in keyof F]?: InOf<F[K]> | undefined };
type OutputOf<F extends Fields> = { readonly [K in keyof F]: OutOf<F[K]> };

export interface Message<In, Out> {
  encode(value: In): Uint8Array;
  /** Throws ProtobufError on bytes that are no such message. The result shares memory with `bytes` in its `bytes` fields. */
  decode(bytes: Uint8Array): Out;
  writeTo(to: Writer, value: In): void;
  readFrom(from: Reader): Out;
}

export type InputFor<M> = M extends Message<infer In, infer _> ? In : never;
export type OutputFor<M> = M extends Message<infer _, infer Out> ? Out : never;

export function message<const F extends Fields>(fields: F): Message<InputOf<F>, OutputOf<F>> {
  const entries = Object.entries(fields);
  const byNumber = new Map(entries.map((entry) => [entry[1].number, entry] as const));
  const absent = Object.fromEntries(entries.map(([name, field]) => [name, field.absent]));
  const codec: Message<InputOf<F>, OutputOf<F>> = {
    encode(value) {
      const writer = new Writer();
      codec.writeTo(writer, value);
      return writer.finish();
    },
    decode: (bytes) => codec.readFrom(new Reader(bytes)),
    writeTo(to, value) {
      for (const [name, field] of entries) {
        const given = value[name];
        // What is under `name` has the type that `field` writes: InputOf says so for every caller.
        if (given !== undefined) field.write(to, given as never);
      }
    },
    readFrom(from) {
      const result: Record<string, unknown> = { ...absent };
      while (!from.atEnd) {
        const tag = from.uint32();
        const entry = byNumber.get(tag >>> 3);
        if (entry === undefined) from.skip(tag & 7);
        else result[entry[0]] = entry[1].read(from, tag & 7, result[entry[0]]);
      }
      // Filled from `absent` and by the fields' own readers, which is what OutputOf describes.
      return result as OutputOf<F>;
    },
  };
  return codec;
}

export const string = (number: number): Field<string, string> => ({
  number,
  absent: '',
  write: (to, value) => value !== '' && to.tag(number, 2).string(value),
  read: (from) => from.string(),
});

export const bytes = (number: number): Field<Uint8Array, Uint8Array> => ({
  number,
  absent: new Uint8Array(0),
  write: (to, value) => value.length > 0 && to.tag(number, 2).bytes(value),
  read: (from) => from.bytes(),
});

export const bool = (number: number): Field<boolean, boolean> => ({
  number,
  absent: false,
  write: (to, value) => value && to.tag(number, 0).varint(1),
  read: (from) => from.varint() !== 0,
});

/** int32, int64, uint32, uint64 and enums by number: all the same on the wire. */
const integer = (number: number, read: (from: Reader) => number): Field<number, number> => ({
  number,
  absent: 0,
  write: (to, value) => value !== 0 && to.tag(number, 0).varint(value),
  read,
});
export const int32 = (number: number): Field<number, number> => integer(number, (from) => from.varint() | 0);
export const uint32 = (number: number): Field<number, number> => integer(number, (from) => from.uint32());
export const int64 = (number: number): Field<number, number> => integer(number, (from) => from.varint());
export const uint64 = (number: number): Field<number, number> => integer(number, (from) => from.unsigned());

/** An int64 of nanoseconds since the epoch, as milliseconds with a fraction (exact to 0.25 µs today); 0 is 0. */
export const nanos = (number: number): Field<number, number> => ({
  number,
  absent: 0,
  write: (to, value) => value !== 0 && to.tag(number, 0).bigint(BigInt(Math.round(value * 1000)) * 1000n),
  read(from) {
    const ns = from.bigint();
    return Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6;
  },
});

/** An enum by name: `names[0]` is number 0. A number beyond the table reads as `unknown`. */
export const enumeration = <const Name extends string>(
  number: number,
  names: readonly Name[],
  unknown: NoInfer<Name>,
): Field<Name, Name> => {
  const first = names[0] ?? unknown;
  return {
    number,
    absent: first,
    write: (to, value) => value !== first && to.tag(number, 0).varint(names.indexOf(value)),
    read: (from) => names[from.varint()] ?? unknown,
  };
};

export const embedded = <In, Out>(number: number, type: Message<In, Out>): Field<In, Out | undefined> => ({
  number,
  absent: undefined,
  write: (to, value) => void to.tag(number, 2).nested((inner) => type.writeTo(inner, value)),
  read: (from) => type.readFrom(from.nested()),
});

export const repeated = <In, Out>(number: number, type: Message<In, Out>): Field<readonly In[], readonly Out[]> => ({
  number,
  absent: [],
  write(to, values) {
    for (const value of values) to.tag(number, 2).nested((inner) => type.writeTo(inner, value));
  },
  read: (from, _wireType, before) => appended(before, type.readFrom(from.nested())),
});

export const strings = (number: number): Field<readonly string[], readonly string[]> => ({
  number,
  absent: [],
  write(to, values) {
    for (const value of values) to.tag(number, 2).string(value);
  },
  read: (from, _wireType, before) => appended(before, from.string()),
});

/** Written packed; read packed or not, as proto3 demands. */
export const integers = (number: number): Field<readonly number[], readonly number[]> => ({
  number,
  absent: [],
  write(to, values) {
    if (values.length === 0) return;
    to.tag(number, 2).nested((inner) => {
      for (const value of values) inner.varint(value);
    });
  },
  read(from, wireType, before) {
    if (wireType === 0) return appended(before, from.varint());
    const packed = from.nested();
    let all = before;
    while (!packed.atEnd) all = appended(all, packed.varint());
    return all;
  },
});

export const stringMap = (
  number: number,
): Field<Readonly<Record<string, string>>, Readonly<Record<string, string>>> => ({
  number,
  absent: {},
  write(to, map) {
    for (const [key, value] of Object.entries(map)) {
      to.tag(number, 2).nested((inner) => inner.tag(1, 2).string(key).tag(2, 2).string(value));
    }
  },
  read(from, _wireType, before) {
    const { key, value } = mapEntry.readFrom(from.nested());
    // `absent` is shared by all messages, so the first entry makes a record of its own.
    const map = Object.keys(before).length === 0 ? {} : before;
    // Defined, not assigned: keys are anyone's, and one may be called __proto__.
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    return map;
  },
});

const mapEntry = message({ key: string(1), value: string(2) });

/** Appends in place, but never to the shared `absent`. */
function appended<T>(before: readonly T[], item: T): readonly T[] {
  if (before.length === 0) return [item];
  (before as T[]).push(item);
  return before;
}
