import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  quantityOf,
  quantityProblem,
  roundUpQuantity,
  subtractQuantities,
  value,
  type Quantity,
} from '#api/quantity.ts';

const table = [
  { text: '0', canonical: '0', whole: 0, milli: 0 },
  { text: '0.0', canonical: '0', whole: 0, milli: 0 },
  { text: '100m', canonical: '100m', whole: 1, milli: 100 },
  { text: '1.5', canonical: '1500m', whole: 2, milli: 1500 },
  { text: '.5', canonical: '500m', whole: 1, milli: 500 },
  { text: '-0.5', canonical: '-500m', whole: -1, milli: -500 },
  { text: '1000m', canonical: '1', whole: 1, milli: 1000 },
  { text: '1000', canonical: '1k', whole: 1000, milli: 1e6 },
  { text: '1.5Gi', canonical: '1536Mi', whole: 1536 * 2 ** 20, milli: 1536 * 2 ** 20 * 1000 },
  { text: '1024Ki', canonical: '1Mi', whole: 2 ** 20, milli: 2 ** 20 * 1000 },
  { text: '0.5Ki', canonical: '512', whole: 512, milli: 512_000 },
  { text: '1.1Mi', canonical: '1153433600m', whole: 1_153_434, milli: 1_153_433_600 },
  { text: '12e6', canonical: '12e6', whole: 12e6, milli: 12e9 },
  { text: '12e3', canonical: '12e3', whole: 12e3, milli: 12e6 },
  { text: '1200e-3', canonical: '1200e-3', whole: 2, milli: 1200 },
  { text: '1E', canonical: '1E', whole: 1e18, milli: 1e21 },
  { text: '1E3', canonical: '1E3', whole: 1000, milli: 1e6 },
  { text: '1e+3', canonical: '1e+3', whole: 1000, milli: 1e6 },
  { text: '1500u', canonical: '1500u', whole: 1, milli: 2 },
  { text: '0.1n', canonical: '1n', whole: 1, milli: 1 },
  { text: '-0.1n', canonical: '-1n', whole: -1, milli: -1 },
  { text: '1e-999999999', canonical: '1e-9', whole: 1, milli: 1 },
  { text: '0.000001Ki', canonical: '1024u', whole: 1, milli: 2 },
  { text: '9999999999999999999Ei', canonical: '9223372036854775807', whole: 2 ** 63, milli: 2 ** 63 * 1000 },
  { text: '-9Ei', canonical: '-9223372036854775807', whole: -(2 ** 63), milli: -(2 ** 63) * 1000 },
  { text: '100000000000000000000', canonical: '100E', whole: 1e20, milli: 1e23 },
  { text: '1000E', canonical: '1000E', whole: 1e21, milli: 1e24 },
];
for (const { text, canonical, whole, milli } of table) {
  test(`quantity: ${text} is ${canonical}`, () => {
    const quantity = parseQuantity(text);
    assert.equal(formatQuantity(quantity), canonical);
    assert.equal(value(quantity), whole);
    assert.ok(Math.abs(milliValue(quantity) - milli) <= Math.abs(milli) * 1e-15);
  });
}

const format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffix = "unable to parse quantity's suffix";
const wrong = [
  { text: '', want: format },
  { text: '1 ', want: format },
  { text: ' 1', want: format },
  { text: 'abc', want: format },
  { text: '1gi', want: format },
  { text: '1.1.M', want: format },
  { text: '1+1.0M', want: format },
  { text: '0.1mi', want: suffix },
  { text: '1e', want: suffix },
  { text: '1i', want: suffix },
  { text: '1KI', want: format },
  { text: '1K', want: suffix },
  { text: '-3.01e-', want: suffix },
  { text: '1e401', want: 'unable to parse numeric part of quantity' },
];
for (const { text, want } of wrong) {
  test(`quantity: ${JSON.stringify(text)} is refused in upstream's words`, () => {
    assert.equal(quantityProblem(text), want);
  });
}

test('quantity: a number is read as it would be written in JSON', () => {
  assert.equal(formatQuantity(parseQuantity(0.5)), '500m');
  assert.equal(formatQuantity(parseQuantity(1e21)), '1e21'.replace('1e21', '1e+21'));
});

