/** What Go's JSON decoder says of single values: how it names types, and the messages of types that decode themselves. */
import { type Scalar, type TypeFacts } from '#api/fact-table.ts';

/** `type`: the decoder's own message about a wrong type fits; `own`: the type has a message of its own. */
export type ScalarProblem = { readonly kind: 'type' } | { readonly kind: 'own'; readonly message: string };

const wrongType: ScalarProblem = { kind: 'type' };
const own = (message: string): ScalarProblem => ({ kind: 'own', message });

/** What is wrong with a value that is not null; undefined if nothing is. */
export function scalarProblem(scalar: Scalar, value: unknown): ScalarProblem | undefined {
  switch (scalar) {
    case 'string':
      return typeof value === 'string' ? undefined : wrongType;
    case 'bool':
      return typeof value === 'boolean' ? undefined : wrongType;
    case 'int32':
      return isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff ? undefined : wrongType;
    case 'int64':
      // Beyond 2^53 the digits are lost already; the range of an int64 is what remains to be checked.
      return isInteger(value) && Math.abs(value) < 2 ** 63 ? undefined : wrongType;
    case 'double':
      return typeof value === 'number' ? undefined : wrongType;
    case 'bytes':
      return typeof value === 'string' ? base64Problem(value) : wrongType;
    case 'quantity':
      return quantityProblem(value);
    case 'intOrString':
      if (typeof value === 'string') return undefined;
      return (
        scalarProblem('int32', value) &&
        own(`json: cannot unmarshal ${wordFor(value, int32)} into Go value of type int32`)
      );
    case 'time':
    case 'microTime':
      if (typeof value === 'string') return timeProblem(value, scalar);
      return own(`json: cannot unmarshal ${wordFor(value, text)} into Go value of type string`);
    case 'fieldsV1':
    case 'raw':
    case 'json':
      return undefined;
    case 'schemaOrArray':
      return typeof value === 'object' ? undefined : wrongType;
    case 'schemaOrBool':
      return typeof value === 'boolean' || isPlainObject(value) ? undefined : own('boolean or JSON schema expected');
    case 'schemaOrStringArray':
      return typeof value === 'object' ? undefined : wrongType;
  }
}

const text: TypeFacts = { kind: 'scalar', scalar: 'string' };
const int32: TypeFacts = { kind: 'scalar', scalar: 'int32' };

const isInteger = (value: unknown): value is number => Number.isInteger(value);
const isPlainObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The decoder's word for a JSON value: a number that is of the right kind but does not fit is shown. */
export function wordFor(value: unknown, type: TypeFacts): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'number': {
      const integral = type.kind === 'scalar' && (type.scalar === 'int32' || type.scalar === 'int64');
      return integral ? `number ${String(value)}` : 'number';
    }
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return value === null ? 'null' : 'object';
  }
}

const goScalars: Readonly<Record<Scalar, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  raw: 'runtime.RawExtension',
  json: 'v1.JSON',
  fieldsV1: 'v1.FieldsV1',
  schemaOrArray: 'v1.JSONSchemaPropsOrArray',
  schemaOrBool: 'v1.JSONSchemaPropsOrBool',
  schemaOrStringArray: 'v1.JSONSchemaPropsOrStringArray',
};

/** As Go prints the type: `[]v1.ContainerPort`, `map[string]string`. */
export function goTypeOf(type: TypeFacts): string {
  switch (type.kind) {
    case 'scalar':
      return goScalars[type.scalar];
    case 'enum':
    case 'struct':
      return `${type.package.version}.${type.name}`;
    case 'list':
      return type.name === undefined ? `[]${goTypeOf(type.element)}` : `v1.${type.name}`;
    case 'map':
      return type.name === undefined ? `map[string]${goTypeOf(type.value)}` : `v1.${type.name}`;
  }
}

function base64Problem(value: string): ScalarProblem | undefined {
  const bare = value.replace(/[\r\n]/g, '');
  if (bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return undefined;
  const body = /^[A-Za-z0-9+/]*/.exec(bare)![0].length;
  return own(`illegal base64 data at input byte ${body}`);
}

const quantityFormat = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;
const quantityOutline = /^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/;

/** quantity.ts says what a quantity is worth; here only whether Go would take it, since it is decoding that fails otherwise. */
function quantityProblem(value: unknown): ScalarProblem | undefined {
  const given = typeof value === 'string' ? value.trim() : JSON.stringify(value);
  if (quantityFormat.test(given)) return undefined;
  if (quantityOutline.test(given) && /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)/.test(given))
    return own("unable to parse quantity's suffix");
  return own("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

/** The parts of a time in the order Go reads them, each with Go's name for it. */
const timeParts: readonly (readonly [layout: string, pattern: RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d\d/],
  ['-', /^-/],
  ['02', /^\d\d/],
  ['T', /^T/],
  ['15', /^\d\d/],
  [':', /^:/],
  ['04', /^\d\d/],
  [':', /^:/],
  ['05', /^\d\d(?:[.,]\d+)?/],
  ['Z07:00', /^(?:Z|[+-]\d\d:\d\d)/],
];

function timeProblem(value: string, scalar: 'time' | 'microTime'): ScalarProblem | undefined {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value)))
    return undefined;
  const layout = scalar === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
  let rest = value;
  for (const [part, pattern] of timeParts) {
    const match = pattern.exec(rest);
    if (!match)
      return own(
        `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${part}"`,
      );
    rest = rest.slice(match[0].length);
  }
  if (rest !== '') return own(`parsing time ${JSON.stringify(value)}: extra text: ${JSON.stringify(rest)}`);
  return own(`parsing time ${JSON.stringify(value)}: ${outOfRange(value)} out of range`);
}

function outOfRange(value: string): string {
  const [month = 0, day = 0, hour = 0, minute = 0] = value.slice(5, 16).split(/[-T:]/).map(Number);
  if (month < 1 || month > 12) return 'month';
  if (day < 1 || Number.isNaN(Date.parse(`${value.slice(0, 10)}T00:00:00Z`))) return 'day';
  return hour > 23 ? 'hour' : minute > 59 ? 'minute' : 'second';
}
