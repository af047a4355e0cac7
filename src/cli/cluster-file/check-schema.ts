import type { DefinedError } from 'ajv';
import { invalidValue, required, unsupported } from '#api/field-error.ts';
import schema from '#cli/cluster-file/cluster-file.schema.json' with { type: 'json' };
import type { FileProblem, WrittenClusterFile } from '#cli/cluster-file/cluster-file.ts';

/** The value, now known to be written as the schema has it; or what is wrong with it. */
export async function checkSchema(
  value: unknown,
): Promise<{ readonly written: WrittenClusterFile } | { readonly problems: readonly FileProblem[] }> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const validate = new Ajv2020({ allErrors: true, verbose: true, allowUnionTypes: true }).compile<WrittenClusterFile>(
    schema,
  );
  if (validate(value)) return { written: value };
  // The schema has no keywords but ajv's own.
  return { problems: (validate.errors ?? []).map((error) => problemOf(error as DefinedError)) };
}

function problemOf(error: DefinedError): FileProblem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  switch (error.keyword) {
    case 'additionalProperties':
      return { path: [...path, error.params.additionalProperty], body: 'unknown field' };
    case 'required':
      return { path: [...path, error.params.missingProperty], body: required(undefined).body };
    case 'const':
      return { path, body: unsupported(undefined, error.data, [String(error.params.allowedValue)]).body };
    case 'enum':
      return { path, body: unsupported(undefined, error.data, error.params.allowedValues.map(String)).body };
    case 'type':
      return {
        path,
        body: invalidValue(undefined, error.data, `must be ${words[String(error.params.type)] ?? error.params.type}`)
          .body,
      };
    default:
      return { path, body: invalidValue(undefined, error.data, error.message ?? error.keyword).body };
  }
}

const words: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'text (put it in quotes)',
  integer: 'a whole number',
  'string,number': 'a quantity, such as 2 or 500Mi',
};
