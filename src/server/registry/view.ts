import { canonicalObject } from '#api/canonical.ts';
import { kindFacts } from '#api/fact-table.ts';
import type { KubeObject } from '#api/meta.ts';
import { encodeForStore, headOf, Stored } from '#server/cache/stored.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { asDecoded } from '#server/registry/equal.ts';

const views = new WeakMap<Stored, Stored>();

/** A kept object as this resource shows it. For a kind with two versions it is converted once and remembered. */
export function served(descriptor: Descriptor, stored: Stored): Stored {
  if (!descriptor.storedAs) return stored;
  const known = views.get(stored);
  if (known) return known;
  const object = canonical(descriptor.storedAs.toServed(stored.object));
  const value = encodeForStore(object);
  const made = new Stored(stored.key, stored.revision, { head: headOf(object.kind, object.apiVersion), value, object });
  views.set(stored, made);
  return made;
}

export const kept = (descriptor: Descriptor, object: KubeObject): KubeObject =>
  descriptor.storedAs ? canonical(descriptor.storedAs.toStored(object)) : object;

/** As it would be after decoding: objects handed over in process and bodies off the wire are kept in the same form. */
export function canonical(object: KubeObject): KubeObject {
  const facts = kindFacts(object.apiVersion, object.kind);
  return facts ? canonicalObject(facts, object) : asDecoded(object);
}
