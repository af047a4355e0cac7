import { ApiError, badRequest } from '#api/errors.ts';
import { JsonTextError, parseJsonText } from '#api/json-text.ts';
import type { KubeObject } from '#api/meta.ts';
import { ProtobufError } from '#api/protobuf-wire.ts';
import { fieldValidationOf, objectFromBody, type Sent } from '#server/decode.ts';
import type { RequestBody } from '#server/request.ts';

/** Upstream's limit for a request. */
export const MOST_BODY_BYTES = 3 * 1024 * 1024;

interface SentBytes {
  readonly bytes: Buffer;
  /** Without parameters; '' when the client did not say. */
  readonly contentType: string;
  /** `fieldValidation` of the query. */
  readonly validation: string | undefined;
  readonly warn: (message: string) => void;
}

/** Loads the decoders this type needs, so that reading the body itself need not wait. */
export async function bytesBody(sent: SentBytes): Promise<RequestBody> {
  const parse = await parserFor(sent.contentType);
  const { bytes, validation, warn } = sent;
  return {
    object: (wanted) => {
      if (bytes.length === 0) throw badRequest('the body of the request is empty');
      return objectFromBody(parse(bytes), { ...wanted, validation: fieldValidationOf(validation), warn });
    },
    document: () => parse(bytes).value,
    options: () => (bytes.length === 0 ? undefined : parse(bytes).value),
  };
}

type Parser = (bytes: Buffer) => Sent;

async function parserFor(contentType: string): Promise<Parser> {
  switch (contentType) {
    case '':
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return parseJson;
    case 'application/yaml': {
      const { parseDocument } = await import('yaml');
      return (bytes) => parseYaml(bytes.toString('utf8'), parseDocument);
    }
    case 'application/vnd.kubernetes.protobuf': {
      const { decodeProtobuf } = await import('#api/protobuf.ts');
      return (bytes) => ({ value: protobufObject(bytes, decodeProtobuf), duplicates: [] });
    }
    default:
      // A body of a type that nobody here understands is only refused when somebody wants to read it.
      return () => {
        throw unsupported(contentType);
      };
  }
}

const unsupported = (contentType: string): ApiError =>
  contentType.startsWith('application/apply-patch')
    ? new ApiError('UnsupportedMediaType', 'server-side apply is not supported yet; use a client-side apply')
    : new ApiError(
        'UnsupportedMediaType',
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      );

function parseJson(bytes: Buffer): Sent {
  try {
    return parseJsonText(bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new ApiError('BadRequest', error.message, { cause: error });
  }
}

function parseYaml(text: string, parseDocument: typeof import('yaml').parseDocument): Sent {
  // A key that stands twice is told like any other field that is wrong, so it is no error of the syntax.
  const document = parseDocument(text, { uniqueKeys: false });
  const [first] = document.errors;
  if (first) throw new ApiError('BadRequest', `error converting YAML to JSON: ${first.message}`, { cause: first });
  return { value: document.toJS({ maxAliasCount: 100 }) as unknown, duplicates: [] };
}

function protobufObject(bytes: Buffer, decode: (bytes: Uint8Array) => object): KubeObject {
  try {
    return decode(bytes) as KubeObject;
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ApiError('BadRequest', error.message, { cause: error });
  }
}
