/**
 * Makes the table of API facts (src/api/facts/) from Kubernetes' Go sources: field names, types, tags and markers; no prose.
 *
 *     bin/node tools/facts/extract.ts SOURCE_DIR
 *
 * SOURCE_DIR holds `api`, `apimachinery` and `apiextensions-apiserver` of one release, such as `usr/share/gocode/src/k8s.io`
 * of Debian's golang-k8s-*-dev packages. Run generate-types.ts afterwards. src/api/fact-table.ts says how the table is written.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { closedWithoutMarker, factPackages, type FactPackage } from '#tools/facts/packages.ts';
import { type GoField, type GoPackage, type GoType, readGoPackage } from '#tools/facts/go-source.ts';

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'bool',
  int: 'int64',
  int32: 'int32',
  int64: 'int64',
  uint32: 'int64',
  float64: 'double',
  '[]byte': 'bytes',
  'interface{}': 'json',
  'k8s.io/apimachinery/pkg/types.UID': 'string',
  'k8s.io/apimachinery/pkg/types.NodeName': 'string',
  'k8s.io/apimachinery/pkg/api/resource.Quantity': 'quantity',
  'k8s.io/apimachinery/pkg/util/intstr.IntOrString': 'intOrString',
  'k8s.io/apimachinery/pkg/runtime.RawExtension': 'raw',
  'k8s.io/apimachinery/pkg/runtime.Object': 'raw',
  'k8s.io/apimachinery/pkg/apis/meta/v1.Time': 'time',
  'k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime': 'microTime',
  'k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1': 'fieldsV1',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON': 'json',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray': 'schemaOrArray',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool': 'schemaOrBool',
  'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray': 'schemaOrStringArray',
};

/** Where a declaration stands, and for which package it is written down: they differ for a copy of a foreign struct. */
interface Place {
  readonly source: FactPackage;
  readonly home: FactPackage;
}

class Extraction {
  readonly #packages: ReadonlyMap<string, GoPackage>;

