/**
 * An OpenAPI version 2 document as gnostic's protobuf (openapi.v2.Document): the only form kubectl before 1.27 takes.
 * Only what `openapiV2` writes is known here; a keyword that is not throws, rather than being lost on the way.
 */
import { ReverseWriter } from '#api/protobuf-wire.ts';
import type { Json } from '#api/openapi/schemas.ts';

/** Content type of the answer; clients ask for it with `@` in place of the second dot. */
export const gnosticMediaType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Field numbers below are those of gnostic's messages; the writer takes the last field first. */
export function gnosticV2(document: Json): Uint8Array {
  const writer = new ReverseWriter();
  expectOnly(document, ['swagger', 'info', 'paths', 'definitions']);
  message(writer, 9, () => named(writer, 1, object(document['definitions']), (schema) => writeSchema(writer, schema)));
  message(writer, 8, () => named(writer, 2, object(document['paths']), (item) => writePathItem(writer, item)));
  message(writer, 2, () => {
    const info = object(document['info']);
    text(writer, 2, info['version']);
    text(writer, 1, info['title']);
  });
  text(writer, 1, document['swagger']);
  return writer.finish();
}

function writePathItem(writer: ReverseWriter, item: Json): void {
  expectOnly(item, ['get', 'put', 'post', 'delete', 'patch', 'parameters']);
  each(item['parameters'], (parameter) => message(writer, 9, () => writeParameter(writer, object(parameter))));
  const methods = [
    ['patch', 8],
    ['delete', 5],
    ['post', 4],
    ['put', 3],
    ['get', 2],
  ] as const;
  for (const [method, field] of methods) {
    if (item[method] !== undefined) message(writer, field, () => writeOperation(writer, object(item[method])));
  }
}

function writeOperation(writer: ReverseWriter, operation: Json): void {
  expectOnly(operation, ['tags', 'operationId', 'produces', 'consumes', 'parameters', 'responses']);
  extensions(writer, 13, operation);
  message(writer, 9, () =>
    named(writer, 1, object(operation['responses']), (response) =>
      message(writer, 1, () => writeResponse(writer, response)),
    ),
  );
  each(operation['parameters'], (parameter) => message(writer, 8, () => writeParameter(writer, object(parameter))));
  texts(writer, 7, operation['consumes']);
  texts(writer, 6, operation['produces']);
  text(writer, 5, operation['operationId']);
  texts(writer, 1, operation['tags']);
}

function writeResponse(writer: ReverseWriter, response: Json): void {
  expectOnly(response, ['description', 'schema']);
  message(writer, 2, () => message(writer, 1, () => writeSchema(writer, object(response['schema']))));
  text(writer, 1, response['description']);
}

/** A ParametersItem: body, query and path parameters are three messages, two levels down. */
function writeParameter(writer: ReverseWriter, parameter: Json): void {
  message(writer, 1, () => {
    if (parameter['in'] === 'body') {
      expectOnly(parameter, ['name', 'in', 'required', 'schema']);
      message(writer, 1, () => {
        message(writer, 5, () => writeSchema(writer, object(parameter['schema'])));
        if (parameter['required'] === true) writer.boolField(4, true);
        text(writer, 3, parameter['in']);
        text(writer, 2, parameter['name']);
      });
    } else message(writer, 2, () => writeNonBody(writer, parameter));
  });
}

function writeNonBody(writer: ReverseWriter, parameter: Json): void {
  expectOnly(parameter, ['name', 'in', 'required', 'type', 'uniqueItems']);
  const query = parameter['in'] === 'query';
  message(writer, query ? 3 : 4, () => {
    if (parameter['uniqueItems'] === true) writer.boolField(query ? 20 : 19, true);
    text(writer, query ? 6 : 5, parameter['type']);
    text(writer, 4, parameter['name']);
    text(writer, 2, parameter['in']);
    if (parameter['required'] === true) writer.boolField(1, true);
  });
}

const schemaKeywords = [
  '$ref',
  'format',
  'description',
  'default',
  'required',
  'enum',
  'additionalProperties',
  'type',
  'items',
  'properties',
];

function writeSchema(writer: ReverseWriter, schema: Json): void {
  expectOnly(schema, schemaKeywords);
  extensions(writer, 31, schema);
  if (schema['properties'] !== undefined) {
    message(writer, 25, () => named(writer, 1, object(schema['properties']), (one) => writeSchema(writer, one)));
  }
  if (schema['items'] !== undefined)
    message(writer, 23, () => message(writer, 1, () => writeSchema(writer, object(schema['items']))));
  if (schema['type'] !== undefined) message(writer, 22, () => text(writer, 1, schema['type']));
  const additional = schema['additionalProperties'];
  if (typeof additional === 'boolean') message(writer, 21, () => writer.boolField(2, additional));
  else if (additional !== undefined)
    message(writer, 21, () => message(writer, 1, () => writeSchema(writer, object(additional))));
  each(schema['enum'], (value) => message(writer, 20, () => writeAny(writer, value)));
  texts(writer, 19, schema['required']);
  if (schema['default'] !== undefined) message(writer, 5, () => writeAny(writer, schema['default']));
  text(writer, 4, schema['description']);
  text(writer, 2, schema['format']);
  text(writer, 1, schema['$ref']);
}

/** Any value is carried as YAML, which JSON is. */
const writeAny = (writer: ReverseWriter, value: unknown): void => writer.stringField(2, `${JSON.stringify(value)}\n`);

function extensions(writer: ReverseWriter, field: number, owner: Json): void {
  for (const key of Object.keys(owner).toReversed()) {
    if (!key.startsWith('x-')) continue;
    message(writer, field, () => {
      message(writer, 2, () => writeAny(writer, owner[key]));
      writer.stringField(1, key);
    });
  }
}

/** A map as gnostic writes it: a list of messages of a name and a value. */
function named(writer: ReverseWriter, field: number, map: Json, write: (value: Json) => void): void {
  for (const key of Object.keys(map).toReversed()) {
    message(writer, field, () => {
      message(writer, 2, () => write(object(map[key])));
      writer.stringField(1, key);
    });
  }
}

function message(writer: ReverseWriter, field: number, write: () => void): void {
  const mark = writer.length;
  write();
  writer.closeMessage(field, mark);
}

function text(writer: ReverseWriter, field: number, value: unknown): void {
  if (typeof value === 'string') writer.stringField(field, value);
  else if (value !== undefined) throw new Error(`openapi: ${JSON.stringify(value)} is not a string`);
}

const texts = (writer: ReverseWriter, field: number, values: unknown): void =>
  each(values, (value) => text(writer, field, value));

/** The last first. */
function each(values: unknown, write: (value: unknown) => void): void {
  if (Array.isArray(values)) for (const value of values.toReversed()) write(value);
}

function object(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`openapi: ${JSON.stringify(value)} is not an object`);
  return value as Json;
}

function expectOnly(owner: Json, keywords: readonly string[]): void {
  const unknown = Object.keys(owner).find((key) => !key.startsWith('x-') && !keywords.includes(key));
  if (unknown !== undefined) throw new Error(`openapi: gnosticV2 does not know ${JSON.stringify(unknown)}`);
}
