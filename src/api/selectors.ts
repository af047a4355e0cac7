import { aggregate, fieldErrorText, invalidValue, unsupported, type FieldError } from '#api/field-error.ts';
import { at, child, keyed, type FieldPath } from '#api/field-path.ts';
import { labelKeyProblems, labelValueProblems } from '#api/names.ts';

/**
 * Label selectors, as texts (`app=web,tier in (a,b),!old`) and as LabelSelector objects, compiled into a predicate that
 * costs one look-up a requirement. Errors are in upstream's words, because clients see them in a 400.
 */
export type Labels = Readonly<Record<string, string>>;

export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted, each once. */
  readonly values: readonly string[];
}

export interface LabelSelector {
  /** Sorted by key. */
  readonly requirements: readonly Requirement[];
  readonly matches: (labels: Labels | undefined) => boolean;
  /** The canonical text; parsing it gives the same selector. */
  readonly text: string;
}

/** The `metav1.LabelSelector` of many specs. */
export interface LabelSelectorObject {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A selector that cannot be understood: the server answers it with a 400. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export const everything: LabelSelector = { requirements: [], matches: () => true, text: '' };

export const nothing: LabelSelector = { requirements: [], matches: () => false, text: '' };

/** Throws a `SelectorError`; the empty text selects everything. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === '') return everything;
  return selectorOf(new Parser(text).parse());
}

/** Exactly these labels; nothing is checked. None selects everything. */
export const selectorOfLabels = (labels: Labels | undefined): LabelSelector =>
  selectorOf(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })));

const objectOperators: ReadonlyMap<string, SelectorOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/** An absent selector selects nothing, an empty one everything. Throws a `SelectorError`. */
export function selectorOfObject(object: LabelSelectorObject | undefined): LabelSelector {
  if (object === undefined) return nothing;
  const requirements = Object.entries(object.matchLabels ?? {}).map(([key, value]) => requirement(key, '=', [value]));
  for (const { key, operator, values } of object.matchExpressions ?? []) {
    const known = objectOperators.get(operator);
    if (known === undefined)
      throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(requirement(key, known, values ?? []));
  }
  return requirements.length === 0 ? everything : selectorOf(requirements);
}

/** Nothing is checked here: `requirementErrors` tells what upstream would refuse. */
export function selectorOf(requirements: readonly Requirement[]): LabelSelector {
  const sorted = requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const predicates = sorted.map(predicateOf);
  const [only] = predicates;
  const noLabels: Labels = {};
  return {
    requirements: sorted,
    matches:
      predicates.length === 1 && only !== undefined
        ? (labels) => only(labels ?? noLabels)
        : (labels) => predicates.every((predicate) => predicate(labels ?? noLabels)),
    text: sorted.map(requirementText).join(','),
  };
}

/** The one value a selector requires of a label, for indexes; undefined when it does not require exactly one. */
export function exactValue(selector: LabelSelector, key: string): string | undefined {
  const found = selector.requirements.find((each) => each.key === key);
  if (found === undefined || found.values.length !== 1) return undefined;
  return found.operator === '=' || found.operator === '==' || found.operator === 'in' ? found.values[0] : undefined;
}

const supportedOperators = ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!'];

/** What is wrong with a requirement; an empty list when nothing is. */
export function requirementErrors(
  { key, operator, values }: { readonly key: string; readonly operator: string; readonly values: readonly string[] },
  path?: FieldPath,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const keyProblems = labelKeyProblems(key);
  if (keyProblems.length > 0) errors.push(invalidValue(child(path, 'key'), key, keyProblems.join('; ')));
  const valuesPath = child(path, 'values');
  const countProblem = valueCountProblem(operator, values.length);
  if (countProblem !== undefined) errors.push(invalidValue(valuesPath, values, countProblem));
  if (operator === 'gt' || operator === 'lt') {
    values.forEach((value, index) => {
      if (integerOf(value) !== undefined) return;
      errors.push(invalidValue(at(valuesPath, index), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    });
  } else if (!supportedOperators.includes(operator)) {
    errors.push(unsupported(child(path, 'operator'), operator, supportedOperators));
  }
  values.forEach((value, index) => {
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalidValue(keyed(at(valuesPath, index), key), value, problems.join('; ')));
  });
  return errors;
}

function valueCountProblem(operator: string, count: number): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case '=':
    case '==':
    case '!=':
      return count === 1 ? undefined : 'exact-match compatibility requires one single value';
    case 'exists':
    case '!':
      return count === 0 ? undefined : 'values set must be empty for exists and does not exist';
    case 'gt':
    case 'lt':
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
    default:
      return undefined;
  }
}

