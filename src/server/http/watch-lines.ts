import { apiVersionOf } from '#api/resource.ts';
import type { Status } from '#api/errors.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Descriptor } from '#server/descriptor.ts';
import type { Form } from '#server/http/negotiation.ts';
import { metadataOf, tableOfObject, type Included } from '#server/http/table.ts';
import type { WatchItem } from '#server/registry/watch.ts';

/** Makes the lines of one watch: `{"type":…,"object":…}`, each ended by a newline. */
export interface LineMaker {
  line(item: WatchItem): Buffer;
  bookmark(revision: number, initialEventsEnd: boolean): Buffer;
}

const opening = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
} as const;
const closing = Buffer.from('}\n');

/**
 * Lines of plain JSON, made of the very text of the store. Every watcher of an event is called before the next event, so remembering
 * the last line is enough for all of them to share it.
 */
export class PlainLines {
  #item: WatchItem | undefined;
  #line: Buffer | undefined;

  line(item: WatchItem): Buffer {
    const { type, stored } = item;
    if (this.#line && this.#item?.stored === stored && this.#item.type === type) return this.#line;
    this.#item = item;
    this.#line = Buffer.concat([opening[type], stored.bytes, closing]);
    return this.#line;
  }

  for(descriptor: Descriptor): LineMaker {
    return {
      line: (item) => this.line(item),
      bookmark: (revision, initialEventsEnd) =>
        lineOf('BOOKMARK', {
          kind: descriptor.kind,
          apiVersion: apiVersionOf(descriptor),
          metadata: bookmarkMeta(revision, initialEventsEnd),
        }),
    };
  }
}

/** Lines of another form are made for each watcher. */
export function formedLines(
  descriptor: Descriptor,
  form: Form,
  look: { included: Included; now: () => number },
): LineMaker {
  if (form.as === 'metadata') {
    return {
      line: ({ type, stored }) => lineOf(type, metadataOf(stored.object, form.version)),
      bookmark: (revision, end) =>
        lineOf('BOOKMARK', {
          ...metadataOf({ metadata: {} } as KubeObject, form.version),
          metadata: bookmarkMeta(revision, end),
        }),
    };
  }
  let columns = true;
  const request = { descriptor, version: form.version, included: look.included };
  return {
    line({ type, stored }) {
      const table = tableOfObject(stored.object, { ...request, now: look.now() }, columns);
      columns = false;
      return lineOf(type, table);
    },
    bookmark: (revision, end) =>
      lineOf('BOOKMARK', {
        kind: 'Table',
        apiVersion: `meta.k8s.io/${form.version}`,
        metadata: { resourceVersion: String(revision) },
        columnDefinitions: [],
        rows: [
          {
            cells: [],
            object: {
              kind: 'PartialObjectMetadata',
              apiVersion: `meta.k8s.io/${form.version}`,
              metadata: bookmarkMeta(revision, end),
            },
          },
        ],
      }),
  };
}

const bookmarkMeta = (revision: number, initialEventsEnd: boolean): object => ({
  resourceVersion: String(revision),
  creationTimestamp: null,
  ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
});

const lineOf = (type: string, object: object): Buffer => Buffer.from(`${JSON.stringify({ type, object })}\n`);

export const errorLine = (status: Status): Buffer => lineOf('ERROR', status);
