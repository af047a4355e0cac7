import type { KubeObject, ResourceVersion } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import { compareRevisions } from '#client/revision.ts';

/** What was written through a client: of each kind the newest revision that a write has brought about. */
export interface WriteLog {
  newest(resource: Resource): ResourceVersion | undefined;
  /** No longer to be waited for; does nothing when a newer one has been written since. */
  forget(resource: Resource, revision: ResourceVersion): void;
}

/** The same client, which also remembers what was written through it. What failed has written nothing. */
export function recordWrites(inner: Client): { readonly client: Client; readonly writes: WriteLog } {
  const newest = new Map<string, ResourceVersion>();
  const noted = async <T extends KubeObject | undefined>(resource: Resource, write: Promise<T>): Promise<T> => {
    const object = await write;
    const revision = object?.metadata.resourceVersion;
    const known = newest.get(nameOf(resource));
    if (revision !== undefined && (known === undefined || compareRevisions(revision, known) > 0))
      newest.set(nameOf(resource), revision);
    return object;
  };
  const client: Client = {
    ...inner,
    create: (resource, object, signal) => noted(resource, inner.create(resource, object, signal)),
    update: (resource, object, signal) => noted(resource, inner.update(resource, object, signal)),
    updateStatus: (resource, object, signal) => noted(resource, inner.updateStatus(resource, object, signal)),
    updateSubresource: (resource, object, subresource, signal) =>
      noted(resource, inner.updateSubresource(resource, object, subresource, signal)),
    patch: (resource, ref, patch, signal) => noted(resource, inner.patch(resource, ref, patch, signal)),
    delete: (resource, ref, options, signal) => noted(resource, inner.delete(resource, ref, options, signal)),
  };
  const writes: WriteLog = {
    newest: (resource) => newest.get(nameOf(resource)),
    forget(resource, revision) {
      if (newest.get(nameOf(resource)) === revision) newest.delete(nameOf(resource));
    },
  };
  return { client, writes };
}

const nameOf = ({ group, plural }: Resource): string => `${plural}.${group}`;
