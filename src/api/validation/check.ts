import {
  absent,
  duplicate,
  forbidden,
  invalidValue,
  required,
  tooMany,
  unsupported,
  type FieldError,
} from '#api/field-error.ts';
import type { FieldPath } from '#api/field-path.ts';
import { ipFamilyOf, isCidr } from '#api/ip.ts';

/**
 * Where validation writes down what it finds: a path and the faults found so far, shared by all who look at one object.
 * Paths grow by `child` and `at` and are only turned into text for a fault.
 */
export class Finding implements FieldPath {
  readonly parent: FieldPath | undefined;
  readonly name: string;
  readonly kind: FieldPath['kind'];
  readonly #errors: FieldError[];

  private constructor(node: FieldPath, errors: FieldError[]) {
    this.parent = node.parent;
    this.name = node.name;
    this.kind = node.kind;
    this.#errors = errors;
  }

  /** The first part of a path, such as `spec`; with `errors`, adds to a list that others have begun. */
  static at(name: string, errors: FieldError[] = []): Finding {
    return new Finding({ parent: undefined, name, kind: 'child' }, errors);
  }

  get errors(): readonly FieldError[] {
    return this.#errors;
  }

  child(name: string): Finding {
    return new Finding({ parent: this, name, kind: 'child' }, this.#errors);
  }

  at(index: number): Finding {
    return new Finding({ parent: this, name: String(index), kind: 'index' }, this.#errors);
  }

  key(name: string): Finding {
    return new Finding({ parent: this, name, kind: 'key' }, this.#errors);
  }

  add(...errors: readonly FieldError[]): void {
    this.#errors.push(...errors);
  }

  required(detail = ''): void {
    this.add(required(this, detail));
  }

  invalid(value: unknown, detail: string): void {
    this.add(invalidValue(this, value, detail));
  }

  forbidden(detail: string): void {
    this.add(forbidden(this, detail));
  }

  duplicate(value: unknown, detail = ''): void {
    this.add(duplicate(this, value, detail));
  }

  absent(value: unknown, detail = ''): void {
    this.add(absent(this, value, detail));
  }

  unsupported(value: unknown, supported: readonly string[]): void {
    this.add(unsupported(this, value, supported));
  }

  tooMany(count: number, most: number): void {
    this.add(tooMany(this, count, most));
  }

  /** Each problem with a value as a fault of its own. */
  problems(value: unknown, problems: readonly string[]): void {
    for (const problem of problems) this.invalid(value, problem);
  }

  nonNegative(value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(value, isNegative);
  }

  /** Absent, or one of these; `supported` stands in the order in which upstream names them. */
  oneOf(value: string | undefined, supported: readonly string[]): void {
    if (value !== undefined && !supported.includes(value)) this.unsupported(value, supported);
  }

  /** As `oneOf`, but something must be there. */
  requiredOneOf(value: string | undefined, supported: readonly string[]): void {
    if (!value) this.required();
    else this.oneOf(value, supported);
  }

  /** Whether there is a text; says so when there is none. */
  text(value: string | undefined, detail = ''): value is string {
    if (value) return true;
    this.required(detail);
    return false;
  }

  ip(value: string | undefined): void {
    if (value !== undefined && ipFamilyOf(value) !== undefined) return;
    this.invalid(value ?? '', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
  }

  cidr(value: string): void {
    if (!isCidr(value)) this.invalid(value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)');
  }
}

export const isNegative = 'must be greater than or equal to 0';
export const isImmutable = 'field is immutable';
