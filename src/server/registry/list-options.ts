import { ApiError, badRequest } from '#api/errors.ts';
import { forbidden, invalid, invalidValue, unsupported, required, type FieldError } from '#api/field-error.ts';
import { rootPath } from '#api/field-path.ts';
import type { KubeObject } from '#api/meta.ts';
import { compileFieldSelector, exactField, type FieldTerm } from '#api/field-selectors.ts';
import { parseLabelSelector, SelectorError } from '#api/selectors.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { isTrue, type Query } from '#server/request.ts';
import type { Stored } from '#server/cache/stored.ts';

/** What a list or watch asks for, read and checked as upstream's ListOptions. */
export interface ListQuery {
  readonly resourceVersion: string;
  readonly match: '' | 'Exact' | 'NotOlderThan';
  /** 0: all. */
  readonly limit: number;
  readonly continueToken: string;
  readonly timeoutSeconds: number | undefined;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean;
  /** Undefined when everything matches. */
  readonly selects: ((stored: Stored) => boolean) | undefined;
  /** What `metadata.name=` asks for. */
  readonly onlyName: string | undefined;
  /** A field that everything selected has one value of; undefined when there is none. */
  readonly onlyField: OnlyField | undefined;
}

export interface OnlyField {
  readonly field: string;
  readonly value: string;
  readonly read: (object: KubeObject) => string;
}

export function parseListQuery(descriptor: Descriptor, query: Query, watch: boolean): ListQuery {
  const match = query['resourceVersionMatch'] ?? '';
  const errors = optionErrors(query, match, watch);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors);
  const resourceVersion = query['resourceVersion'] ?? '';
  if (resourceVersion !== '' && !/^(0|[1-9][0-9]{0,15})$/.test(resourceVersion)) {
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      invalidValue(rootPath('resourceVersion'), resourceVersion, notANumber(resourceVersion)),
    ]);
  }
  return {
    resourceVersion,
    match: match as ListQuery['match'],
    limit: Number(integer(query, 'limit') ?? 0),
    continueToken: query['continue'] ?? '',
    timeoutSeconds: integer(query, 'timeoutSeconds'),
    bookmarks: isTrue(query['allowWatchBookmarks']),
    sendInitialEvents: watch && isTrue(query['sendInitialEvents']),
    ...selection(descriptor, query),
  };
}

const notANumber = (value: string): string => `strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`;

function integer(query: Query, name: string): number | undefined {
  const text = query[name];
  if (text === undefined || text === '') return undefined;
  if (!/^-?[0-9]{1,15}$/.test(text)) throw badRequest(notANumber(text).replace('ParseUint', 'ParseInt'));
  return Number(text);
}

function optionErrors(query: Query, match: string, watch: boolean): readonly FieldError[] {
  const path = rootPath('resourceVersionMatch');
  const version = query['resourceVersion'] ?? '';
  const initial = query['sendInitialEvents'];
  const errors: FieldError[] = [];
  if (watch) {
    if (initial !== undefined && match === '') {
      errors.push(forbidden(path, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
    } else if (initial !== undefined && match !== 'NotOlderThan') {
      errors.push(unsupported(path, match, ['NotOlderThan']));
    } else if (initial === undefined && match !== '') {
      errors.push(forbidden(path, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (isTrue(initial) && !isTrue(query['allowWatchBookmarks'])) {
      errors.push(required(rootPath('allowWatchBookmarks'), 'sendInitialEvents requires setting allowWatchBookmarks'));
    }
    return errors;
  }
  if (initial !== undefined)
    errors.push(forbidden(rootPath('sendInitialEvents'), 'sendInitialEvents is forbidden for list'));
  if (match === '') return errors;
  if (version === '')
    errors.push(forbidden(path, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
  if ((query['continue'] ?? '') !== '')
    errors.push(forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'));
  if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(unsupported(path, match, ['Exact', 'NotOlderThan']));
  if (match === 'Exact' && version === '0') {
    errors.push(forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  return errors;
}

function selection(descriptor: Descriptor, query: Query): Pick<ListQuery, 'selects' | 'onlyName' | 'onlyField'> {
  try {
    const labels = parseLabelSelector(query['labelSelector'] ?? '');
    const fields = compileFieldSelector(query['fieldSelector'] ?? '', descriptor.fields);
    const onlyName = exactField(fields.terms, 'metadata.name');
    const onlyField = onlyFieldOf(descriptor, fields.terms);
    const tests = [
      ...(labels.requirements.length > 0 ? [(s: Stored) => labels.matches(s.object.metadata.labels)] : []),
      ...(fields.terms.length > 0 ? [(s: Stored) => fields.matches(s.object)] : []),
    ];
    const [first, second] = tests;
    if (first === undefined || second === undefined) return { onlyName, onlyField, selects: first };
    return { onlyName, onlyField, selects: (stored) => first(stored) && second(stored) };
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new ApiError('BadRequest', error.message, { cause: error });
  }
}

function onlyFieldOf({ fields }: Descriptor, terms: readonly FieldTerm[]): OnlyField | undefined {
  const exact = terms.find(({ operator }) => operator === '=');
  const read = exact && fields.fields[exact.field];
  return exact && read && { field: exact.field, value: exact.value, read };
}
