import { ApiError, badRequest } from '#api/errors.ts';
import type { User } from '#api/transport.ts';
import type { Clock } from '#lib/clock.ts';
import { BodyTooLargeError, ClientGoneError, type Exchange, type Handler } from '#wire/exchange.ts';
import { authenticate, authenticated, type TokenAuthenticator } from '#server/authentication.ts';
import { authorize, forbiddenTo, isAllowed } from '#server/authorization.ts';
import { bytesBody, MOST_BODY_BYTES } from '#server/http/body.ts';
import { headerText, refuse, reply } from '#server/http/reply.ts';
import { WatchCarrier } from '#server/http/watch-carrier.ts';
import type { Stages } from '#server/in-process.ts';
import type { NodeProxy } from '#server/nodes/node-proxy.ts';
import { parseRequestInfo, type Method, type Query, type ServerRequest } from '#server/request.ts';

export interface HttpParts {
  readonly stages: Stages;
  readonly tokens: TokenAuthenticator;
  readonly nodes: NodeProxy;
  readonly clock: Clock;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
}

/** The carrier over HTTP: reads what was sent, lets the stages judge and do it, and writes what comes of it in the form asked for. */
export function httpHandler(parts: HttpParts): Handler {
  const carrier = new WatchCarrier(parts.stages.watches, parts.clock, parts.signal);
  return async (exchange) => {
    const warnings: string[] = [];
    try {
      const request = await requestOf(exchange, parts.tokens, warnings);
      const answer = await parts.stages.handle(request);
      await reply(exchange, { request, answer, warnings }, { ...parts, carrier });
    } catch (error) {
      if (error instanceof ClientGoneError || exchange.responded) throw error;
      await refuse(exchange, asApiError(error), warnings);
      if (!(error instanceof ApiError) && !(error instanceof BodyTooLargeError)) throw error;
    }
  };
}

/** The first two stages come before the body is read: who may not ask need not be listened to. */
export async function requestOf(
  exchange: Exchange,
  tokens: TokenAuthenticator,
  warnings: string[],
): Promise<ServerRequest> {
  const { path, query, rawQuery } = splitTarget(exchange.url);
  const method = exchange.method as Method;
  const info = parseRequestInfo(method, path, query);
  const user = impersonated(await userOf(exchange, tokens), exchange);
  authorize(user, info);
  const contentType = mediaType(headerText(exchange.headers['content-type']));
  const warn = (message: string): void => void (warnings.includes(message) || warnings.push(message));
  const bytes =
    method === 'GET' || method === 'HEAD' ? noBytes : Buffer.from(await exchange.body(MOST_BODY_BYTES, never));
  const body = await bytesBody({ bytes, contentType, validation: query['fieldValidation'], warn });
  return {
    info,
    method,
    path,
    query,
    rawQuery,
    user,
    agent: headerText(exchange.headers['user-agent']),
    body,
    contentType,
    accept: headerText(exchange.headers['accept']) ?? '',
    warn,
    // Made only when somebody waits: most requests never do.
    get signal() {
      return exchange.signal;
    },
  };
}

const noBytes = Buffer.alloc(0);
const never = new AbortController().signal;

function userOf(exchange: Exchange, tokens: TokenAuthenticator): Promise<User> {
  const { certificate, certificateError } = exchange.peer;
  const authorization = headerText(exchange.headers['authorization']);
  if (certificateError !== undefined && authorization === undefined) throw new ApiError('Unauthorized', 'Unauthorized');
  return authenticate({ certificate, authorization }, tokens);
}

/** `kubectl --as`: who may act for others is the next stage's to say; all further stages see the other. */
function impersonated(user: User, exchange: Exchange): User {
  const name = headerText(exchange.headers['impersonate-user']);
  const groups = headerText(exchange.headers['impersonate-group']);
  if (name === undefined && groups === undefined) return user;
  if (name === undefined) throw badRequest('requested [{Group}] without impersonating a user');
  const attributes = {
    kind: 'resource',
    verb: 'impersonate',
    group: '',
    plural: 'users',
    subresource: undefined,
    namespace: undefined,
    name,
  } as const;
  if (!isAllowed(user, attributes)) throw forbiddenTo(user, attributes);
  const asked = (groups ?? '').split(',').map((each) => each.trim());
  return authenticated({ name, groups: asked.filter((each) => each !== '') });
}

const mediaType = (header: string | undefined): string => (header ?? '').split(';', 1)[0]!.trim().toLowerCase();

function splitTarget(target: string): { path: string; query: Query; rawQuery: string } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: {}, rawQuery: '' };
  const query: Record<string, string> = {};
  const rawQuery = target.slice(mark + 1);
  for (const [name, value] of new URLSearchParams(rawQuery)) query[name] ??= value;
  return { path: target.slice(0, mark), query, rawQuery };
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof BodyTooLargeError) {
    return new ApiError('RequestEntityTooLarge', `Request entity too large: ${error.message}`, { cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new ApiError('InternalError', `Internal error occurred: ${why}`, {
    cause: error,
    details: { causes: [{ reason: '', message: why }] },
  });
}
