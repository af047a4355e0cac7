/**
 * Kubernetes' quantities (`500m`, `1.5Gi`, `12e6`): exact decimal numbers with a preferred way of writing them.
 *
 * A quantity is `coefficient × 10^scale`. The coefficient is a JavaScript number as long as it is a safe integer and a
 * bigint beyond that, so that what people really write costs no bigint. As upstream: nothing is finer than a nano
 * (smaller values are rounded away from zero), binary quantities are capped at 2^63 − 1, and a text that is canonical
 * already is given back as it was written.
 */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  readonly coefficient: number | bigint;
  /** Power of ten; never below −9. */
  readonly scale: number;
  readonly format: QuantityFormat;
  /** How it was written, when that is the form it is given back in. */
  readonly text?: string;
}

/** A text that is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const nano = -9;
const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrongNumber = 'unable to parse numeric part of quantity';
const wrongSuffix = "unable to parse quantity's suffix";
const largestBinary = 2n ** 63n - 1n;
/** Upstream lets an exponent be any int32; ours is bounded so that no ten bytes of input cost gigabytes of digits. */
const largestExponent = 400;

const decimalSuffixes: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const binarySuffixes: ReadonlyMap<string, number> = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);
const decimalSuffixOf = new Map([...decimalSuffixes].map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixList = ['', ...binarySuffixes.keys()];

export const zero: Quantity = { coefficient: 0, scale: 0, format: 'DecimalSI', text: '0' };

/** The same few texts come again and again; the bound keeps a client from filling memory with odd ones. */
const parsed = new Map<string, Quantity>();
const parsedMost = 4096;

/** Throws a `QuantityError`. A number is taken as it would be written in JSON. */
export function parseQuantity(text: string | number): Quantity {
  const key = typeof text === 'number' ? String(text) : text;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const quantity = parse(key);
  if (parsed.size >= parsedMost) parsed.clear();
  parsed.set(key, quantity);
  return quantity;
}

/** Why a text is no quantity, in upstream's words; undefined when it is one. */
export function quantityProblem(text: string | number): string | undefined {
  try {
    parseQuantity(text);
    return undefined;
  } catch (error) {
    if (error instanceof QuantityError) return error.message;
    throw error;
  }
}

export const quantityOf = (value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  coefficient: slim(value),
  scale: 0,
  format,
});

export const milliQuantityOf = (milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  coefficient: slim(milli),
  scale: -3,
  format,
});

/** Negative, zero or positive, as sorting wants it. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const scale = Math.min(a.scale, b.scale);
  const left = shifted(a.coefficient, a.scale - scale);
  const right = shifted(b.coefficient, b.scale - scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

export const isZero = (quantity: Quantity): boolean => Number(quantity.coefficient) === 0;

export const signOf = (quantity: Quantity): number => Math.sign(Number(quantity.coefficient));

/** Written in the form of `a`, or of `b` when `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const scale = Math.min(a.scale, b.scale);
  const left = shifted(a.coefficient, a.scale - scale);
  const right = shifted(b.coefficient, b.scale - scale);
  return { coefficient: sum(left, right), scale, format: isZero(a) ? b.format : a.format };
}

export const negateQuantity = ({ coefficient, scale, format }: Quantity): Quantity => ({
  coefficient: Number(coefficient) === 0 ? 0 : -coefficient,
  scale,
  format,
});

export const subtractQuantities = (a: Quantity, b: Quantity): Quantity => addQuantities(a, negateQuantity(b));

export const largerQuantity = (a: Quantity, b: Quantity): Quantity => (compareQuantities(a, b) >= 0 ? a : b);

/** In whole units, rounded away from zero. Above 2^53 the nearest number there is. */
export const value = (quantity: Quantity): number => scaledValue(quantity, 0);

/** In thousandths, rounded away from zero. */
export const milliValue = (quantity: Quantity): number => scaledValue(quantity, -3);

/** In units of `10^scale`, rounded away from zero. */
export const scaledValue = (quantity: Quantity, scale: number): number =>
  Number(rescaled(quantity.coefficient, quantity.scale, scale));

/** Rounded away from zero to a multiple of `10^scale`; the same object when it is one already. */
export function roundUpQuantity(quantity: Quantity, scale: number): Quantity {
  if (quantity.scale >= scale) return quantity;
  const coefficient = rescaled(quantity.coefficient, quantity.scale, scale);
  return { coefficient, scale, format: quantity.format };
}

