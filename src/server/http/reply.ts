import { statusOfError, type ApiError } from '#api/errors.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { Clock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';
import type { Exchange, ResponseHeaders } from '#wire/exchange.ts';
import type { Answer, Document } from '#server/answer.ts';
import {
  encodeList,
  encodeObject,
  encodeStored,
  encodeValue,
  type Encoded,
  type Encoding,
} from '#server/http/encode.ts';
import { negotiate, plainJson, type Form } from '#server/http/negotiation.ts';
import { includedIn } from '#server/http/table.ts';
import type { WatchCarrier } from '#server/http/watch-carrier.ts';
import { formedLines } from '#server/http/watch-lines.ts';
import type { NodeProxy } from '#server/nodes/node-proxy.ts';
import type { ServerRequest } from '#server/request.ts';

export interface Reply {
  readonly request: ServerRequest;
  readonly answer: Answer;
  readonly warnings: readonly string[];
}

/** What answers are made with. */
export interface ReplyParts {
  readonly carrier: WatchCarrier;
  readonly nodes: NodeProxy;
  readonly clock: Clock;
}

/** Writes what came of a request in the form its client asked for. */
export async function reply(
  exchange: Exchange,
  { request, answer, warnings }: Reply,
  parts: ReplyParts,
): Promise<void> {
  const { accept, query } = request;
  const send = async (code: number, encode: (encoding: Encoding) => Promise<Encoded>): Promise<void> => {
    const form = await formFor(accept, answer);
    const { contentType, body } = await encode({ form, included: includedIn(query), now: parts.clock.now() });
    exchange.respond(code, headers(contentType, warnings), pretty(request, form) ? indented(body) : body);
  };
  switch (answer.kind) {
    case 'stored':
      return send(answer.code, (encoding) => encodeStored(answer.descriptor, answer.stored, encoding));
    case 'object':
      return send(answer.code, (encoding) => encodeObject(answer.descriptor, answer.object, encoding));
    case 'list':
      return send(200, (encoding) => encodeList(answer.descriptor, answer.listing, encoding));
    case 'value':
      return send(answer.code, ({ form }) => encodeValue(answer.value, form));
    case 'text':
      exchange.respond(answer.code, { 'content-type': 'text/plain; charset=utf-8' }, answer.text);
      return;
    case 'document':
      replyDocument(exchange, answer.document);
      return;
    case 'node':
      return parts.nodes.stream(exchange, answer.call);
    case 'watch':
      replyWatch(exchange, { request, answer, warnings }, parts);
      return;
    default:
      return unreachable(answer);
  }
}

/** The first form that is wanted and can be given: not every kind has a protobuf message. */
async function formFor(accept: string, answer: Answer): Promise<Form> {
  const form = negotiate(accept);
  if (form.encoding !== 'protobuf') return form;
  const { hasProtobuf } = await import('#api/protobuf.ts');
  return negotiate(accept, (each) => {
    if (each.encoding !== 'protobuf') return true;
    const { apiVersion, kind } = kindOf(answer, each);
    return hasProtobuf(apiVersion, kind);
  });
}

function kindOf(answer: Answer, form: Form): { readonly apiVersion: string; readonly kind: string } {
  if (answer.kind === 'value') return answer.value as { apiVersion: string; kind: string };
  if (answer.kind !== 'stored' && answer.kind !== 'object' && answer.kind !== 'list')
    return { apiVersion: '', kind: '' };
  const list = answer.kind === 'list';
  if (form.as === 'metadata') {
    return { apiVersion: `meta.k8s.io/${form.version}`, kind: `PartialObjectMetadata${list ? 'List' : ''}` };
  }
  const { descriptor } = answer;
  return { apiVersion: apiVersionOf(descriptor), kind: list ? descriptor.listKind : descriptor.kind };
}

function replyWatch(exchange: Exchange, { request, answer, warnings }: Reply, parts: ReplyParts): void {
  if (answer.kind !== 'watch') return;
  const { watch } = answer;
  const form = negotiate(request.accept, ({ encoding }) => encoding === 'json');
  const look = { included: includedIn(request.query), now: () => parts.clock.now() };
  const lines = form.as === 'object' ? undefined : formedLines(watch.descriptor, form, look);
  const open = (): ReturnType<Exchange['stream']> => exchange.stream(200, headers('application/json', warnings));
  parts.carrier.carry(watch, open, lines, exchange.signal);
}

const pretty = ({ query }: ServerRequest, { encoding }: Form): boolean =>
  encoding === 'json' && query['pretty'] !== undefined && query['pretty'] !== 'false' && query['pretty'] !== '0';

const indented = (body: Buffer): Buffer =>
  Buffer.from(`${JSON.stringify(JSON.parse(body.toString('utf8')), undefined, 2)}\n`);

function replyDocument(exchange: Exchange, { contentType, body, etag, immutable }: Document): void {
  const about = {
    'content-type': contentType,
    etag,
    vary: 'Accept',
    'cache-control': immutable ? 'public, immutable' : 'no-cache, private',
  };
  if (headerText(exchange.headers['if-none-match']) === etag) exchange.respond(304, about);
  else exchange.respond(200, about, body);
}

/** RFC 7234 warnings, as kubectl shows them to people. */
function headers(contentType: string, warnings: readonly string[]): ResponseHeaders {
  if (warnings.length === 0) return { 'content-type': contentType, 'cache-control': 'no-cache, private' };
  const warning = warnings.map((message) => `299 - "${printable(message)}"`);
  return { 'content-type': contentType, 'cache-control': 'no-cache, private', warning };
}

const printable = (message: string): string => message.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, ' ');

/** Writes a failure: a Status. */
export async function refuse(exchange: Exchange, error: ApiError, warnings: readonly string[]): Promise<void> {
  const accept = headerText(exchange.headers['accept']);
  const { contentType, body } = await encodeValue(statusOfError(error), errorForm(accept));
  const retry = error.details?.retryAfterSeconds;
  const more = retry === undefined ? {} : { 'retry-after': String(retry) };
  exchange.respond(error.code, { ...headers(contentType, warnings), ...more }, body);
}

/** A Status is never a Table, and who accepts nothing we have gets JSON. */
function errorForm(accept: string | undefined): Form {
  try {
    return { ...negotiate(accept), as: 'object' };
  } catch {
    return plainJson;
  }
}

export const headerText = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(', ');
