/**
 * The object model's facts: which fields each API type has, of which type, under which protobuf tag and merge key.
 *
 * They stand as text in `facts/table.ts`, one text a Go package, read from upstream's sources by `tools/facts/extract.ts`.
 * A package is parsed when it is first asked for, a struct's fields when they are first looked at: importing this file costs nothing.
 * Decoding checks, strategic merge patches, protobuf, OpenAPI and the TypeScript types under `generated/` are all made from it,
 * so they cannot disagree. What the table cannot know (validation, defaults computed from other fields) is written elsewhere.
 *
 * A line of the text is one of
 *     package ID PATH | group GROUP VERSION             of which Go package; `group core` is the empty group
 *     enum|closed|open NAME VALUE...                     a string type; closed: checked though not marked as an enum; open: examples
 *     alias NAME TYPE | wrapped NAME TYPE                a named map or list; wrapped: a message of its own in protobuf
 *     kind NAME [SCOPE] | type NAME                      a struct; a kind has apiVersion and kind; then its fields, each
 *      FIELD TYPE FLAGS TAG [KEY=VALUE]...               FIELD `<`: an embedded struct whose fields stand beside the others
 * with FLAGS r (required by OpenAPI), * (a pointer), o (omitempty), z (omitzero); TAG the protobuf number or `-`;
 * TYPE `[]T`, `{}T` (map of strings to T), a scalar, or a NAME of this package or `ID.NAME` of another.
 */
import { factTexts } from '#api/facts/table.ts';

const scalarNames = [
  'string',
  'bool',
  'int32',
  'int64',
  'double',
  'bytes',
  'quantity',
  'intOrString',
  'time',
  'microTime',
  'raw',
  'json',
  'fieldsV1',
  'schemaOrArray',
  'schemaOrBool',
  'schemaOrStringArray',
] as const;
/**
 * `bytes` is base64 in JSON; `raw` any JSON object, `json` any JSON value; the `schemaOr…` are JSONSchemaProps or the other thing.
 */
export type Scalar = (typeof scalarNames)[number];

export interface ScalarFacts {
  readonly kind: 'scalar';
  readonly scalar: Scalar;
}
export interface EnumFacts {
  readonly kind: 'enum';
  readonly name: string;
  readonly package: FactPackage;
  readonly values: readonly string[];
  /** enum: upstream's schema says so; closed: upstream checks it elsewhere; open: any string may come. */
  readonly openness: 'enum' | 'closed' | 'open';
}
export interface ListFacts {
  readonly kind: 'list';
  readonly element: TypeFacts;
  /** The named list type, if it has a name. */
  readonly name?: string;
  /** In protobuf a message of its own with `items = 1`. */
  readonly wrapped: boolean;
}
export interface MapFacts {
  readonly kind: 'map';
  readonly value: TypeFacts;
  readonly name?: string;
}
export type TypeFacts = ScalarFacts | EnumFacts | ListFacts | MapFacts | StructFacts;

export interface FieldFacts {
  /** The JSON name; undefined for an embedded struct, whose fields stand beside the others in JSON. */
  readonly name: string | undefined;
  readonly type: TypeFacts;
  /** The type as the table writes it. */
  readonly typeText: string;
  readonly required: boolean;
  readonly pointer: boolean;
  readonly omitEmpty: boolean;
  readonly omitZero: boolean;
  /** The protobuf number; undefined where there is none. */
  readonly tag: number | undefined;
  readonly patchStrategies: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly mergeKey: string | undefined;
  readonly listType: 'atomic' | 'set' | 'map' | undefined;
  readonly listMapKeys: readonly string[];
  readonly mapType: 'atomic' | 'granular' | undefined;
  readonly structType: 'atomic' | 'granular' | undefined;
  /** The default in the schema, parsed from JSON. Undefined where the schema has none. */
  readonly default: unknown;
}

export class StructFacts {
  readonly kind = 'struct';
  readonly name: string;
  readonly package: FactPackage;
  /** It has apiVersion and kind. */
  readonly root: boolean;
  /** Of kinds that clients create: whether they live in a namespace. */
  readonly scope: 'namespaced' | 'cluster' | undefined;
  readonly #lines: readonly string[];
  #fields: readonly FieldFacts[] | undefined;
  #jsonFields: ReadonlyMap<string, FieldFacts> | undefined;

  constructor(inside: FactPackage, heading: string, lines: readonly string[]) {
    const [keyword, name, scope] = heading.split(' ');
    this.name = name!;
    this.package = inside;
    this.root = keyword === 'kind';
    this.scope = scope === 'namespaced' || scope === 'cluster' ? scope : undefined;
    this.#lines = lines;
  }

  /** As declared: embedded structs are fields without a name; apiVersion and kind are not among them. */
  get fields(): readonly FieldFacts[] {
    return (this.#fields ??= this.#lines.map((line) => parseField(this.package, line)));
  }

  /** By JSON name, embedded structs spread out, apiVersion and kind not among them. */
  get jsonFields(): ReadonlyMap<string, FieldFacts> {
    return (this.#jsonFields ??= new Map(
      this.fields.flatMap((field) =>
        field.name === undefined && field.type.kind === 'struct'
          ? [...field.type.jsonFields]
          : [[field.name ?? '', field] as const],
      ),
    ));
  }
}

/** One Go package of API types, such as `core/v1`. */
export class FactPackage {
  readonly id: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly #blocks = new Map<string, readonly string[]>();
  readonly #types = new Map<string, TypeFacts>();

  constructor(text: string) {
    const [packageLine, groupLine, ...lines] = text.trim().split('\n');
    [, this.id = '', this.path = ''] = packageLine!.split(' ');
    const [, group = '', version = ''] = groupLine!.split(' ');
    this.group = group === 'core' ? '' : group;
    this.version = version;
    let block: string[] = [];
    for (const line of lines) {
      if (line.startsWith(' ')) block.push(line);
      else this.#blocks.set(line.split(' ', 2)[1]!, (block = [line]));
    }
  }

