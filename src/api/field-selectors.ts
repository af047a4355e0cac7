import { SelectorError } from '#api/selectors.ts';

/**
 * Field selectors: `spec.nodeName=a,status.phase!=Running`. Which fields a kind can be selected by is a table in
 * `#api/selectable-fields.ts`; compiling a selector against it gives a predicate on objects. `\\`, `\,` and `\=` stand
 * for themselves in values.
 */
export interface FieldTerm {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** How one kind's fields are read; an absent field reads as ''. */
export interface SelectableFields<T> {
  readonly fields: Readonly<Record<string, (object: T) => string>>;
  /** What upstream says of a field it does not know; there are two ways. */
  readonly refuse: (field: string) => string;
}

export interface FieldSelector<T> {
  readonly terms: readonly FieldTerm[];
  readonly matches: (object: T) => boolean;
  readonly text: string;
}

/** Throws a `SelectorError`. */
export function parseFieldSelector(text: string): readonly FieldTerm[] {
  if (text === '') return [];
  return splitUnescaped(text)
    .filter((part) => part !== '')
    .map((part) => parseTerm(part, text));
}

/** Throws a `SelectorError` also for a field that the kind cannot be selected by. */
export function compileFieldSelector<T>(text: string, selectable: SelectableFields<T>): FieldSelector<T> {
  const terms = parseFieldSelector(text);
  const predicates = terms.map(({ field, operator, value }) => {
    const read = Object.hasOwn(selectable.fields, field) ? selectable.fields[field] : undefined;
    if (read === undefined) throw new SelectorError(selectable.refuse(field));
    return operator === '=' ? (object: T) => read(object) === value : (object: T) => read(object) !== value;
  });
  return {
    terms,
    matches: (object) => predicates.every((predicate) => predicate(object)),
    text: fieldSelectorText(terms),
  };
}

/** The value a selector requires of a field, for indexes and for reading one object by its name. */
export const exactField = (terms: readonly FieldTerm[], field: string): string | undefined =>
  terms.find((term) => term.field === field && term.operator === '=')?.value;

export const fieldSelectorText = (terms: readonly FieldTerm[]): string =>
  terms.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(',');

export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, '\\$&');

function splitUnescaped(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === ',') {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseTerm(part: string, whole: string): FieldTerm {
  const found = /!=|==?/.exec(part);
  if (found === null) throw new SelectorError(`invalid selector: '${whole}'; can't understand '${part}'`);
  const value = unescape(part.slice(found.index + found[0].length));
  return { field: part.slice(0, found.index), operator: found[0] === '!=' ? '!=' : '=', value };
}

function unescape(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '=' || character === ',') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    }
    if (character !== '\\') {
      value += character;
      continue;
    }
    index += 1;
    const escaped = text.charAt(index);
    if (escaped === '' || !'\\,='.includes(escaped)) {
      throw new SelectorError(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    value += escaped;
  }
  return value;
}
