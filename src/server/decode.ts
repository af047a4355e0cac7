import { badRequest } from '#api/errors.ts';
import { kindFacts } from '#api/fact-table.ts';
import type { KubeObject } from '#api/meta.ts';
import { apiVersionOf } from '#api/resource.ts';
import { cannotBeHandled, checkFields, strictDecodingError } from '#api/strict.ts';
import type { WantedKind } from '#server/request.ts';

/** What to do about fields a kind does not have, and about fields that stand twice. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export function fieldValidationOf(text: string | undefined): FieldValidation {
  switch (text) {
    case 'Strict':
    case 'Warn':
    case 'Ignore':
      return text;
    case undefined:
    case '':
      return 'Warn';
    default:
      throw badRequest(
        `fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "", "Ignore", "Strict", "Warn"`,
      );
  }
}

export interface Sent {
  readonly value: unknown;
  /** `duplicate field "spec.nodeName"` */
  readonly duplicates: readonly string[];
}

interface Wanted extends WantedKind {
  readonly validation: FieldValidation;
  readonly warn: (message: string) => void;
}

/** A body as an object of the kind wanted: of the right types, and without fields the kind does not have. Throws a 400. */
export function objectFromBody({ value, duplicates }: Sent, wanted: Wanted): KubeObject {
  const { kind, version } = wanted;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw cannotBeHandled({ kind, version }, kind, 'the body is not an object');
  }
  const sent = value as KubeObject;
  const apiVersion = apiVersionOf(wanted);
  const { group, alikeIn = [] } = wanted;
  const isAlike = alikeIn.some((each) => sent.apiVersion === apiVersionOf({ group, version: each }));
  if (sent.apiVersion && sent.apiVersion !== apiVersion && !isAlike) {
    throw badRequest(
      `the API version in the data (${sent.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (sent.kind && sent.kind !== kind) {
    throw cannotBeHandled({ kind: sent.kind, version }, kind, `the object provided is of kind ${sent.kind}`);
  }
  const facts = kindFacts(apiVersion, kind);
  if (!facts) return sent;
  const { unknown, mismatch } = checkFields(facts, value);
  if (mismatch !== undefined) throw cannotBeHandled({ kind, version }, kind, mismatch);
  const problems = [...duplicates, ...unknown];
  if (problems.length > 0 && wanted.validation === 'Strict') {
    throw cannotBeHandled({ kind, version }, kind, strictDecodingError(problems));
  }
  if (wanted.validation === 'Warn') for (const problem of problems) wanted.warn(problem);
  // What is unknown is dropped when the registry brings the object into its canonical form.
  return sent;
}
