/** OpenAPI schemas of the types in the table of facts, in the dialect of version 2 or 3, collected by reachability. */
import { type FieldFacts, type Scalar, type StructFacts, type TypeFacts, factPackage } from '#api/fact-table.ts';
import { describe } from '#api/openapi/descriptions.ts';

export type Json = { readonly [key: string]: unknown };
export type Dialect = 2 | 3;

/** `k8s.io/api/core/v1` is `io.k8s.api.core.v1` there. */
const prefixOf = (path: string): string => path.replace(/^k8s\.io\//, 'io.k8s.').replaceAll('/', '.');

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const sharedNames: Readonly<Partial<Record<Scalar, string>>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  time: `${META}.Time`,
  microTime: `${META}.MicroTime`,
  fieldsV1: `${META}.FieldsV1`,
  raw: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  json: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
  schemaOrArray: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray',
  schemaOrBool: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool',
  schemaOrStringArray: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray',
};

/** A choice of two types can only be said in version 3; version 2 says string, or nothing. */
const sharedSchemas = (dialect: Dialect): Readonly<Partial<Record<Scalar, Json>>> => ({
  quantity: dialect === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] },
  intOrString:
    dialect === 2
      ? { type: 'string', format: 'int-or-string' }
      : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  fieldsV1: { type: 'object' },
  raw: { type: 'object' },
  json: {},
  schemaOrArray: {},
  schemaOrBool: {},
  schemaOrStringArray: {},
});

function plainSchema(scalar: Scalar): Json {
  switch (scalar) {
    case 'bool':
      return { type: 'boolean' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: scalar };
    case 'double':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    default:
      return { type: 'string' };
  }
}

/** The definitions one document needs: those asked for and whatever they refer to. */
export class Schemas {
  readonly #dialect: Dialect;
  readonly #found = new Map<string, Json>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** By name, sorted. */
  all(): Json {
    return Object.fromEntries([...this.#found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to the struct's definition, which is added with all that it refers to. */
  reference(struct: StructFacts): Json {
    const name = `${prefixOf(struct.package.path)}.${struct.name}`;
    if (!this.#found.has(name)) {
      // Entered before it is made: types may contain themselves.
      this.#found.set(name, {});
      this.#found.set(name, this.#definition(struct));
    }
    return this.#pointer(name);
  }

  /** A definition that is not of the table, such as that of a custom resource; in the dialect of version 3. */
  own(name: string, schema: Json): Json {
    this.#found.set(name, this.#dialect === 2 ? inVersion2(schema) : schema);
    return this.#pointer(name);
  }

  ofMeta(name: string): Json {
    return this.reference(factPackage('meta/v1').type(name) as StructFacts);
  }

  #pointer(name: string): Json {
    return { $ref: `${this.#dialect === 2 ? '#/definitions/' : '#/components/schemas/'}${name}` };
  }

  #definition(struct: StructFacts): Json {
    const properties: [string, Json][] = struct.root
      ? [
          ['apiVersion', { type: 'string', description: 'The group and version of the schema this object follows.' }],
          ['kind', { type: 'string', description: 'The kind of object this is.' }],
        ]
      : [];
    for (const [name, field] of struct.jsonFields) properties.push([name, this.#property(struct, name, field)]);
    const required = [...struct.jsonFields].flatMap(([name, field]) => (field.required ? [name] : []));
    return {
      ...describe(`${struct.package.id}.${struct.name}`),
      type: 'object',
      ...(required.length > 0 ? { required } : {}),
      ...(properties.length > 0
        ? { properties: Object.fromEntries(properties.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
        : {}),
      ...(struct.root ? { 'x-kubernetes-group-version-kind': gvksOf(struct) } : {}),
    };
  }

  #property(struct: StructFacts, name: string, field: FieldFacts): Json {
    const extras = {
      ...describe(`${struct.package.id}.${struct.name}.${name}`),
      ...(field.default === undefined ? {} : { default: field.default }),
      ...(field.listType ? { 'x-kubernetes-list-type': field.listType } : {}),
      ...(field.listMapKeys.length > 0 ? { 'x-kubernetes-list-map-keys': field.listMapKeys } : {}),
      ...((field.mapType ?? field.structType) ? { 'x-kubernetes-map-type': field.mapType ?? field.structType } : {}),
      ...(field.patchStrategies.length > 0 ? { 'x-kubernetes-patch-strategy': field.patchStrategies.join(',') } : {}),
      ...(field.mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.mergeKey }),
    };
    const schema = this.#schema(field.type);
    if (Object.keys(extras).length === 0) return schema;
    // Beside a $ref nothing else counts in version 3.
    return '$ref' in schema && this.#dialect === 3 ? { allOf: [schema], ...extras } : { ...schema, ...extras };
  }

  #schema(type: TypeFacts): Json {
    switch (type.kind) {
      case 'scalar': {
        const name = sharedNames[type.scalar];
        return name === undefined
          ? plainSchema(type.scalar)
          : this.own(name, sharedSchemas(this.#dialect)[type.scalar] ?? {});
      }
      case 'enum':
        return type.openness === 'enum' ? { type: 'string', enum: type.values.toSorted() } : { type: 'string' };
      case 'list':
        return { type: 'array', items: this.#schema(type.element) };
      case 'map':
        return { type: 'object', additionalProperties: this.#schema(type.value) };
      case 'struct':
        return this.reference(type);
    }
  }
}

const keywords2: readonly string[] = ['$ref', 'format', 'description', 'default', 'required', 'enum', 'type'];

/**
 * What of a schema clients of version 2 are told. Keywords they would not know go, as upstream's do: clients then let pass what
 * the server refuses. A value that may be of several types, or null, is of no type there.
 */
function inVersion2(schema: Json): Json {
  const anyType = schema['nullable'] === true || schema['x-kubernetes-int-or-string'] === true;
  const result: { [key: string]: unknown } = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') result[key] = mapSchemas(value);
    else if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object'))
      result[key] = inVersion2(value as Json);
    else if (key === 'type' && anyType) continue;
    else if (key === 'additionalProperties' || key.startsWith('x-kubernetes-') || keywords2.includes(key))
      result[key] = value;
  }
  return result;
}

const mapSchemas = (properties: unknown): Json =>
  Object.fromEntries(Object.entries(properties as Json).map(([name, schema]) => [name, inVersion2(schema as Json)]));

/** What the options and Status of meta/v1 are known as: kinds of the core group, as far as documents are concerned. */
function gvksOf(struct: StructFacts): readonly Json[] {
  const { group, version, id } = struct.package;
  return [{ group: id === 'meta/v1' ? '' : group, kind: struct.name, version }];
}
