/** The paths of an OpenAPI document: one operation for each verb of each resource, marked with its action and kind as clients expect. */
import { type StructFacts, kindFacts } from '#api/fact-table.ts';
import type { Dialect, Json, Schemas } from '#api/openapi/schemas.ts';

/** What a document needs to know of a resource. Verbs are Kubernetes' own: get, list, watch, create, update, patch, delete, deletecollection. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources?: readonly ApiSubresource[];
  /** The schema of a kind that is not in the table of facts (a custom resource), in the dialect of version 3. */
  readonly schema?: Json;
}
export interface ApiSubresource {
  readonly name: string;
  readonly verbs: readonly string[];
  /** The kind it speaks of, where that is another than the resource's own: `autoscaling/v1 Scale`. */
  readonly of?: { readonly group: string; readonly version: string; readonly kind: string };
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}
type Parameter = readonly [name: string, type: 'string' | 'boolean' | 'integer', more?: Json];

const pretty: Parameter = ['pretty', 'string'];
const writing: readonly Parameter[] = [
  pretty,
  ['dryRun', 'string', { uniqueItems: true }],
  ['fieldManager', 'string', { uniqueItems: true }],
  ['fieldValidation', 'string', { uniqueItems: true }],
];
const listing: readonly Parameter[] = [
  pretty,
  ['allowWatchBookmarks', 'boolean'],
  ['continue', 'string'],
  ['fieldSelector', 'string'],
  ['labelSelector', 'string'],
  ['limit', 'integer'],
  ['resourceVersion', 'string'],
  ['resourceVersionMatch', 'string'],
  ['sendInitialEvents', 'boolean'],
  ['timeoutSeconds', 'integer'],
  ['watch', 'boolean'],
];
const deleting: readonly Parameter[] = [
  pretty,
  ['dryRun', 'string'],
  ['gracePeriodSeconds', 'integer'],
  ['orphanDependents', 'boolean'],
  ['propagationPolicy', 'string'],
];

interface Verb {
  readonly method: string;
  /** The value of x-kubernetes-action. */
  readonly action: string;
  readonly parameters: readonly Parameter[];
  readonly body: 'own' | 'patch' | 'deleteOptions' | undefined;
  readonly answer: 'own' | 'list' | 'status';
}
const collectionVerbs: Readonly<Record<string, Verb>> = {
  list: { method: 'get', action: 'list', parameters: listing, body: undefined, answer: 'list' },
  create: { method: 'post', action: 'post', parameters: writing, body: 'own', answer: 'own' },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    parameters: [...listing, ...deleting.slice(1)],
    body: 'deleteOptions',
    answer: 'status',
  },
};
const objectVerbs: Readonly<Record<string, Verb>> = {
  get: { method: 'get', action: 'get', parameters: [pretty], body: undefined, answer: 'own' },
  update: { method: 'put', action: 'put', parameters: writing, body: 'own', answer: 'own' },
  patch: {
    method: 'patch',
    action: 'patch',
    parameters: [...writing, ['force', 'boolean']],
    body: 'patch',
    answer: 'own',
  },
  delete: { method: 'delete', action: 'delete', parameters: deleting, body: 'deleteOptions', answer: 'status' },
};
const subresourceVerbs: Readonly<Record<string, Verb>> = {
  ...objectVerbs,
  create: { method: 'post', action: 'post', parameters: writing, body: 'own', answer: 'own' },
};
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

export class Paths {
  readonly #dialect: Dialect;
  readonly #schemas: Schemas;
  readonly #found: Record<string, Json> = {};

  constructor(dialect: Dialect, schemas: Schemas) {
    this.#dialect = dialect;
    this.#schemas = schemas;
  }

  all(): Json {
    return this.#found;
  }

  add(resource: ApiResource): void {
    const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
    const collection = `${root}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${resource.plural}`;
    const within = resource.namespaced ? ['namespace'] : [];
    if (resource.namespaced && resource.verbs.includes('list')) {
      this.#item(`${root}/${resource.plural}`, [], resource, { list: collectionVerbs['list']! });
    }
    this.#item(collection, within, resource, collectionVerbs);
    this.#item(`${collection}/{name}`, [...within, 'name'], resource, objectVerbs);
    for (const subresource of resource.subresources ?? []) {
      const { verbs, of = resource } = subresource;
      const { schema } = resource;
      const described = { ...of, verbs, ...(of === resource && schema !== undefined ? { schema } : {}) };
      this.#item(`${collection}/{name}/${subresource.name}`, [...within, 'name'], described, subresourceVerbs);
    }
  }