  constructor(sources: string) {
    this.#packages = new Map(
      factPackages.map((one) => [one.path, readGoPackage(join(sources, one.path.replace(/^k8s\.io\//, '')))]),
    );
  }

  /** The table of one package, as text. */
  table(one: FactPackage): string {
    const source = this.#packages.get(one.path)!;
    const lines = [`package ${one.id} ${one.path}`, `group ${one.group === '' ? 'core' : one.group} ${one.version}`];
    for (const name of [...source.types.keys()].toSorted()) {
      const type = source.types.get(name)!;
      if (scalars[`${one.path}.${name}`] !== undefined || !this.#reachable(one, name)) continue;
      lines.push(...this.#declare(one, name, type));
    }
    return `${lines.join('\n')}\n`;
  }

  #declare(one: FactPackage, name: string, type: GoType): string[] {
    const source = this.#packages.get(one.path)!;
    if (type.kind === 'struct') return this.#declareStruct({ source: one, home: one }, name, type);
    const values = source.constants.get(name);
    if (values && type.type === 'string') {
      const openness = type.markers.includes('enum')
        ? 'enum'
        : closedWithoutMarker.includes(`${one.id}.${name}`)
          ? 'closed'
          : 'open';
      return [`${openness} ${name} ${values.map((value) => (value === '' ? '""' : value)).join(' ')}`];
    }
    if (type.type === 'string') return [];
    if (/^[A-Z]|^\w+\./.test(type.type)) return this.#declareCopy(one, name, type.type);
    const target = this.#type(one, type.type);
    const wrapped = type.markers.includes('protobuf.nullable=true') && target.startsWith('[]');
    return [`${wrapped ? 'wrapped' : 'alias'} ${name} ${target}`];
  }

  /** `type List metav1.List`: the same fields under another name. An alias of a string type is nothing of its own. */
  #declareCopy(one: FactPackage, name: string, type: string): string[] {
    const { path, local } = this.#locate(one, type);
    const original = this.#packages.get(path)?.types.get(local);
    return original?.kind === 'struct'
      ? this.#declareStruct({ source: factPackageOf(path), home: one }, name, original)
      : [];
  }

  #declareStruct(place: Place, name: string, type: GoType & { kind: 'struct' }): string[] {
    const root = type.fields.some((field) => /^(?:\w+\.)?TypeMeta$/.test(field.type) && field.name === undefined);
    const scope = !type.markers.includes('genclient')
      ? ''
      : type.markers.includes('genclient:nonNamespaced')
        ? ' cluster'
        : ' namespaced';
    return [
      root ? `kind ${name}${scope}` : `type ${name}`,
      ...type.fields.flatMap((field) => this.#field(place, name, field)),
    ];
  }

  #field({ source: one, home }: Place, owner: string, field: GoField): string[] {
    const [json, ...options] = (field.tags['json'] ?? '').split(',');
    if (/^(?:\w+\.)?TypeMeta$/.test(field.type) && field.name === undefined) return [];
    if (json === '-') return [];
    const inline = json === '' && options.includes('inline');
    if (json === '' && !inline) throw new Error(`${one.id}.${owner}: ${field.type} has no JSON name`);
    const omits = options.includes('omitempty') || options.includes('omitzero');
    const required = !inline && !omits && !field.markers.some((marker) => marker === 'optional');
    const flags = [
      required ? 'r' : '',
      field.type.startsWith('*') ? '*' : '',
      options.includes('omitempty') ? 'o' : '',
      options.includes('omitzero') ? 'z' : '',
    ].join('');
    const tag = field.tags['protobuf']?.split(',')[1] ?? '-';
    const name = inline ? '<' : json;
    return [
      [
        ` ${name}`,
        this.#type(one, field.type, home),
        flags === '' ? '-' : flags,
        tag,
        ...this.#extras(one, field),
      ].join(' '),
    ];
  }

  #extras(one: FactPackage, field: GoField): string[] {
    const marker = (name: string): string | undefined =>
      field.markers.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
    const extra = (key: string, value: string | undefined): string[] =>
      value === undefined ? [] : [`${key}=${value}`];
    const keys = field.markers.flatMap((text) => /^(?:k8s:)?listMapKey=(.*)$/.exec(text)?.[1] ?? []);
    const fallback = marker('default');
    const reference = fallback === undefined ? undefined : /^ref\((?:.*\.)?(\w+)\)$/.exec(fallback)?.[1];
    const byReference = reference === undefined ? undefined : this.#packages.get(one.path)!.values.get(reference);
    return [
      ...extra('patch', field.tags['patchStrategy']),
      ...extra('merge', field.tags['patchMergeKey']),
      ...extra('list', marker('listType') ?? marker('k8s:listType')),
      ...extra(
        'keys',
        keys.length === 0 ? undefined : [...new Set(keys)].map((key) => key.replaceAll('"', '')).join(','),
      ),
      ...extra('map', marker('mapType')),
      ...extra('struct', marker('structType')),
      ...extra('default', byReference === undefined ? fallback : JSON.stringify(byReference)),
    ];
  }

  /** A Go type in the table's words: `[]Container`, `{}quantity`, `meta/v1.ObjectMeta`. */
  #type(one: FactPackage, go: string, home = one): string {
    const type = go.replace(/^\*/, '');
    if (scalars[type] !== undefined) return scalars[type];
    if (type.startsWith('[]')) return `[]${this.#type(one, type.slice(2), home)}`;
    const map = /^map\[[\w.]+\](.*)$/.exec(type);
    if (map) return `{}${this.#type(one, map[1]!, home)}`;
    const { path, local } = this.#locate(one, type);
    const scalar = scalars[`${path}.${local}`];
    if (scalar !== undefined) return scalar;
    const target = this.#packages.get(path);
    const declared = target?.types.get(local);
    if (!target || !declared) throw new Error(`${one.id}: what is ${go} (${path}.${local})?`);
    if (declared.kind === 'named' && !target.constants.has(local)) {
      if (declared.type === 'string') return 'string';
      if (/^[A-Z]/.test(declared.type)) return this.#type(factPackageOf(path), declared.type, home);
    }
    return path === home.path ? local : `${factPackageOf(path).id}.${local}`;
  }

  #locate(one: FactPackage, type: string): { path: string; local: string } {
    const [first, second] = type.split('.');
    if (second === undefined) return { path: one.path, local: type };
    return { path: this.#packages.get(one.path)!.imports.get(first!) ?? `unknown import ${first}`, local: second };
  }

  /** Go packages hold internal helpers beside the API's types; only types on the wire have JSON or protobuf tags. */
  #reachable(one: FactPackage, name: string): boolean {
    const type = this.#packages.get(one.path)!.types.get(name)!;
    if (type.kind === 'named') return /^[A-Z]/.test(name) && !/^func|^int|^bool|^u?int/.test(type.type);
    if (name === 'TypeMeta' || !/^[A-Z]/.test(name)) return false;
    return type.fields.length === 0 || type.fields.some((field) => !['-', undefined].includes(field.tags['json']));
  }
}

function factPackageOf(path: string): FactPackage {
  const found = factPackages.find((one) => one.path === path);
  if (!found) throw new Error(`no facts are made of ${path}`);
  return found;
}

const sources = process.argv[2];
if (sources === undefined) {
  console.error('usage: bin/node tools/facts/extract.ts SOURCE_DIR');
  process.exit(2);
}
const target = join(import.meta.dirname, '../../src/api/facts/table.ts');
const extraction = new Extraction(sources);
// One module for all groups: reading 24 small ones costs the start of every process four times as much.
const entries = factPackages.map((one) => `  '${one.id}': \`\n${extraction.table(one)}\`,\n`);
const text = `/** Facts of Kubernetes' API types, a text for each package. Made by tools/facts/extract.ts, not edited by hand; fact-table.ts reads it. */
export const factTexts: Readonly<Record<string, string>> = {
${entries.join('')}};
`;
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, text);
console.log(`${target}: ${text.length} bytes`);