function requirement(key: string, operator: SelectorOperator, values: readonly string[]): Requirement {
  const made = { key, operator, values: [...new Set(values)].toSorted() };
  const errors = requirementErrors(made);
  if (errors.length > 0) throw new SelectorError(aggregate([...new Set(errors.map(fieldErrorText))]));
  return made;
}

type Predicate = (labels: Labels) => boolean;

function predicateOf({ key, operator, values }: Requirement): Predicate {
  const [first] = values;
  const many = new Set(values);
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return values.length === 1
        ? (labels) => labels[key] === first
        : (labels) => many.has(labels[key] ?? '') && Object.hasOwn(labels, key);
    case '!=':
    case 'notin':
      return values.length === 1
        ? (labels) => labels[key] !== first
        : (labels) => !Object.hasOwn(labels, key) || !many.has(labels[key] ?? '');
    case 'exists':
      return (labels) => Object.hasOwn(labels, key);
    case '!':
      return (labels) => !Object.hasOwn(labels, key);
    case 'gt':
    case 'lt':
      return comparison(key, operator, integerOf(first ?? ''));
  }
}

function comparison(key: string, operator: 'gt' | 'lt', limit: bigint | undefined): Predicate {
  return (labels) => {
    if (limit === undefined || !Object.hasOwn(labels, key)) return false;
    const number = integerOf(labels[key] ?? '');
    return number !== undefined && (operator === 'gt' ? number > limit : number < limit);
  };
}

/** A whole number of 64 bits, as Go's ParseInt reads it. */
export function integerOf(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const number = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values.join(',')}`;
    case 'lt':
      return `${key}<${values.join(',')}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${values.join(',')}`;
  }
}

type TokenKind = 'end' | 'word' | ')' | ',' | '!' | '==' | '=' | '>' | '<' | '!=' | '(';
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}
const symbols: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '('] satisfies TokenKind[]);
const isSymbol = (text: string): text is TokenKind => symbols.has(text);
const binaryOperators: ReadonlyMap<string, SelectorOperator> = new Map([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);

/** Words become operators by where they stand: `in in (in)` is a requirement on the label `in`. */
function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [found] of text.matchAll(/==|!=|[=!(),<>]|[^\s=!(),<>]+/g)) {
    tokens.push(isSymbol(found) ? { kind: found, text: found } : { kind: 'word', text: found });
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  parse(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === 'end') return requirements;
      if (kind !== 'word' && kind !== '!') {
        throw new SelectorError(`found '${text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const next = this.#take();
      if (next.kind === 'end') return requirements;
      if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after.kind !== 'word' && after.kind !== '!') {
        throw new SelectorError(`found '${after.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): Requirement {
    try {
      return this.#keyAndRest();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error });
    }
  }

  #keyAndRest(): Requirement {
    let token = this.#take();
    const isAbsence = token.kind === '!';
    if (isAbsence) token = this.#take();
    if (token.kind !== 'word') throw new SelectorError(`found '${token.text}', expected: identifier`);
    const problems = labelKeyProblems(token.text);
    if (problems.length > 0) {
      throw new SelectorError(fieldErrorText(invalidValue(undefined, token.text, problems.join('; '))));
    }
    if (isAbsence) return requirement(token.text, '!', []);
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return requirement(token.text, 'exists', []);
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    return requirement(token.text, operator, values);
  }

  #operator(): SelectorOperator {
    const { text } = this.#take();
    const operator = binaryOperators.get(text);
    if (operator === undefined) {
      throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    return operator;
  }

  #values(): readonly string[] {
    const open = this.#take();
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind !== 'word' && first.kind !== ',' && first.kind !== ')') {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values: string[] = [];
    let current = '';
    for (;;) {
      const token = this.#take();
      if (token.kind === ')') return [...values, current];
      if (token.kind === ',') {
        values.push(current);
        current = '';
      } else if (token.kind === 'word' && current === '') {
        current = token.text;
      } else {
        throw new SelectorError(
          `found '${token.text}', expected: ${current === '' ? "',', or identifier" : "',' or ')'"}`,
        );
      }
    }
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next.kind === 'end' || next.kind === ',') return '';
    const token = this.#take();
    if (token.kind !== 'word') throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #take(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }
}
