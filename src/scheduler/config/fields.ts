import { invalidValue } from '#api/field-error.ts';
import { Finding } from '#api/validation/check.ts';

/** A list of values, each with where it stands. */
export type Items = readonly (readonly [unknown, Finding])[];

/**
 * One object of a configuration file, read field by field. Faults go to the finding; what is wrong reads as if it were absent.
 * `end` says of every field that nobody has read that there is no such field.
 */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #at: (name: string) => Finding;
  readonly #read = new Set<string>();

  private constructor(object: Readonly<Record<string, unknown>>, at: (name: string) => Finding) {
    this.#object = object;
    this.#at = at;
  }

  /** The whole file, whose fields have nothing above them. */
  static root(value: unknown, errors: Finding['errors'][number][]): Fields | undefined {
    if (isObject(value)) return new Fields(value, (name) => Finding.at(name, errors));
    errors.push(invalidValue(undefined, value, 'must be an object'));
    return undefined;
  }

  static of(value: unknown, found: Finding): Fields | undefined {
    if (isObject(value)) return new Fields(value, (name) => found.child(name));
    found.invalid(value, 'must be an object');
    return undefined;
  }

  at(name: string): Finding {
    return this.#at(name);
  }

  has(name: string): boolean {
    return this.#take(name) !== undefined;
  }

  raw(name: string): unknown {
    return this.#take(name);
  }

  text(name: string): string | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'string') return value;
    this.at(name).invalid(value, 'must be a text');
    return undefined;
  }

  flag(name: string): boolean | undefined {
    const value = this.#take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    this.at(name).invalid(value, 'must be true or false');
    return undefined;
  }

  /** A whole number, from `least` to `most`. */
  whole(name: string, least: number, most = 2 ** 31 - 1): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    const range = most === 2 ** 31 - 1 ? `${least} or more` : `from ${least} to ${most}`;
    this.at(name).invalid(value, `must be a whole number, ${range}`);
    return undefined;
  }

  fields(name: string): Fields | undefined {
    const value = this.#take(name);
    return value === undefined ? undefined : Fields.of(value, this.at(name));
  }

  list(name: string): Items {
    const value = this.#take(name);
    if (value === undefined) return [];
    const found = this.at(name);
    if (Array.isArray(value)) return value.map((item: unknown, index) => [item, found.at(index)]);
    found.invalid(value, 'must be a list');
    return [];
  }

  texts(name: string): readonly string[] {
    return this.list(name).flatMap(([item, found]) => {
      if (typeof item === 'string') return [item];
      found.invalid(item, 'must be a text');
      return [];
    });
  }

  /** It may stand there, and is what Kubernetes calls this. */
  typeIs(apiVersion: string, kind: string): void {
    for (const [name, wanted] of [
      ['apiVersion', apiVersion],
      ['kind', kind],
    ] as const) {
      const value = this.text(name);
      if (value !== undefined && value !== wanted) this.at(name).unsupported(value, [wanted]);
    }
  }

  /** It is something that upstream has and that is not done here. */
  refuse(name: string, why: string): void {
    if (this.#take(name) !== undefined) this.at(name).forbidden(why);
  }

  end(): void {
    for (const name of Object.keys(this.#object))
      if (!this.#read.has(name)) this.at(name).forbidden('there is no such field: is it spelt right?');
  }

  /** null is as good as absent, as everywhere in Kubernetes. */
  #take(name: string): unknown {
    this.#read.add(name);
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
