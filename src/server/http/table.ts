import type { KubeObject } from '#api/meta.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { listMeta } from '#server/in-process.ts';
import type { Listing } from '#server/registry/list.ts';
import type { Form } from '#server/http/negotiation.ts';

/** How much of each object a Table carries beside its cells. */
export type Included = 'None' | 'Metadata' | 'Object';

export const includedIn = (query: Readonly<Record<string, string>>): Included => {
  const asked = query['includeObject'];
  return asked === 'None' || asked === 'Object' ? asked : 'Metadata';
};

interface TableRequest {
  readonly descriptor: Descriptor;
  readonly version: Form['version'];
  readonly included: Included;
  readonly now: number;
}

/** `columns` false leaves the definitions out: the later events of a watch repeat the first one's. */
export function tableOf(
  objects: readonly KubeObject[],
  metadata: object,
  request: TableRequest,
  columns = true,
): object {
  const { descriptor, version, included, now } = request;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata,
    columnDefinitions: columns ? descriptor.columns.map(definition) : [],
    rows: objects.map((object) => ({
      cells: descriptor.columns.map(({ value }) => value(object, now)),
      ...(included === 'None' ? {} : { object: included === 'Object' ? object : metadataOf(object, version) }),
    })),
  };
}

export const tableOfList = ({ items, ...listing }: Listing, request: TableRequest): object =>
  tableOf(
    items.map(({ object }) => object),
    listMeta(listing),
    request,
  );

export const tableOfObject = (object: KubeObject, request: TableRequest, columns = true): object =>
  tableOf([object], { resourceVersion: object.metadata.resourceVersion }, request, columns);

export const metadataOf = (object: KubeObject, version: Form['version']): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
});

export const metadataOfList = ({ items, ...listing }: Listing, version: Form['version']): object => ({
  kind: 'PartialObjectMetadataList',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: listMeta(listing),
  items: items.map(({ object }) => metadataOf(object, version)),
});

const definition = ({ name, type, format = '', description, priority }: Descriptor['columns'][number]): object => ({
  name,
  type,
  format,
  description,
  priority,
});
