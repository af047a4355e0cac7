import { ApiError } from '#api/errors.ts';

/** The form in which an answer is wanted. */
export interface Form {
  readonly encoding: 'json' | 'yaml' | 'protobuf';
  readonly as: 'object' | 'table' | 'metadata';
  /** Of the group meta.k8s.io; old clients ask for v1beta1. */
  readonly version: 'v1' | 'v1beta1';
}

export const plainJson: Form = { encoding: 'json', as: 'object', version: 'v1' };

const encodings: Readonly<Record<string, Form['encoding']>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
};

export const mediaTypes: Readonly<Record<Form['encoding'], string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

/**
 * The first form in the `Accept` header that can be given. `can` says which encodings the answer has (a watch has no YAML). Throws a
 * 406 that names what there is.
 */
export function negotiate(accept: string | undefined, can: (form: Form) => boolean = () => true): Form {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return plainJson;
  for (const { type, parameters } of parseAccept(accept)) {
    const encoding = encodings[type];
    if (encoding === undefined) continue;
    const form = formOf(encoding, parameters);
    if (form && can(form)) return form;
  }
  const known = Object.values(mediaTypes).join(', ');
  throw new ApiError('NotAcceptable', `only the following media types are accepted: ${known}`);
}

function formOf(encoding: Form['encoding'], parameters: ReadonlyMap<string, string>): Form | undefined {
  const as = parameters.get('as');
  const version = parameters.get('v') === 'v1beta1' ? 'v1beta1' : 'v1';
  if (as === undefined) return { encoding, as: 'object', version };
  if (parameters.get('g') !== 'meta.k8s.io') return undefined;
  if (as === 'Table') return encoding === 'protobuf' ? undefined : { encoding, as: 'table', version };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
    return { encoding, as: 'metadata', version };
  return undefined;
}

export interface AcceptClause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** In order of preference. */
export function parseAccept(accept: string): readonly AcceptClause[] {
  const clauses = accept.split(',').map((text) => {
    const [type = '', ...rest] = text.split(';').map((each) => each.trim());
    const parameters = new Map(
      rest.map((each) => [
        each.slice(0, each.indexOf('=')).toLowerCase(),
        each.slice(each.indexOf('=') + 1).replaceAll('"', ''),
      ]),
    );
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) };
  });
  return clauses.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
}
