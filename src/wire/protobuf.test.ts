import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  bool,
  bytes,
  embedded,
  enumeration,
  int32,
  int64,
  integers,
  message,
  nanos,
  repeated,
  string,
  stringMap,
  strings,
  uint32,
  uint64,
} from '#wire/protobuf.ts';
import { ProtobufError, Writer } from '#wire/protobuf-bytes.ts';

const Inner = message({ name: string(1), n: int64(2) });
const Outer = message({
  text: string(1),
  raw: bytes(2),
  flag: bool(3),
  i32: int32(4),
  u32: uint32(5),
  i64: int64(6),
  u64: uint64(7),
  color: enumeration(8, ['red', 'green', 'blue'], 'red'),
  inner: embedded(9, Inner),
  many: repeated(10, Inner),
  words: strings(11),
  numbers: integers(12),
  labels: stringMap(1000),
});

/** The same message, told to another implementation, which serves as the oracle. */
const oracle = protobuf
  .parse(`syntax = "proto3";
  message Inner { string name = 1; int64 n = 2; }
  enum Color { red = 0; green = 1; blue = 2; }
  message Outer {
    string text = 1; bytes raw = 2; bool flag = 3; int32 i32 = 4; uint32 u32 = 5; int64 i64 = 6; uint64 u64 = 7;
    Color color = 8; Inner inner = 9; repeated Inner many = 10; repeated string words = 11; repeated int64 numbers = 12;
    map<string, string> labels = 1000;
  }`)
  .root.lookupType('Outer');

const safe = fc.maxSafeInteger();
const inner = fc.record({ name: fc.string(), n: safe }, { noNullPrototype: true });
const text = fc.string({ unit: 'binary' });
const outer = fc.record(
  {
    text,
    raw: fc.uint8Array(),
    flag: fc.boolean(),
    i32: fc.integer(),
    u32: fc.nat({ max: 2 ** 32 - 1 }),
    i64: safe,
    u64: fc.maxSafeNat(),
    color: fc.constantFrom('red' as const, 'green' as const, 'blue' as const),
    inner: fc.option(inner, { nil: undefined }),
    many: fc.array(inner),
    words: fc.array(text),
    numbers: fc.array(safe),
    labels: fc.dictionary(fc.string(), fc.string()),
  },
  { noNullPrototype: true },
);

test('protobuf: what is written is read back, and read alike by another implementation', () => {
  fc.assert(
    fc.property(outer, (value) => {
      const written = Outer.encode(value);
      const read = Outer.decode(written);
      assert.deepEqual(
        { ...read, raw: [...read.raw], labels: { ...read.labels } },
        { ...value, raw: [...value.raw], labels: { ...value.labels } },
      );
      const told = oracle.toObject(oracle.decode(written), {
        longs: String,
        enums: String,
        defaults: true,
        arrays: true,
      });
      assert.deepEqual(
        [told['text'], told['i32'], told['i64'], told['color']],
        [value.text, value.i32, String(value.i64), value.color],
      );
      assert.deepEqual(told['numbers'], value.numbers.map(String));
      assert.deepEqual({ ...told['labels'] }, { ...value.labels });
    }),
    { numRuns: 300 },
  );
});

test('protobuf: what another implementation writes is read', () => {
  fc.assert(
    fc.property(outer, (value) => {
      const { inner: one, ...rest } = value;
      const given = oracle.fromObject({ ...rest, ...(one && { inner: one }) });
      const read = Outer.decode(oracle.encode(given).finish());
      assert.deepEqual(
        { ...read, raw: [...read.raw], labels: { ...read.labels } },
        { ...value, raw: [...value.raw], labels: { ...value.labels } },
      );
    }),
    { numRuns: 300 },
  );
});

test('protobuf: nothing at all is every default, and defaults are written as nothing', () => {
  const empty = Outer.decode(new Uint8Array(0));
  const { raw, ...rest } = empty;
  assert.equal(raw.length, 0);
  const want = { text: '', flag: false, i32: 0, u32: 0, i64: 0, u64: 0, color: 'red', inner: undefined };
  assert.deepEqual(rest, { ...want, many: [], words: [], numbers: [], labels: {} });
  assert.equal(Outer.encode(empty).length, 0);
  // An embedded message is there even if all in it is default; absence and emptiness are different things.
  assert.deepEqual([...Outer.encode({ inner: {} })], [(9 << 3) | 2, 0]);
});

