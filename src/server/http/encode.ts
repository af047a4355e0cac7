import type { KubeObject } from '#api/meta.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { mediaTypes, type Form } from '#server/http/negotiation.ts';
import { metadataOf, metadataOfList, tableOfList, tableOfObject, type Included } from '#server/http/table.ts';
import { listMeta } from '#server/in-process.ts';
import type { Listing } from '#server/registry/list.ts';
import type { Stored } from '#server/cache/stored.ts';

export interface Encoded {
  readonly contentType: string;
  readonly body: Buffer;
}

/** What an answer is encoded for. */
export interface Encoding {
  readonly form: Form;
  readonly included: Included;
  readonly now: number;
}

/** Plain JSON, the usual case, is the very text of the store; every other form is made for this answer. */
export async function encodeStored(descriptor: Descriptor, stored: Stored, encoding: Encoding): Promise<Encoded> {
  const { form } = encoding;
  if (form.as === 'object' && form.encoding === 'json') return { contentType: mediaTypes.json, body: stored.bytes };
  return encodeObject(descriptor, stored.object, encoding);
}

export function encodeObject(descriptor: Descriptor, object: KubeObject, encoding: Encoding): Promise<Encoded> {
  const { form, included, now } = encoding;
  switch (form.as) {
    case 'object':
      return encodeValue(object, form);
    case 'table':
      return encodeValue(tableOfObject(object, { descriptor, version: form.version, included, now }), form);
    case 'metadata':
      return encodeValue(metadataOf(object, form.version), form);
  }
}

export async function encodeList(descriptor: Descriptor, listing: Listing, encoding: Encoding): Promise<Encoded> {
  const { form, included, now } = encoding;
  switch (form.as) {
    case 'object':
      if (form.encoding === 'json') return { contentType: mediaTypes.json, body: listText(descriptor, listing) };
      return encodeValue(listObject(descriptor, listing), form);
    case 'table':
      return encodeValue(tableOfList(listing, { descriptor, version: form.version, included, now }), form);
    case 'metadata':
      return encodeValue(metadataOfList(listing, form.version), form);
  }
}

/** Anything as it is: a Status, a review. */
export async function encodeValue(value: object, form: Form): Promise<Encoded> {
  const contentType = mediaTypes[form.encoding];
  switch (form.encoding) {
    case 'json':
      return { contentType, body: Buffer.from(JSON.stringify(value)) };
    case 'yaml': {
      const { stringify } = await import('yaml');
      return { contentType, body: Buffer.from(stringify(value, { aliasDuplicateObjects: false })) };
    }
    case 'protobuf': {
      const { encodeProtobuf } = await import('#api/protobuf.ts');
      return { contentType, body: Buffer.from(encodeProtobuf(value as KubeObject)) };
    }
  }
}

/** The texts of the objects, one after the other. */
function listText(descriptor: Descriptor, { items, ...listing }: Listing): Buffer {
  const { listKind } = descriptor;
  const head = JSON.stringify({ kind: listKind, apiVersion: apiVersionOf(descriptor), metadata: listMeta(listing) });
  const opening = Buffer.from(`${head.slice(0, -1)},"items":[`);
  const texts = items.map(({ bytes }) => bytes);
  const commas = Math.max(0, texts.length - 1);
  const length = opening.length + texts.reduce((sum, text) => sum + text.length, 0) + commas + 2;
  const out = Buffer.allocUnsafe(length);
  let at = opening.copy(out);
  for (const [index, text] of texts.entries()) {
    if (index > 0) out[at++] = COMMA;
    at += text.copy(out, at);
  }
  out.write(']}', at, 'latin1');
  return out;
}

const COMMA = 0x2c;

const listObject = (descriptor: Descriptor, { items, ...listing }: Listing): object => ({
  kind: descriptor.listKind,
  apiVersion: apiVersionOf(descriptor),
  metadata: listMeta(listing),
  items: items.map(({ object }) => object),
});