  get typeNames(): readonly string[] {
    return [...this.#blocks.keys()];
  }

  type(name: string): TypeFacts | undefined {
    const known = this.#types.get(name);
    if (known) return known;
    const block = this.#blocks.get(name);
    if (!block) return undefined;
    const parsed = parseType(this, block);
    this.#types.set(name, parsed);
    return parsed;
  }
}

const packages = new Map<string, FactPackage>();

export const factPackageIds: readonly string[] = Object.keys(factTexts);

/** `id` is one of `factPackageIds`; anything else throws. */
export function factPackage(id: string): FactPackage {
  const known = packages.get(id);
  if (known) return known;
  const text = factTexts[id];
  if (text === undefined) throw new Error(`no facts of package ${JSON.stringify(id)}`);
  const parsed = new FactPackage(text);
  packages.set(id, parsed);
  return parsed;
}

/** Kinds every group version knows beside its own, found under v1 and under any group. */
const everywhere: readonly string[] = [
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PatchOptions',
  'Status',
  'UpdateOptions',
];
const packageIds = new Map<string, string>();

/** The facts of a kind (`apiVersion` as in an object: `v1`, `apps/v1`), or undefined where the table has none. */
export function kindFacts(apiVersion: string, kind: string): StructFacts | undefined {
  if (packageIds.size === 0) for (const id of factPackageIds) packageIds.set(apiVersionOf(factTexts[id]!), id);
  const id = packageIds.get(apiVersion);
  const own = id === undefined ? undefined : factPackage(id).type(kind);
  const found = own ?? (everywhere.includes(kind) ? factPackage('meta/v1').type(kind) : undefined);
  return found?.kind === 'struct' && found.root ? found : undefined;
}

export interface RootKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The kind of its lists; undefined for what is only sent, such as options and reviews. */
  readonly listKind: string | undefined;
  readonly scope: 'namespaced' | 'cluster' | undefined;
}

/** The kinds of a package that are no lists themselves. */
export function rootKinds(id: string): readonly RootKind[] {
  const facts = factPackage(id);
  const { group, version, typeNames } = facts;
  return typeNames.flatMap((kind) => {
    const type = facts.type(kind);
    if (type?.kind !== 'struct' || !type.root || type.jsonFields.has('items')) return [];
    const listKind = typeNames.includes(`${kind}List`) ? `${kind}List` : undefined;
    return [{ group, version, kind, listKind, scope: type.scope }];
  });
}

function apiVersionOf(text: string): string {
  const [, group, version] = /^group (\S+) (\S+)$/m.exec(text)!;
  return group === 'core' ? version! : `${group}/${version}`;
}

function parseType(inside: FactPackage, block: readonly string[]): TypeFacts {
  const [heading, ...lines] = block;
  const [keyword, name, ...rest] = heading!.split(' ');
  switch (keyword) {
    case 'kind':
    case 'type':
      return new StructFacts(inside, heading!, lines);
    case 'enum':
    case 'closed':
    case 'open':
      return {
        kind: 'enum',
        name: name!,
        package: inside,
        values: rest.map((value) => (value === '""' ? '' : value)),
        openness: keyword,
      };
    case 'alias':
    case 'wrapped': {
      const target = parseReference(inside, rest[0]!);
      if (target.kind === 'list') return { ...target, name: name!, wrapped: keyword === 'wrapped' };
      return target.kind === 'map' ? { ...target, name: name! } : target;
    }
    default:
      throw new Error(`facts of ${inside.id}: what is ${JSON.stringify(heading)}?`);
  }
}

const scalars = new Map<string, ScalarFacts>(scalarNames.map((scalar) => [scalar, { kind: 'scalar', scalar }]));

function parseReference(inside: FactPackage, text: string): TypeFacts {
  if (text.startsWith('[]')) return { kind: 'list', element: parseReference(inside, text.slice(2)), wrapped: false };
  if (text.startsWith('{}')) return { kind: 'map', value: parseReference(inside, text.slice(2)) };
  const scalar = scalars.get(text);
  if (scalar) return scalar;
  const dot = text.indexOf('.');
  const found = dot < 0 ? inside.type(text) : factPackage(text.slice(0, dot)).type(text.slice(dot + 1));
  if (!found) throw new Error(`facts of ${inside.id}: no type ${text}`);
  return found;
}

function parseField(inside: FactPackage, line: string): FieldFacts {
  const [name, type, flags, tag, ...rest] = line.slice(1).split(' ');
  const extras = new Map(
    rest.map((extra) => [extra.slice(0, extra.indexOf('=')), extra.slice(extra.indexOf('=') + 1)]),
  );
  const list = <T extends string>(key: string): readonly T[] => (extras.get(key)?.split(',') ?? []) as T[];
  const fallback = extras.get('default');
  return {
    name: name === '<' ? undefined : name!,
    type: parseReference(inside, type!),
    typeText: type!,
    required: flags!.includes('r'),
    pointer: flags!.includes('*'),
    omitEmpty: flags!.includes('o'),
    omitZero: flags!.includes('z'),
    tag: tag === '-' ? undefined : Number(tag),
    patchStrategies: list('patch'),
    mergeKey: extras.get('merge'),
    listType: list<'atomic' | 'set' | 'map'>('list')[0],
    listMapKeys: list('keys'),
    mapType: list<'atomic' | 'granular'>('map')[0],
    structType: list<'atomic' | 'granular'>('struct')[0],
    default: fallback === undefined ? undefined : JSON.parse(fallback),
  };
}
