import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonTextError, parseJsonText } from '#api/json-text.ts';

const duplicated: readonly { readonly name: string; readonly text: string; readonly want: readonly string[] }[] = [
  { name: 'none', text: '{"a":{"b":1},"c":{"b":":\\":"}}', want: [] },
  { name: 'at the top', text: '{"a":1,"a":2}', want: ['duplicate field "a"'] },
  { name: 'within lists', text: '{"spec":{"c":[{},{"n":1,"n":1}]}}', want: ['duplicate field "spec.c[1].n"'] },
  { name: 'three times is told once', text: '{"a":1,"a":2,"a":3}', want: ['duplicate field "a"'] },
  { name: 'written differently', text: '{"a":1,"\\u0061":2}', want: ['duplicate field "a"'] },
  {
    name: 'several',
    text: '{"a":{"x":1,"x":2},"b":{"y":1,"y":{"z":1,"z":2}}}',
    want: ['duplicate field "a.x"', 'duplicate field "b.y.z"', 'duplicate field "b.y"'],
  },
];
for (const { name, text, want } of duplicated) {
  test(`json text: duplicate keys: ${name}`, () => {
    const { value, duplicates } = parseJsonText(text);
    assert.deepEqual(value, JSON.parse(text));
    assert.deepEqual(duplicates.toSorted(), want.toSorted());
  });
}

const wrong: readonly (readonly [text: string, want: string])[] = [
  ['', 'unexpected end of JSON input'],
  ['{"a":1', 'unexpected end of JSON input'],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['{"a":1}x', "invalid character 'x' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['-x', "invalid character 'x' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1ex', "invalid character 'x' in exponent of numeric literal"],
  ['01', "invalid character '1' after top-level value"],
  ['trve', "invalid character 'v' in literal true (expecting 'u')"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
  ['['.repeat(5000) + ']'.repeat(5000), 'exceeded max depth'],
  ['{"a":'.repeat(5000), 'exceeded max depth'],
];
for (const [text, want] of wrong) {
  test(`json text: ${text.slice(0, 20).replaceAll('\n', '\\n')} is refused in Go's words`, () => {
    assert.throws(
      () => parseJsonText(text),
      (e: unknown) => e instanceof JsonTextError && e.message === want,
    );
  });
}

test('json text: whatever JSON.stringify writes is read back, without duplicates', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(parseJsonText(text), { value: JSON.parse(text), duplicates: [] });
    }),
  );
});

test('json text: any text is refused exactly where JSON.parse refuses it', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom(...Array.from('{}[],:"\\0-.etrue \n')), (json, at, character) => {
      const text = json.slice(0, at % (json.length + 1)) + character + json.slice((at % (json.length + 1)) + 1);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        assert.throws(
          () => parseJsonText(text),
          (e: unknown) => e instanceof JsonTextError && e.message !== 'invalid JSON',
        );
        return;
      }
      assert.deepEqual(parseJsonText(text).value, parsed);
    }),
    { numRuns: 500 },
  );
});
