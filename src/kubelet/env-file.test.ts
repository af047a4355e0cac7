import assert from 'node:assert/strict';
import test from 'node:test';
import { parseEnvFile } from '#kubelet/env-file.ts';

const cases: readonly { readonly name: string; readonly text: string; readonly want: Record<string, string> }[] = [
  { name: 'nothing', text: '', want: {} },
  { name: 'lines', text: "A='1'\nB='two words'\n", want: { A: '1', B: 'two words' } },
  { name: 'no end of the last line', text: "A='1'", want: { A: '1' } },
  { name: 'blank lines, spaces before, comments', text: "\n  # c='x'\n\t A='1'  \n  \n#", want: { A: '1' } },
  { name: 'a value as it stands', text: `A=' #$B "\\n" '`, want: { A: ' #$B "\\n" ' } },
  { name: 'a value of several lines', text: "A='1\n# 2\n\n3'\nB='4'", want: { A: '1\n# 2\n\n3', B: '4' } },
  { name: 'an empty value', text: "A=''", want: { A: '' } },
  { name: 'the last of the same name', text: "A='1'\nA='2'", want: { A: '2' } },
  { name: 'a name with dots and dashes', text: "a.b-c='1'", want: { 'a.b-c': '1' } },
];
for (const { name, text, want } of cases) {
  test(`parseEnvFile: ${name}`, () => assert.deepEqual(Object.fromEntries(parseEnvFile(text)), want));
}

for (const [name, text, line] of [
  ['no quotes', "A='1'\nB=2", 2],
  ['double quotes', 'A="1"', 1],
  ['a space before the sign', "A ='1'", 1],
  ['a space after the sign', "\nA= '1'", 2],
  ['two texts side by side', "A='1''2'", 1],
  ['something after the value', "A='1' # no comment here", 1],
  ['a value that does not end', "A='1\nB=2\n", 1],
  ['no sign', 'A', 1],
] as const) {
  test(`parseEnvFile: ${name} makes no sense`, () =>
    assert.throws(() => parseEnvFile(text), { name: 'SyntaxError', message: new RegExp(`^line ${line} `) }));
}
