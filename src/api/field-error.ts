import { ApiError, type Cause } from '#api/errors.ts';
import { pathText, type FieldPath } from '#api/field-path.ts';

/**
 * What is wrong with one field. The texts are upstream's (`Invalid value: "x": must be …`): people and tools read them.
 * Faults are collected in the order they are found and become one 422 by `invalid`.
 */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError';

export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  /** Without the field: `Required value: must specify a volume type`. */
  readonly body: string;
}

const withDetail = (text: string, detail: string): string => (detail === '' ? text : `${text}: ${detail}`);

export const required = (path: FieldPath | undefined, detail = ''): FieldError => ({
  type: 'FieldValueRequired',
  field: pathText(path),
  body: withDetail('Required value', detail),
});

export const invalidValue = (path: FieldPath | undefined, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field: pathText(path),
  body: withDetail(`Invalid value: ${shown(value)}`, detail),
});

export const duplicate = (path: FieldPath | undefined, value: unknown, detail = ''): FieldError => ({
  type: 'FieldValueDuplicate',
  field: pathText(path),
  body: withDetail(`Duplicate value: ${shown(value)}`, detail),
});

export const absent = (path: FieldPath | undefined, value: unknown, detail = ''): FieldError => ({
  type: 'FieldValueNotFound',
  field: pathText(path),
  body: withDetail(`Not found: ${shown(value)}`, detail),
});

export const unsupported = (path: FieldPath | undefined, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field: pathText(path),
  body: withDetail(
    `Unsupported value: ${shown(value)}`,
    supported.length === 0 ? '' : `supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`,
  ),
});

export const forbidden = (path: FieldPath | undefined, detail: string): FieldError => ({
  type: 'FieldValueForbidden',
  field: pathText(path),
  body: withDetail('Forbidden', detail),
});

/** `most` in bytes; the value itself is not repeated. */
export const tooLongValue = (path: FieldPath | undefined, most: number): FieldError => ({
  type: 'FieldValueTooLong',
  field: pathText(path),
  body: `Too long: may not be more than ${most} bytes`,
});

export const tooMany = (path: FieldPath | undefined, actual: number, most: number): FieldError => ({
  type: 'FieldValueTooMany',
  field: pathText(path),
  body: `Too many: ${actual}: must have at most ${most} items`,
});

export const fieldErrorText = (error: FieldError): string => `${error.field}: ${error.body}`;

/**
 * The 422 for an object with these faults: `Pod "web" is invalid: spec.containers[0].image: Required value`, and
 * `[a, b]` when there are many. The same fault is told once. `errors` must not be empty.
 */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError {
  const texts = [...new Set(errors.map(fieldErrorText))];
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const causes: readonly Cause[] = errors.map(({ type, field, body }) => ({ reason: type, message: body, field }));
  return new ApiError('Invalid', `${qualifiedKind} ${JSON.stringify(name)} is invalid: ${aggregate(texts)}`, {
    details: { name, ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.kind, causes },
  });
}

/** Several messages in one, as upstream writes an aggregate. */
export const aggregate = (texts: readonly string[]): string =>
  texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;

/** A text that upstream writes without quotes, because it is a number or a quantity there. */
export interface Bare {
  readonly bare: string;
}
export const bare = (text: string): Bare => ({ bare: text });

/** A bad value as it stands in a message: texts quoted, numbers and booleans not, the rest as JSON. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'object' && 'bare' in value && typeof value.bare === 'string') return value.bare;
  return typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
}