test('quantity: nothing is lost beyond 2^53', () => {
  const sum = addQuantities(parseQuantity('9007199254740993'), parseQuantity('9007199254740993'));
  assert.equal(formatQuantity(sum), '18014398509481986');
});

test('quantity: a sum is written like its first part, or like the second when the first is zero', () => {
  assert.equal(formatQuantity(addQuantities(parseQuantity('1Gi'), parseQuantity('1G'))), '2073741824');
  assert.equal(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('2Mi'))), '2Mi');
  assert.equal(formatQuantity(subtractQuantities(parseQuantity('1'), parseQuantity('100m'))), '900m');
  assert.equal(formatQuantity(quantityOf(2 ** 30, 'BinarySI')), '1Gi');
});

/** The same number in nanos, computed the slow way. */
const nanos = ({ coefficient, scale }: Quantity): bigint => BigInt(coefficient) * 10n ** BigInt(scale + 9);

const decimalText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 20n }),
    fc.option(fc.integer({ min: 0, max: 999_999 })),
    fc.constantFrom('', 'm', 'k', 'M', 'G', 'e3', 'E-2', 'Ki', 'Mi', 'Gi', 'n', 'u'),
  )
  .map(([sign, whole, fraction, unit]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${unit}`);

const factors: Readonly<Record<string, readonly [bigint, bigint]>> = {
  '': [1n, 1n],
  n: [1n, 10n ** 9n],
  u: [1n, 10n ** 6n],
  m: [1n, 1000n],
  k: [1000n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  e3: [1000n, 1n],
  'E-2': [1n, 100n],
  Ki: [2n ** 10n, 1n],
  Mi: [2n ** 20n, 1n],
  Gi: [2n ** 30n, 1n],
};

/** Rational arithmetic on bigints alone, rounded away from zero to nanos, capped for binary units. */
function oracle(text: string): bigint {
  const {
    sign = '',
    whole = '',
    fraction = '',
    unit = '',
  } = /^(?<sign>-?)(?<whole>\d+)(?:\.(?<fraction>\d+))?(?<unit>.*)$/.exec(text)?.groups ?? {};
  const [up, down] = factors[unit] ?? [1n, 1n];
  const numerator = BigInt(whole + fraction) * up * 10n ** 9n;
  const denominator = 10n ** BigInt(fraction.length) * down;
  let amount = (numerator + denominator - 1n) / denominator;
  const most = (2n ** 63n - 1n) * 10n ** 9n;
  if (unit.endsWith('i') && amount > most) amount = most;
  return sign === '-' ? -amount : amount;
}

test('quantity: parsing agrees with rational arithmetic', () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      assert.equal(nanos(parseQuantity(text)), oracle(text));
    }),
    { numRuns: 2000 },
  );
});

test('quantity: formatting loses nothing and is its own canonical form', () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      const quantity = parseQuantity(text);
      const again = parseQuantity(formatQuantity(quantity));
      assert.equal(compareQuantities(again, quantity), 0);
      assert.equal(formatQuantity(again), formatQuantity(quantity));
    }),
    { numRuns: 2000 },
  );
});

test('quantity: sums, differences and order agree with bigints', () => {
  fc.assert(
    fc.property(decimalText, decimalText, (a, b) => {
      const [left, right] = [parseQuantity(a), parseQuantity(b)];
      assert.equal(nanos(addQuantities(left, right)), nanos(left) + nanos(right));
      assert.equal(nanos(subtractQuantities(left, right)), nanos(left) - nanos(right));
      const [x, y] = [nanos(left), nanos(right)];
      assert.equal(compareQuantities(left, right), x < y ? -1 : x > y ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});

test('quantity: rounding goes away from zero and never by more than a step', () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      const exact = nanos(parseQuantity(text));
      const rounded = nanos(roundUpQuantity(parseQuantity(text), -3));
      assert.equal(rounded % 10n ** 6n, 0n);
      const distance = exact < 0n ? exact - rounded : rounded - exact;
      assert.ok(distance >= 0n && distance < 10n ** 6n);
    }),
    { numRuns: 1000 },
  );
});
