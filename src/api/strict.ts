/**
 * Whether a JSON object fits its type, by the table of facts: what Go's strict decoder would say of it, in the same words.
 *
 * A value of a wrong type ends the request whatever the client asked for; fields the type does not have end it (fieldValidation=Strict),
 * become warnings (Warn) or are dropped (Ignore). null fits everywhere: to Go it is the absent value. Names are case-sensitive.
 */
import { badRequest, type ApiError } from '#api/errors.ts';
import { type FieldFacts, type StructFacts, type TypeFacts } from '#api/fact-table.ts';
import { goTypeOf, scalarProblem, wordFor } from '#api/go-decoding.ts';

export interface FieldCheck {
  /** `unknown field "spec.containers[0].imagee"`, in the order of the object, each once. */
  readonly unknown: readonly string[];
  /** The first value of a wrong type, as Go's decoder puts it. */
  readonly mismatch: string | undefined;
}

const nothingWrong: FieldCheck = { unknown: [], mismatch: undefined };

/** `facts` come of `kindFacts`. The object is not changed. */
export function checkFields(facts: StructFacts, object: unknown): FieldCheck {
  const check = new Check();
  check.struct(facts, object);
  if (check.unknown.size === 0 && check.mismatch === undefined) return nothingWrong;
  return { unknown: [...check.unknown], mismatch: check.mismatch };
}

/** Several strict problems as one message: `strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"`. */
export const strictDecodingError = (problems: readonly string[]): string =>
  `strict decoding error: ${problems.join(', ')}`;

/** The 400 for a body that does not fit: `Pod in version "v1" cannot be handled as a Pod: …`. */
export const cannotBeHandled = (
  found: { readonly kind: string; readonly version: string },
  wanted: string,
  problem: string,
): ApiError =>
  badRequest(`${found.kind} in version ${JSON.stringify(found.version)} cannot be handled as a ${wanted}: ${problem}`);

type JsonObject = { readonly [key: string]: unknown };

/** Upstream stops counting there too. */
const MAX_PROBLEMS = 100;

class Check {
  readonly unknown = new Set<string>();
  mismatch: string | undefined;
  /** Names and indexes down to here, for the path of an unknown field. */
  readonly #path: (string | number)[] = [];
  /** Struct fields down to here: Go names those alone in a type error. */
  readonly #fields: string[] = [];
  #owner = '';

  struct(facts: StructFacts, value: unknown): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#fail(value, facts);
    const object = value as JsonObject;
    const outer = this.#owner;
    this.#owner = facts.name;
    const known = facts.jsonFields;
    for (const name in object) {
      const field = known.get(name);
      if (field !== undefined) this.#field(name, field, object[name]);
      else if (!facts.root || (name !== 'apiVersion' && name !== 'kind')) this.#unknown(name);
      else if (typeof object[name] !== 'string' && object[name] !== null) this.#typeMeta(name, object[name]);
    }
    this.#owner = outer;
  }

  #field(name: string, field: FieldFacts, value: unknown): void {
    if (value === null || (typeof value === 'string' && isText(field.type))) return;
    this.#path.push(name);
    this.#fields.push(name);
    this.#value(field.type, value);
    this.#path.pop();
    this.#fields.pop();
  }

  #value(type: TypeFacts, value: unknown): void {
    if (value === null) return;
    switch (type.kind) {
      case 'struct':
        return this.struct(type, value);
      case 'enum':
        if (typeof value !== 'string') this.#fail(value, type);
        return;
      case 'list':
        if (!Array.isArray(value)) return this.#fail(value, type);
        for (let i = 0; i < value.length; i++) {
          this.#path.push(i);
          this.#value(type.element, value[i]);
          this.#path.pop();
        }
        return;
      case 'map':
        return this.#map(type.value, value, type);
      case 'scalar': {
        const problem = scalarProblem(type.scalar, value);
        if (problem === undefined) return;
        if (problem.kind === 'own') this.mismatch ??= problem.message;
        else this.#fail(value, type);
      }
    }
  }

  #map(type: TypeFacts, value: unknown, whole: TypeFacts): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#fail(value, whole);
    const object = value as JsonObject;
    for (const key in object) {
      const one = object[key];
      if (typeof one === 'string' && isText(type)) continue;
      this.#path.push(key);
      this.#value(type, one);
      this.#path.pop();
    }
  }

  #fail(value: unknown, type: TypeFacts): void {
    const where = this.#owner === '' ? 'value' : `struct field ${this.#owner}.${this.#fields.join('.')}`;
    this.mismatch ??= `json: cannot unmarshal ${wordFor(value, type)} into Go ${where} of type ${goTypeOf(type)}`;
  }

  #typeMeta(name: string, value: unknown): void {
    this.#fields.push(name);
    this.#fail(value, { kind: 'scalar', scalar: 'string' });
    this.#fields.pop();
  }

  #unknown(name: string): void {
    if (this.unknown.size >= MAX_PROBLEMS) return;
    let path = '';
    for (const part of [...this.#path, name]) {
      if (typeof part === 'number') path += `[${part}]`;
      else path += path === '' ? part : `.${part}`;
    }
    this.unknown.add(`unknown field ${JSON.stringify(path)}`);
  }
}

const isText = (type: TypeFacts): boolean =>
  type.kind === 'enum' || (type.kind === 'scalar' && type.scalar === 'string');