/** The canonical text: the largest suffix that needs no fraction. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (isZero(quantity)) return '0';
  if (quantity.format === 'BinarySI') return formatBinary(quantity) ?? formatDecimal(quantity, 'DecimalSI');
  return formatDecimal(quantity, quantity.format);
}

interface Scanned {
  readonly negative: boolean;
  /** Digits before the point, leading zeros gone. */
  readonly whole: string;
  readonly fraction: string;
  readonly suffix: string;
}

function parse(text: string): Quantity {
  if (text === '') throw new QuantityError(wrongFormat);
  if (text === '0') return zero;
  const scanned = scan(text);
  const { exponent, base, format } = readSuffix(scanned.suffix);
  const digits = scanned.whole + scanned.fraction;
  const magnitude = slim(digits.length <= 15 ? Number(digits) : BigInt(digits));
  const isExact = base === 2 ? scanned.fraction === '' : exponent - scanned.fraction.length >= nano;
  const scale = (base === 2 ? 0 : exponent) - scanned.fraction.length;
  let coefficient = base === 2 ? product(magnitude, 2n ** BigInt(exponent)) : magnitude;
  if (!isExact) coefficient = shorten(coefficient, scale);
  if (base === 2 && isBeyondBinary(coefficient, scale)) {
    return { coefficient: scanned.negative ? -largestBinary : largestBinary, scale: 0, format };
  }
  const signed = scanned.negative && Number(coefficient) !== 0 ? -coefficient : coefficient;
  const result = { coefficient: signed, scale: Math.max(scale, nano), format };
  if (base === 2)
    return isBelowOne(result) ? { ...result, format: 'DecimalSI' } : keepBinary(result, text, scanned, exponent);
  return isExact ? keepDecimal(result, text, digits) : result;
}

function scan(text: string): Scanned {
  let at = 0;
  const negative = text[0] === '-';
  if (negative || text[0] === '+') at += 1;
  while (text[at] === '0') at += 1;
  const wholeEnd = skipDigits(text, at);
  const whole = wholeEnd === at ? '0' : text.slice(at, wholeEnd);
  at = wholeEnd;
  let fraction = '';
  if (text[at] === '.') {
    const end = skipDigits(text, at + 1);
    fraction = text.slice(at + 1, end);
    at = end;
  }
  const suffix = text.slice(at);
  let end = at;
  while (end < text.length && 'eEinumkKMGTP'.includes(text.charAt(end))) end += 1;
  if (end < text.length && (text[end] === '-' || text[end] === '+')) end += 1;
  if (skipDigits(text, end) < text.length) throw new QuantityError(wrongFormat);
  return { negative, whole, fraction, suffix };
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) break;
    at += 1;
  }
  return at;
}

function readSuffix(suffix: string): { exponent: number; base: 2 | 10; format: QuantityFormat } {
  const decimal = decimalSuffixes.get(suffix);
  if (decimal !== undefined) return { exponent: decimal, base: 10, format: 'DecimalSI' };
  const binary = binarySuffixes.get(suffix);
  if (binary !== undefined) return { exponent: binary, base: 2, format: 'BinarySI' };
  if (!/^[eE][+-]?[0-9]+$/.test(suffix)) throw new QuantityError(wrongSuffix);
  const exponent = Number(suffix.slice(1));
  if (exponent > largestExponent) throw new QuantityError(wrongNumber);
  return { exponent, base: 10, format: 'DecimalExponent' };
}

/** Upstream gives a decimal text back unchanged when its digits stand in thousands and need no shifting. */
function keepDecimal(quantity: Quantity, text: string, digits: string): Quantity {
  const isKept = digits.length <= 18 && quantity.scale % 3 === 0 && !digits.endsWith('000') && digits[0] !== '0';
  return isKept ? { ...quantity, text } : quantity;
}

/** The same for binary texts: an odd multiple of at most four cannot be written with a larger suffix. */
function keepBinary(quantity: Quantity, text: string, scanned: Scanned, exponent: number): Quantity {
  const isShort = 14 - scanned.whole.length - Math.floor((exponent * 3) / 10) >= 0;
  const isKept = scanned.fraction === '' && isShort && Number(scanned.whole) % 8 !== 0;
  return isKept ? { ...quantity, text } : quantity;
}

