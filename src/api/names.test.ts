import assert from 'node:assert/strict';
import test from 'node:test';
import {
  configKeyProblems,
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  envVarNameProblems,
  identifierProblems,
  labelKeyProblems,
  labelValueProblems,
  maskTrailingDash,
  portNameProblems,
  portNumberProblems,
} from '#api/names.ts';

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const key =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValue =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const dns1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const configKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const printable = "a valid environment variable name must consist only of printable ASCII characters other than '='";

const table: readonly {
  readonly problems: (value: string) => readonly string[];
  readonly right: readonly string[];
  readonly wrong: readonly (readonly [string, readonly string[]])[];
}[] = [
  {
    problems: dns1123LabelProblems,
    right: ['a', '0', 'my-name', 'a'.repeat(63)],
    wrong: [
      ['', [label]],
      ['A', [label]],
      ['-a', [label]],
      ['a_b', [label]],
      ['a.b', ['must not contain dots']],
      ['a'.repeat(64), ['must be no more than 63 bytes']],
      [`${'a'.repeat(64)}_`, ['must be no more than 63 bytes', label]],
    ],
  },
  {
    problems: dns1123SubdomainProblems,
    right: ['a.b', 'a', '1.2.3', 'a'.repeat(253)],
    wrong: [
      ['a..b', [subdomain]],
      ['Web', [subdomain]],
      ['a'.repeat(254), ['must be no more than 253 bytes']],
    ],
  },
  { problems: dns1035LabelProblems, right: ['web-1'], wrong: [['1web', [dns1035]]] },
  {
    problems: labelKeyProblems,
    right: ['app', 'a.b/c', 'App_1', `example.com/${'a'.repeat(63)}`],
    wrong: [
      ['', ['name part must be non-empty', key]],
      ['a b', [key]],
      ['/a', ['prefix part must be non-empty']],
      ['A.b/c', [`prefix part ${subdomain}`]],
      ['a'.repeat(64), ['name part must be no more than 63 bytes']],
      [
        'a/b/c',
        [
          `a valid label key ${key.slice('name part '.length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
        ],
      ],
    ],
  },
  {
    problems: labelValueProblems,
    right: ['', 'a', 'A.b_c-d'],
    wrong: [
      ['a b', [labelValue]],
      ['é'.repeat(32), ['must be no more than 63 bytes', labelValue]],
    ],
  },
  {
    problems: envVarNameProblems,
    right: ['A', '1', 'a b', 'my.env-name'],
    wrong: [
      ['A=B', [printable]],
      ['é', [printable]],
      ['a\n', [printable]],
      ['', ['environment variable name must be non-empty']],
    ],
  },
  {
    problems: configKeyProblems,
    right: ['a', '.a', 'A_b.c'],
    wrong: [
      ['', [configKey]],
      ['a/b', [configKey]],
      ['.', ["must not be '.'"]],
      ['..', ["must not be '..'"]],
      ['..a', ["must not start with '..'"]],
    ],
  },
  {
    problems: portNameProblems,
    right: ['http', 'a-1'],
    wrong: [
      ['Http', ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']],
      ['80', ['must contain at least one letter (a-z)']],
      ['a--b', ['must not contain consecutive hyphens']],
      ['-a', ['must not begin or end with a hyphen']],
      ['a'.repeat(16), ['must be no more than 15 bytes']],
    ],
  },
  { problems: identifierProblems, right: ['_a1'], wrong: [] },
  {
    problems: (text) => portNumberProblems(Number(text)),
    right: ['1', '65535'],
    wrong: [
      ['0', ['must be between 1 and 65535, inclusive']],
      ['65536', ['must be between 1 and 65535, inclusive']],
    ],
  },
];
for (const { problems, right, wrong } of table) {
  for (const value of right) {
    test(`names: ${JSON.stringify(value)} is right for ${problems.name}`, () => assert.deepEqual(problems(value), []));
  }
  for (const [value, want] of wrong) {
    test(`names: ${JSON.stringify(value)} is wrong for ${problems.name}`, () =>
      assert.deepEqual(problems(value), want));
  }
}

test('names: a prefix for generated names may end in a dash', () => {
  assert.deepEqual(dns1123SubdomainProblems(maskTrailingDash('web-')), []);
  assert.equal(maskTrailingDash('-'), '-');
});