  #item(
    path: string,
    parameters: readonly string[],
    kind: Kind & { readonly verbs: readonly string[]; readonly schema?: Json },
    verbs: Readonly<Record<string, Verb>>,
  ): void {
    const operations = Object.entries(verbs)
      .filter(([verb]) => kind.verbs.includes(verb))
      .map(([, verb]) => [verb.method, this.#operation(path, kind, verb)]);
    if (operations.length === 0) return;
    this.#found[path] = {
      ...Object.fromEntries(operations),
      ...(parameters.length > 0
        ? { parameters: parameters.map((name) => this.#parameter('path', [name, 'string'])) }
        : {}),
    };
  }

  #operation(path: string, kind: Kind & { readonly schema?: Json }, verb: Verb): Json {
    const own = this.#kindSchema(kind);
    const answer =
      verb.answer === 'own'
        ? own
        : verb.answer === 'list'
          ? this.#listSchema(kind, own)
          : this.#schemas.ofMeta('Status');
    const body =
      verb.body === 'own'
        ? own
        : verb.body === 'deleteOptions'
          ? this.#schemas.ofMeta('DeleteOptions')
          : this.#schemas.ofMeta('Patch');
    const { group, version, kind: name } = kind;
    const common = {
      tags: [`${group === '' ? 'core' : group.split('.')[0]!}_${version}`],
      operationId: operationId(path, verb.action),
      'x-kubernetes-action': verb.action,
      'x-kubernetes-group-version-kind': { group, version, kind: name },
    };
    const query = verb.parameters.map((parameter) => this.#parameter('query', parameter));
    if (this.#dialect === 2) {
      const inBody =
        verb.body === undefined
          ? []
          : [{ name: 'body', in: 'body', required: verb.body !== 'deleteOptions', schema: body }];
      return {
        ...common,
        consumes: verb.body === 'patch' ? patchTypes : ['*/*'],
        produces: bodyTypes,
        parameters: [...inBody, ...query],
        responses: { 200: { description: 'OK', schema: answer } },
      };
    }
    const types = verb.body === 'patch' ? patchTypes : ['*/*'];
    return {
      ...common,
      parameters: query,
      ...(verb.body === undefined ? {} : { requestBody: { content: contentOf(types, body) } }),
      responses: { 200: { description: 'OK', content: contentOf(bodyTypes, answer) } },
    };
  }

  #parameter(place: 'path' | 'query', [name, type, more = {}]: Parameter): Json {
    const required = place === 'path' ? { required: true } : {};
    return this.#dialect === 2
      ? { name, in: place, ...required, type, uniqueItems: true }
      : { name, in: place, ...required, schema: { type, ...more } };
  }

  #kindSchema(kind: Kind & { readonly schema?: Json }): Json {
    const facts = kindFacts(apiVersionOf(kind), kind.kind);
    if (facts) return this.#schemas.reference(facts);
    const schema = kind.schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    return this.#schemas.own(customName(kind), { ...schema, 'x-kubernetes-group-version-kind': [gvkOf(kind)] });
  }

  #listSchema(kind: Kind, item: Json): Json {
    const list = { ...kind, kind: `${kind.kind}List` };
    const facts: StructFacts | undefined = kindFacts(apiVersionOf(list), list.kind);
    if (facts) return this.#schemas.reference(facts);
    return this.#schemas.own(customName(list), {
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: { type: 'string' },
        items: { type: 'array', items: item },
        kind: { type: 'string' },
        metadata: this.#schemas.ofMeta('ListMeta'),
      },
      'x-kubernetes-group-version-kind': [gvkOf(list)],
    });
  }
}

const gvkOf = ({ group, version, kind }: Kind): Json => ({ group, kind, version });
const apiVersionOf = ({ group, version }: Kind): string => (group === '' ? version : `${group}/${version}`);

/** `com.example.v1.Foo` for Foo of example.com/v1. */
const customName = ({ group, version, kind }: Kind): string =>
  [...group.split('.').toReversed(), version, kind].join('.');

const contentOf = (types: readonly string[], schema: Json): Json =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

/** Unique within a document; nothing in Kubernetes reads it. */
function operationId(path: string, action: string): string {
  const words = path
    .split('/')
    .filter((part) => part !== '' && !part.startsWith('{'))
    .flatMap((part) => part.split(/[.\-_]/));
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return `${action}${name}${path.endsWith('{name}') ? 'ByName' : ''}`;
}
