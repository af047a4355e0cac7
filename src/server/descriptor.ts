import type { FieldError } from '#api/field-error.ts';
import type { SelectableFields } from '#api/field-selectors.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { User } from '#api/transport.ts';
import type { Durability } from '#store/store.ts';
import type { Column } from '#server/columns/column.ts';
import type { Verb } from '#server/request.ts';

/**
 * Everything the server knows of one resource. Built-ins are declared in `resources/`, one file an API group; what comes from a
 * custom resource definition will be the same kind of value and take the same path.
 */
export interface Descriptor extends Resource {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly listKind: string;
  readonly verbs: readonly Verb[];
  /** By name; `status` among them when the kind has one. */
  readonly subresources: Readonly<Record<string, Subresource>>;
  readonly strategy: Strategy;
  /** For OpenAPI, in its version 3: of a kind that is not in the table of facts. */
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly columns: readonly Column[];
  /** What field selectors may ask for beside `metadata.name` and `metadata.namespace`. */
  readonly fields: SelectableFields<KubeObject>;
  /** Another version under which the same objects are kept; absent: kept as served. */
  readonly storedAs?: Conversion;
}

/** Between what is served and what is kept. Both ways are pure. */
export interface Conversion {
  /** Whose objects are kept: `plural.group`, as in `storagePrefix`. */
  readonly group: string;
  readonly plural: string;
  readonly toServed: (stored: KubeObject) => KubeObject;
  readonly toStored: (served: KubeObject) => KubeObject;
}

export interface Subresource {
  readonly kind: string;
  /** Of the kind, where it differs from the resource's own. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly ('get' | 'create' | 'update' | 'patch')[];
}

/** What creating, changing and deleting mean for one kind. Pure functions: they give a new object and never change one. */
export interface Strategy {
  readonly defaulted: (object: KubeObject) => KubeObject;
  /** What clients may not set: status, clocks, fields that others own. */
  readonly prepareForCreate: (object: KubeObject, context: WriteContext) => KubeObject;
  readonly validate: (object: KubeObject) => readonly FieldError[];
  /** Fields a plain update may not touch are taken from `old`. */
  readonly prepareForUpdate: (object: KubeObject, old: KubeObject, context: WriteContext) => KubeObject;
  readonly validateUpdate: (object: KubeObject, old: KubeObject) => readonly FieldError[];
  readonly prepareForStatusUpdate: (object: KubeObject, old: KubeObject, context: WriteContext) => KubeObject;
  readonly validateStatusUpdate: (object: KubeObject, old: KubeObject) => readonly FieldError[];
  readonly warnings: (object: KubeObject, old: KubeObject | undefined) => readonly string[];
  /** True when metadata.generation counts this kind's changes, and between these two something but metadata and status changed. */
  readonly generation: 'none' | ((object: KubeObject, old: KubeObject) => boolean);
  /** An update may leave the resourceVersion out. */
  readonly unconditionalUpdate: boolean;
  readonly createOnUpdate: boolean;
  readonly deletion: (object: KubeObject, request: DeletionRequest) => Deletion;
  /** More that must be gone before an object that is being deleted goes: a namespace's own finalizers. */
  readonly heldBack: (object: KubeObject) => boolean;
  /** The object is the answer to its deletion, else a Status. */
  readonly answersDeleted: boolean;
  /** `relaxed`: a power failure may take the last of them, and their owners repeat them (events, leases). */
  readonly durability: Durability;
  /** Of updates through `/status`. */
  readonly statusDurability: Durability;
}

export interface WriteContext {
  readonly now: number;
  readonly user: User;
}

export interface DeletionRequest {
  readonly graceSeconds: number | undefined;
  readonly now: number;
}

/** What DELETE does to an object now. Finalizers hold back what would be removed; the registry sees to that. */
export type Deletion =
  | { readonly kind: 'remove' }
  | { readonly kind: 'stamp'; readonly object: KubeObject }
  /** It is being deleted already, and this request does not bring that nearer. */
  | { readonly kind: 'pending' };

/** Where the objects of a resource are kept: `pods/`, `leases.coordination.k8s.io/`. */
export function storagePrefix(descriptor: Pick<Descriptor, 'group' | 'plural' | 'storedAs'>): string {
  const { group, plural } = descriptor.storedAs ?? descriptor;
  return group === '' ? `${plural}/` : `${plural}.${group}/`;
}
