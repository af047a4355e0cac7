import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  exactValue,
  parseLabelSelector,
  SelectorError,
  selectorOfLabels,
  selectorOfObject,
  type Labels,
} from '#api/selectors.ts';

const web: Labels = { app: 'web', tier: 'front', replicas: '3', empty: '' };
const matching: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app=db', false],
  ['app!=db', true],
  ['missing!=x', true],
  ['app', true],
  ['!app', false],
  ['!missing', true],
  ['app in (web,db)', true],
  ['app in (db)', false],
  ['app notin (db)', true],
  ['missing notin (a,b)', true],
  ['missing in (a,b)', false],
  ['app=web,tier=front', true],
  ['app=web,tier=back', false],
  ['replicas>2', true],
  ['replicas>3', false],
  ['replicas<4', true],
  ['app>1', false],
  ['empty=', true],
  ['empty', true],
  ['empty in ()', true],
  ['missing in (,x)', false],
  [' app = web , tier in ( front , back ) ', true],
  // Names of methods that every JavaScript object has are labels like any other.
  ['constructor', false],
  ['!toString', true],
  ['constructor in (a,b)', false],
  ['constructor notin (a,b)', true],
];
for (const [text, want] of matching) {
  test(`selectors: ${JSON.stringify(text)} ${want ? 'matches' : 'does not match'}`, () => {
    assert.equal(parseLabelSelector(text).matches(web), want);
  });
}

const canonical: readonly (readonly [string, string])[] = [
  ['b=2,a=1', 'a=1,b=2'],
  ['x in (c,a,b,a)', 'x in (a,b,c)'],
  ['x notin ( b, a )', 'x notin (a,b)'],
  ['!x', '!x'],
  ['in in (in)', 'in in (in)'],
  ['notin', 'notin'],
  ['a=', 'a='],
  ['a,b!=c,d>1', 'a,b!=c,d>1'],
];
for (const [text, want] of canonical) {
  test(`selectors: ${text} is written ${want}`, () => assert.equal(parseLabelSelector(text).text, want));
}

const labelKey =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const wrong: readonly (readonly [string, string])[] = [
  ['app=a b', "found 'b', expected: ',' or 'end of string'"],
  [',', "found ',', expected: !, identifier, or 'end of string'"],
  ['=a', "found '=', expected: !, identifier, or 'end of string'"],
  ['app,', "found '', expected: identifier after ','"],
  ['app in', "unable to parse requirement: found '' expected: '('"],
  ['app in web', "unable to parse requirement: found 'web' expected: '('"],
  ['app in (a', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
  ['app===web', "unable to parse requirement: found '=', expected: identifier"],
  ['-app', `unable to parse requirement: <nil>: Invalid value: "-app": name part ${labelKey}`],
  [
    'app=-',
    `unable to parse requirement: values[0][app]: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  ],
  [
    'a>x',
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  ],
];
for (const [text, want] of wrong) {
  test(`selectors: ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseLabelSelector(text), new SelectorError(want));
  });
}

test('selectors: an object selects like the text it stands for', () => {
  const selector = selectorOfObject({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'NotIn', values: ['back'] },
      { key: 'old', operator: 'DoesNotExist' },
    ],
  });
  assert.equal(selector.text, 'app=web,!old,tier notin (back)');
  assert.equal(selector.matches(web), true);
  assert.equal(selectorOfObject(undefined).matches(web), false);
  assert.equal(selectorOfObject({}).matches(undefined), true);
  assert.throws(
    () => selectorOfObject({ matchExpressions: [{ key: 'a', operator: 'Like' }] }),
    new SelectorError('"Like" is not a valid label selector operator'),
  );
});

test('selectors: an index can be asked for the one value a selector requires', () => {
  assert.equal(exactValue(parseLabelSelector('app=web,tier!=x'), 'app'), 'web');
  assert.equal(exactValue(parseLabelSelector('app in (web)'), 'app'), 'web');
  assert.equal(exactValue(parseLabelSelector('app in (web,db)'), 'app'), undefined);
  assert.equal(exactValue(parseLabelSelector('app!=web'), 'app'), undefined);
  assert.equal(exactValue(selectorOfLabels({ a: 'b' }), 'a'), 'b');
});

test('selectors: the canonical text selects the same', () => {
  const name = fc.constantFrom('a', 'b', 'c/d', 'in', 'x');
  const one = fc.oneof(
    name,
    name.map((key) => `!${key}`),
    fc
      .tuple(
        name,
        fc.constantFrom('=', '!=', '=='),
        name.filter((each) => !each.includes('/')),
      )
      .map((each) => each.join('')),
    fc
      .tuple(name, fc.constantFrom('in', 'notin'), fc.array(fc.constantFrom('a', 'b', ''), { minLength: 1 }))
      .map(([key, operator, values]) => `${key} ${operator} (${values.join(',')})`),
  );
  const labels = fc.dictionary(name, fc.constantFrom('a', 'b', ''));
  fc.assert(
    fc.property(fc.array(one), labels, (parts, given) => {
      const selector = parseLabelSelector(parts.join(','));
      const again = parseLabelSelector(selector.text);
      assert.equal(again.text, selector.text);
      assert.equal(again.matches(given), selector.matches(given));
    }),
    { numRuns: 1000 },
  );
});
