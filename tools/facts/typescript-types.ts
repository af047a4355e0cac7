/**
 * TypeScript types from the table of facts: deeply readonly, one module a group version, no prose.
 *
 * Required is what upstream's OpenAPI requires, and besides: apiVersion, kind and metadata of a kind, and the spec (held by value)
 * of a kind or a template, since every object that was decoded and defaulted has them.
 */
import { type FactPackage, type FieldFacts, type StructFacts, type TypeFacts, factPackage } from '#api/fact-table.ts';

const header = '/** Made by tools/facts/generate-types.ts from the table of facts; not edited by hand. */\n';

/** Names every module may use; they are declared in meta-v1.ts. */
const shared = `
/** RFC 3339 with seconds: 2026-01-31T09:05:00Z. */
export type Time = string;
/** RFC 3339 with microseconds: 2026-01-31T09:05:00.000000Z. */
export type MicroTime = string;
/** A quantity in its canonical notation: 100m, 1Gi. */
export type Quantity = string;
export type IntOrString = number | string;
/** Any JSON object; its own apiVersion and kind say which. */
export type RawExtension = { readonly [key: string]: unknown };
export type FieldsV1 = { readonly [key: string]: unknown };
`;

const scalarTypes: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  int64: 'number',
  double: 'number',
  bytes: 'string',
  json: 'unknown',
  schemaOrArray: 'JSONSchemaProps | readonly JSONSchemaProps[]',
  schemaOrBool: 'JSONSchemaProps | boolean',
  schemaOrStringArray: 'JSONSchemaProps | readonly string[]',
};
const sharedTypes: Readonly<Record<string, string>> = {
  quantity: 'Quantity',
  intOrString: 'IntOrString',
  raw: 'RawExtension',
  time: 'Time',
  microTime: 'MicroTime',
  fieldsV1: 'FieldsV1',
};

export const moduleNameOf = (id: string): string => `${id.replace('/', '-')}.ts`;

/** The text of the module of one package of the table. */
export function typesOf(id: string): string {
  const module = new Module(factPackage(id));
  return module.text();
}

class Module {
  readonly #package: FactPackage;
  /** Package id to the names used of it and what they are called here. */
  readonly #imports = new Map<string, Map<string, string>>();

  #identified = false;

  constructor(facts: FactPackage) {
    this.#package = facts;
  }

  text(): string {
    const body = this.#package.typeNames.map((name) => this.#declaration(name)).join('\n');
    const imports = [...this.#imports]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, names]) => {
        const list = [...names].map(([name, local]) => (name === local ? name : `${name} as ${local}`)).toSorted();
        return `import type { ${list.join(', ')} } from '#api/generated/${moduleNameOf(id)}';\n`;
      });
    if (this.#identified) imports.push("import type { KubeObject } from '#api/meta.ts';\n");
    return `${header}${imports.join('')}${this.#package.id === 'meta/v1' ? shared : ''}\n${body}`;
  }

  #declaration(name: string): string {
    const type = this.#package.type(name)!;
    switch (type.kind) {
      case 'struct':
        return this.#struct(type);
      case 'enum': {
        const values = type.values.map((value) => `'${value}'`).join(' | ');
        return `export type ${name} = ${values}${type.openness === 'open' ? ' | (string & {})' : ''};\n`;
      }
      case 'list':
        return `export type ${name} = ${this.#type({ ...type, name: '' })};\n`;
      case 'map':
        return `export type ${name} = ${this.#type({ ...type, name: '' })};\n`;
      case 'scalar':
        return `export type ${name} = ${this.#type(type)};\n`;
    }
  }

  #struct(struct: StructFacts): string {
    const fields = [
      ...this.#typeMeta(struct),
      ...[...struct.jsonFields.values()].map((field) => this.#field(struct, field)),
    ];
    if (fields.length === 0) return `export type ${struct.name} = { readonly [key: string]: never };\n`;
    return `export interface ${struct.name} {\n${fields.map((field) => `  readonly ${field};\n`).join('')}}\n`;
  }

  #typeMeta(struct: StructFacts): readonly string[] {
    if (!struct.root) return [];
    if (struct.name.endsWith('Options')) return ['apiVersion?: string', 'kind?: string'];
    // APIGroup stands within APIGroupList too, without them.
    const optional = struct.name === 'APIGroup' ? '?' : '';
    return [`apiVersion${optional}: '${apiVersionOf(struct)}'`, `kind${optional}: '${struct.name}'`];
  }

  #field(struct: StructFacts, field: FieldFacts): string {
    const name = field.name ?? '';
    const optional = !(field.required || (struct.root && name === 'metadata') || isSpec(struct, field));
    const key = /^\w+$/.test(name) ? name : `'${name}'`;
    return `${key}${optional ? '?' : ''}: ${this.#metadataOf(struct, field) ?? this.#type(field.type)}`;
  }

  /** A whole object has been given its identity by the server; ObjectMeta of meta/v1, where all is optional, is for templates. */
  #metadataOf(struct: StructFacts, field: FieldFacts): string | undefined {
    if (!struct.root || field.typeText !== 'meta/v1.ObjectMeta' || field.name !== 'metadata') return undefined;
    this.#identified = true;
    return "KubeObject['metadata']";
  }

  #type(type: TypeFacts): string {
    switch (type.kind) {
      case 'scalar': {
        const own = sharedTypes[type.scalar];
        return own === undefined ? scalarTypes[type.scalar]! : this.#reference('meta/v1', own);
      }
      case 'enum':
      case 'struct':
        return this.#reference(type.package.id, type.name);
      case 'list': {
        const element = this.#type(type.element);
        return /[ |{]/.test(element) ? `readonly (${element})[]` : `readonly ${element}[]`;
      }
      case 'map':
        return `{ readonly [key: string]: ${this.#type(type.value)} }`;
    }
  }

  #reference(id: string, name: string): string {
    if (id === this.#package.id) return name;
    const names = this.#imports.get(id) ?? new Map<string, string>();
    const local = this.#package.typeNames.includes(name) ? `${prefixOf(id)}${name}` : name;
    this.#imports.set(id, names.set(name, local));
    return local;
  }
}

/** The spec of a kind or a template: by value, so Go's clients always send one and kinds that need its fields refuse an empty one. */
const isSpec = (struct: StructFacts, field: FieldFacts): boolean =>
  field.name === 'spec' && !field.pointer && field.type.kind === 'struct' && struct.jsonFields.has('metadata');

const prefixOf = (id: string): string => `${id[0]!.toUpperCase()}${id.slice(1, id.indexOf('/'))}`;

/** Kinds of meta.k8s.io proper; the others of its package are said to be v1 on the wire. */
const metaKinds: readonly string[] = ['PartialObjectMetadata', 'PartialObjectMetadataList', 'Table'];

function apiVersionOf(struct: StructFacts): string {
  const { group, version, id } = struct.package;
  if (group === '' || (id === 'meta/v1' && !metaKinds.includes(struct.name))) return version;
  return `${group}/${version}`;
}