test('protobuf: messages do not share what they were filled with', () => {
  const one = Outer.decode(Outer.encode({ words: ['a'], labels: { a: '1' }, numbers: [1] }));
  const two = Outer.decode(new Uint8Array(0));
  assert.deepEqual([two.words, two.labels, two.numbers], [[], {}, []]);
  assert.deepEqual([one.words, one.labels, one.numbers], [['a'], { a: '1' }, [1]]);
});

test('protobuf: unknown fields are skipped, unknown enum values read as told', () => {
  const New = message({ text: string(1), a: string(90), b: int64(91), c: enumeration(8, ['0', '1', '2', '3'], '0') });
  const Old = message({ text: string(1), c: enumeration(8, ['0', '1', 'unknown'], 'unknown') });
  assert.deepEqual(Old.decode(New.encode({ text: 'x', a: 'y', b: -1, c: '3' })), { text: 'x', c: 'unknown' });
  const fixed = new Writer().tag(50, 1).finish();
  assert.deepEqual(Old.decode(Buffer.concat([fixed, Buffer.alloc(8), Old.encode({ text: 'z' })])).text, 'z');
});

test('protobuf: numbers that were not packed are read as well', () => {
  const unpacked = new Writer().tag(12, 0).varint(5).tag(12, 0).varint(-6).finish();
  assert.deepEqual(Outer.decode(unpacked).numbers, [5, -6]);
});

test('protobuf: a map takes any key', () => {
  const { labels } = Outer.decode(
    Outer.encode({ labels: JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string> }),
  );
  assert.deepEqual(Object.entries(labels), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

test('protobuf: nanoseconds are milliseconds to a quarter of a microsecond, in order', () => {
  const Time = message({ at: nanos(1) });
  const at = (ns: bigint): number => Time.decode(new Writer().tag(1, 0).bigint(ns).finish()).at;
  assert.equal(at(1_795_460_837_078_460_200n), 1_795_460_837_078.4602);
  assert.equal(at(1n), 0.000_001);
  assert.equal(at(0n), 0);
  assert.ok(at(1_795_460_837_078_460_200n) < at(1_795_460_837_078_461_000n));
  assert.ok(Math.abs(Time.decode(Time.encode({ at: 1_795_460_837_078.46 })).at - 1_795_460_837_078.46) < 0.001);
});

test('protobuf: 64-bit numbers beyond 2^53 are the nearest, not nonsense', () => {
  const of = (value: bigint) =>
    Outer.decode(
      Buffer.concat([new Writer().tag(6, 0).bigint(value).finish(), new Writer().tag(7, 0).bigint(value).finish()]),
    );
  assert.equal(of(2n ** 63n - 1n).i64, 2 ** 63);
  assert.equal(of(-(2n ** 63n)).i64, -(2 ** 63));
  assert.equal(of(2n ** 64n - 1n).u64, 2 ** 64);
});

test('protobuf: what is no message is refused, never read beyond its end', () => {
  const whole = Outer.encode({ text: 'hello', inner: { name: 'x' }, words: ['a', 'b'], i64: 2 ** 40 });
  const refused = (bytes: Uint8Array): boolean => {
    try {
      Outer.decode(bytes);
      return false;
    } catch (error) {
      assert.ok(error instanceof ProtobufError, String(error));
      return true;
    }
  };
  assert.ok(refused(whole.subarray(0, 4)), 'cut within a string');
  assert.ok(refused(Buffer.alloc(11, 0xff)), 'a number without end');
  assert.ok(refused(Buffer.from([(1 << 3) | 3])), 'a group');
  assert.ok(refused(Buffer.from([(1 << 3) | 2, 0x7f, 0x61])), 'a length beyond the end');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      refused(noise);
    }),
  );
});

test('protobuf: what cannot be written is refused, not rounded', () => {
  for (const value of [1.5, Number.NaN, 2 ** 60]) assert.throws(() => Outer.encode({ i64: value }), ProtobufError);
});
