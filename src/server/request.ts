import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { User } from '#api/transport.ts';

/**
 * A request as the stages see it: the path taken apart, the query as text, the body decoded. What is in it comes from
 * HTTP (`#server/http/handler.ts`) or from a call in the same process (`#server/in-process.ts`); no stage can tell which.
 */
export interface ServerRequest {
  readonly info: RequestInfo;
  readonly method: Method;
  readonly path: string;
  readonly query: Query;
  /** As it was sent, for parameters that stand several times (`command`). */
  readonly rawQuery: string;
  readonly user: User;
  /** As the client calls itself; undefined where it says nothing, and for parts of this process. */
  readonly agent?: string | undefined;
  readonly body: RequestBody;
  /** Of the body, without parameters. A patch says which kind it is here. */
  readonly contentType: string;
  /** As it was sent; for documents that come in several forms. */
  readonly accept: string;
  /** Shown to the person behind the client, as a `Warning` header. */
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/**
 * What was sent along. It is read as what the path asks for, and only once the sender is known to be allowed to send it. Each throws
 * a 400 or 415 for what cannot be read so.
 */
export interface RequestBody {
  object(wanted: WantedKind): KubeObject;
  /** A patch, of whichever kind. */
  document(): unknown;
  /** DeleteOptions; undefined when nothing was sent. */
  options(): unknown;
}

export interface WantedKind extends Pick<Resource, 'group' | 'version' | 'kind'> {
  /** Versions of the group in which the kind looks the same: what says it is of one of these is taken as well. */
  readonly alikeIn?: readonly string[];
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** The first value of each parameter, decoded. */
export type Query = Readonly<Record<string, string>>;

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export type RequestInfo =
  | {
      readonly kind: 'resource';
      readonly verb: Verb;
      readonly group: string;
      readonly version: string;
      readonly plural: string;
      readonly namespace: string | undefined;
      readonly name: string | undefined;
      readonly subresource: string | undefined;
      /** What stands behind the subresource, with its leading slash: only proxies take any. */
      readonly rest: string;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

export type ResourceInfo = Extract<RequestInfo, { kind: 'resource' }>;

/**
 * Takes a path apart as upstream's RequestInfo does. What is not under `/api/VERSION/…` or `/apis/GROUP/VERSION/…` with at
 * least a resource is a plain path.
 */
export function parseRequestInfo(method: Method, path: string, query: Query): RequestInfo {
  const segments = path.split('/').filter((segment) => segment !== '');
  const prefix = segments[0];
  const skip = prefix === 'api' ? 2 : prefix === 'apis' ? 3 : Infinity;
  let rest = segments.slice(skip);
  if (rest.length === 0) return { kind: 'path', verb: method.toLowerCase(), path };
  const group = prefix === 'api' ? '' : segments[1]!;
  const version = prefix === 'api' ? segments[1]! : segments[2]!;
  // The paths under /watch/ are older than the parameter; old clients still use them.
  const legacyWatch = rest[0] === 'watch' && rest.length > 1;
  if (legacyWatch) rest = rest.slice(1);
  const { namespace, parts } = splitNamespace(rest.map(decodeSegment));
  const [plural, name, subresource, ...tail] = parts;
  const base = {
    kind: 'resource' as const,
    group,
    version,
    plural: plural!,
    namespace,
    name,
    subresource,
    rest: tail.length === 0 ? '' : `/${tail.join('/')}`,
  };
  return { ...base, verb: legacyWatch ? 'watch' : verbOf(method, name !== undefined, query) };
}

/** Namespaces are resources themselves: `namespaces/x` is one, `namespaces/x/pods` lies within it. */
function splitNamespace(parts: readonly string[]): { namespace: string | undefined; parts: readonly string[] } {
  const own = parts[0] === 'namespaces' && parts.length > 1;
  if (!own) return { namespace: undefined, parts };
  if (parts.length === 2 || parts[2] === 'status' || parts[2] === 'finalize') return { namespace: parts[1], parts };
  return { namespace: parts[1], parts: parts.slice(2) };
}

function verbOf(method: Method, named: boolean, query: Query): Verb {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return named ? 'delete' : 'deletecollection';
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
      if (isTrue(query['watch'])) return 'watch';
      return named ? 'get' : 'list';
  }
}

/** As upstream reads a boolean parameter: given without a value it is true; `0` and `false` in any case are not. */
export const isTrue = (value: string | undefined): boolean =>
  value !== undefined && value !== '0' && value.toLowerCase() !== 'false';

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
