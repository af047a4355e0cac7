import { defaultObject } from '#api/defaults/defaults.ts';
import type { KubeObject } from '#api/meta.ts';
import { validateCreate, validateStatusUpdate, validateUpdate } from '#api/validation/validation.ts';
import { apiVersionOf, type Resource } from '#api/resource.ts';
import { selectableFieldsOf } from '#api/selectable-fields.ts';
import type { Descriptor, Strategy, Subresource } from '#server/descriptor.ts';
import type { Column } from '#server/columns/column.ts';
import { createdAt, nameColumn } from '#server/columns/common.ts';
import type { Verb } from '#server/request.ts';
import { removeAtOnce } from '#server/registry/deletion.ts';
import { equalJson } from '#server/registry/equal.ts';

/** What most kinds do: no status, no generation, no grace; a kind says only where it differs. */
const plain: Strategy = {
  defaulted: defaultObject,
  prepareForCreate: (object) => object,
  validate: validateCreate,
  prepareForUpdate: (object) => object,
  validateUpdate,
  prepareForStatusUpdate: (object) => object,
  validateStatusUpdate,
  warnings: () => [],
  generation: 'none',
  unconditionalUpdate: true,
  createOnUpdate: false,
  deletion: removeAtOnce,
  heldBack: () => false,
  answersDeleted: false,
  durability: 'synced',
  statusDurability: 'synced',
};

export const strategy = (differences: Partial<Strategy>): Strategy => ({ ...plain, ...differences });

/** A kind whose spec clients write and whose status others do: each kind of update leaves the other part alone. */
export const withStatus = (differences: Partial<Strategy>): Strategy => ({
  ...plain,
  prepareForCreate: (object) => without(object, 'status'),
  prepareForUpdate: (object, old) => withFieldOf(object, old, 'status'),
  prepareForStatusUpdate: (object, old) => onlyStatus(object, old),
  ...differences,
});

/** `object`, but with `field` as it is in `old`. */
export function withFieldOf<T extends KubeObject>(object: T, old: KubeObject, field: string): T {
  const value = (old as unknown as Record<string, unknown>)[field];
  if (value === undefined) return without(object, field);
  return { ...object, [field]: value };
}

export function without<T extends KubeObject>(object: T, field: string): T {
  if (!(field in object)) return object;
  const { [field]: _, ...rest } = object as T & Record<string, unknown>;
  return rest as unknown as T;
}

/** A status update: everything but status and metadata is as it was; of metadata only what upstream lets through. */
export function onlyStatus(object: KubeObject, old: KubeObject): KubeObject {
  const { status } = object as { status?: unknown };
  return { ...old, metadata: object.metadata, ...(status === undefined ? {} : { status }) } as KubeObject;
}

/** Whether what is desired differs: everything but metadata and status. */
export function specChanged(object: KubeObject, old: KubeObject): boolean {
  return !equalJson({ ...object, metadata: 0, status: 0 }, { ...old, metadata: 0, status: 0 });
}

export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

export const statusOf = (kind: string): Subresource => ({ kind, verbs: ['get', 'patch', 'update'] });

type Declared = Resource & Partial<Descriptor> & { readonly strategy: Strategy };

/** Fills in what follows from the rest. */
export function declare(declared: Declared): Descriptor {
  const { kind } = declared;
  return {
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    listKind: `${kind}List`,
    verbs: allVerbs,
    subresources: {},
    columns: defaultColumns,
    fields: selectableFieldsOf(apiVersionOf(declared), kind),
    ...declared,
  };
}

const defaultColumns: readonly Column[] = [nameColumn, createdAt];
