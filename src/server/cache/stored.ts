import type { KubeObject, ResourceVersion } from '#api/meta.ts';
import type { Revision, StoreKey } from '#store/store.ts';

/**
 * One version of one object: as a value, and as the JSON that every get, list and watcher is served.
 *
 * The store keeps JSON without `metadata.resourceVersion`, because only the store knows it once it has written. The text
 * always begins with kind, apiVersion and metadata, in this order, so the revision goes in at an offset that is known for
 * the kind, and no text is ever searched. Either form is made from the other when somebody asks for it first.
 */
export class Stored {
  readonly key: StoreKey;
  readonly revision: Revision;
  #head: number;
  #value: Uint8Array | undefined;
  #object: KubeObject | undefined;
  #bytes: Buffer | undefined;

  constructor(key: StoreKey, revision: Revision, form: StoredForm) {
    this.key = key;
    this.revision = revision;
    this.#head = form.head;
    this.#value = form.value;
    this.#object = form.object;
  }

  /** Of its text, in bytes; without the revision where that is not spliced in yet. */
  get size(): number {
    return (this.#bytes ?? this.#value)!.length;
  }

  /** The object with its resourceVersion. Shared: it must never be changed. */
  get object(): KubeObject {
    return (this.#object ??= JSON.parse(this.bytes.toString('utf8')) as KubeObject);
  }

  /** The object's JSON with its resourceVersion. Shared: it must never be changed. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      this.#bytes = splice(this.#value!, this.#head, this.revision);
      // The same text with the revision in it: one copy is enough.
      this.#value = undefined;
    }
    return this.#bytes;
  }

  /** The same object as it is told of by a later revision: that of its deletion, or of its leaving a selector. */
  at(revision: Revision): Stored {
    const object = this.#object && withResourceVersion(this.#object, revision);
    return new Stored(this.key, revision, { head: this.#head, value: this.#text(), object });
  }

  /** True when `value`, as the store keeps it, is this object's. */
  hasValue(value: Uint8Array): boolean {
    return Buffer.compare(this.#text(), value) === 0;
  }

  #text(): Uint8Array {
    if (this.#value !== undefined) return this.#value;
    const bytes = this.#bytes!;
    const spliced = revisionField(this.revision).length;
    return Buffer.concat([bytes.subarray(0, this.#head), bytes.subarray(this.#head + spliced)]);
  }
}

export interface StoredForm {
  /** Where the revision goes in: the length of `{"kind":…,"apiVersion":…,"metadata":{`. */
  readonly head: number;
  readonly value: Uint8Array;
  /** The value as an object, resourceVersion included, where it is at hand. */
  readonly object?: KubeObject | undefined;
}

/** The text before the first field of metadata. */
export const headOf = (kind: string, apiVersion: string): number =>
  `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{`.length;

/** What the store keeps: JSON with kind, apiVersion and metadata first, and without the resourceVersion. */
export function encodeForStore(object: KubeObject): Uint8Array {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _, ...meta } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: meta, ...rest }));
}

export const withResourceVersion = <T extends KubeObject>(object: T, revision: Revision): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) as ResourceVersion },
});

const revisionField = (revision: Revision): string => `"resourceVersion":"${revision}",`;

function splice(value: Uint8Array, head: number, revision: Revision): Buffer {
  const field = revisionField(revision);
  const out = Buffer.allocUnsafe(value.length + field.length);
  out.set(value.subarray(0, head), 0);
  out.write(field, head, 'latin1');
  out.set(value.subarray(head), head + field.length);
  return out;
}