/** Rounds away from zero what is finer than a nano; `scale` is the coefficient's own. */
function shorten(coefficient: number | bigint, scale: number): number | bigint {
  if (scale >= nano || Number(coefficient) === 0) return coefficient;
  // A value that small is one nano whatever its digits; its power of ten need not be computed.
  if (nano - scale > String(coefficient).length) return 1;
  return rescaled(coefficient, scale, nano);
}

function isBeyondBinary(coefficient: number | bigint, scale: number): boolean {
  if (typeof coefficient === 'number') return false;
  return coefficient > largestBinary * 10n ** BigInt(-Math.max(scale, nano));
}

const isBelowOne = ({ coefficient, scale }: Quantity): boolean => {
  const magnitude = Math.abs(Number(coefficient));
  return magnitude > 0 && magnitude < 10 ** -scale;
};

function formatDecimal(quantity: Quantity, format: 'DecimalSI' | 'DecimalExponent'): string {
  let { coefficient, scale } = quantity;
  while (divides(coefficient, 10)) {
    coefficient = quotient(coefficient, 10);
    scale += 1;
  }
  const extra = (((scale % 3) + 3) % 3) + (format === 'DecimalSI' && scale > 20 ? scale - (scale % 3) - 18 : 0);
  const digits = String(shifted(coefficient, extra));
  const exponent = scale - extra;
  if (format === 'DecimalExponent') return exponent === 0 ? digits : `${digits}e${exponent}`;
  return digits + (decimalSuffixOf.get(exponent) ?? `e${exponent}`);
}

/** Undefined when the value is better written in decimal: a fraction, or less than 1024. */
function formatBinary({ coefficient, scale }: Quantity): string | undefined {
  const whole = scale >= 0 ? shifted(coefficient, scale) : dividedExactly(coefficient, -scale);
  if (whole === undefined || (whole > -1024 && whole < 1024)) return undefined;
  let rest = whole;
  let step = 0;
  while (step < 6 && divides(rest, 1024)) {
    rest = quotient(rest, 1024);
    step += 1;
  }
  return `${rest}${binarySuffixList[step]}`;
}

function dividedExactly(coefficient: number | bigint, digits: number): number | bigint | undefined {
  const by = 10 ** digits;
  return divides(coefficient, by) ? quotient(coefficient, by) : undefined;
}

/** `coefficient × 10^from` in units of `10^to`, rounded away from zero. */
function rescaled(coefficient: number | bigint, from: number, to: number): number | bigint {
  if (from >= to) return shifted(coefficient, from - to);
  if (typeof coefficient === 'number' && to - from <= 15) {
    const by = 10 ** (to - from);
    const rest = coefficient % by;
    return (coefficient - rest) / by + Math.sign(rest);
  }
  const by = 10n ** BigInt(to - from);
  const big = BigInt(coefficient);
  const rest = big % by;
  return slim((big - rest) / by + (rest > 0n ? 1n : rest < 0n ? -1n : 0n));
}

function shifted(coefficient: number | bigint, digits: number): number | bigint {
  if (digits === 0) return coefficient;
  if (typeof coefficient === 'number' && digits <= 15) {
    const result = coefficient * 10 ** digits;
    if (Number.isSafeInteger(result)) return result;
  }
  return slim(BigInt(coefficient) * 10n ** BigInt(digits));
}

function sum(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = a + b;
    if (Number.isSafeInteger(result)) return result;
  }
  return slim(BigInt(a) + BigInt(b));
}

function product(a: number | bigint, b: bigint): number | bigint {
  if (typeof a === 'number') {
    const result = a * Number(b);
    if (Number.isSafeInteger(result)) return result;
  }
  return slim(BigInt(a) * b);
}

const divides = (value: number | bigint, by: number): boolean =>
  typeof value === 'number' ? value % by === 0 : value % BigInt(by) === 0n;

const quotient = (value: number | bigint, by: number): number | bigint =>
  typeof value === 'number' ? value / by : slim(value / BigInt(by));

/** A bigint only where a number would not be exact. */
function slim(value: number | bigint): number | bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : BigInt(value);
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
