import { ApiError, badRequest } from '#api/errors.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Answer } from '#server/answer.ts';
import type { ApartResource } from '#server/apart.ts';
import { headOf } from '#server/cache/stored.ts';
import type { WatchCache } from '#server/cache/watch-cache.ts';
import { storagePrefix, type Descriptor } from '#server/descriptor.ts';
import { isDryRun, parseDeleteOptions } from '#server/registry/delete-options.ts';
import { parseListQuery, type ListQuery } from '#server/registry/list-options.ts';
import type { Lister, ListScope } from '#server/registry/list.ts';
import { applyPatch } from '#server/registry/patch.ts';
import {
  methodNotAllowed,
  scopeKey,
  type Registry,
  type Target,
  type UpdateRules,
  type WriteRequest,
} from '#server/registry/registry.ts';
import { served } from '#server/registry/view.ts';
import { Watch } from '#server/registry/watch.ts';
import type { ResourceInfo, ServerRequest, Verb } from '#server/request.ts';
import type { SubresourceHandler } from '#server/subresources/call.ts';
import type { ReviewKind } from '#server/subresources/reviews.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { Revision } from '#store/store.ts';

export interface DispatchParts {
  readonly cache: WatchCache;
  readonly registry: Registry;
  readonly lister: Lister;
  readonly descriptors: readonly Descriptor[];
  readonly reviews: readonly ReviewKind[];
  readonly apart: readonly ApartResource[];
  /** By `pods/binding`; status needs none. */
  readonly subresources: Readonly<Record<string, SubresourceHandler>>;
  /** By `pods/ephemeralcontainers`: parts of an object that are read and written as status is. */
  readonly parts: Readonly<Record<string, UpdateRules>>;
}

/** Deleting a collection goes this many objects at a time. */
const DELETE_WIDTH = 16;

/** From a request to a resource to what the registry does about it. */
export class Dispatch {
  readonly #parts: DispatchParts;
  readonly #descriptors: ReadonlyMap<string, Descriptor>;
  readonly #reviews: ReadonlyMap<string, ReviewKind>;
  readonly #apart: ReadonlyMap<string, ApartResource>;
  readonly #scopes = new Map<Descriptor, (stored: Parameters<ListScope['view']>[0]) => ReturnType<ListScope['view']>>();

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#descriptors = new Map(parts.descriptors.map((each) => [pathOf(each), each]));
    this.#reviews = new Map(parts.reviews.map((each) => [pathOf(each), each]));
    this.#apart = new Map(parts.apart.map((each) => [pathOf(each.descriptor), each]));
    for (const each of parts.descriptors) this.#scopes.set(each, (stored) => served(each, stored));
  }

  find(info: Pick<ResourceInfo, 'group' | 'version' | 'plural'>): Descriptor | undefined {
    return this.#descriptors.get(pathOf(info));
  }

  async handle(request: ServerRequest, info: ResourceInfo): Promise<Answer> {
    const review = this.#reviews.get(pathOf(info));
    if (review) return answerReview(review, request, info);
    const apart = this.#apart.get(pathOf(info));
    if (apart) return this.#handleApart(apart, request, info);
    const descriptor = this.find(info);
    if (!descriptor) throw noSuchPath();
    // A namespace is an object of its own kind, not one that lies in itself.
    const namespace = descriptor.namespaced ? info.namespace : undefined;
    if (!descriptor.namespaced && info.namespace !== undefined && info.plural !== 'namespaces') throw noSuchPath();
    const target: Target = { descriptor, namespace, name: info.name, subresource: info.subresource };
    if (info.subresource !== undefined) return this.#subresource(request, info, target);
    if (!descriptor.verbs.includes(info.verb)) throw methodNotAllowed(descriptor, info.verb);
    return this.#verb(info.verb, request, target);
  }

  #handleApart(apart: ApartResource, request: ServerRequest, info: ResourceInfo): Promise<Answer> {
    const { descriptor } = apart;
    const part = info.subresource === undefined ? descriptor : descriptor.subresources[info.subresource];
    if (part === undefined) throw noSuchPath();
    if (!part.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed(descriptor, info.verb);
    return apart.handle({ request, info, revision: this.#parts.cache.revision });
  }

  async #verb(verb: Verb, request: ServerRequest, target: Target): Promise<Answer> {
    const { registry } = this.#parts;
    const { descriptor } = target;
    switch (verb) {
      case 'get':
        await this.#waitForRequested(request);
        return { kind: 'stored', code: 200, descriptor, stored: registry.get(target) };
      case 'list':
        return this.#list(request, target);
      case 'watch':
        return this.#watch(request, target);
      case 'create':
        needNamespace(target, verb);
        if (target.name !== undefined) throw methodNotAllowed(descriptor, 'POST to a named object');
        return registry.create(target, request.body.object(descriptor), writeOf(request));
      case 'update':
        needNamespace(target, verb);
        return registry.update(target, request.body.object(descriptor), mainRules(descriptor), writeOf(request));
      case 'patch':
        needNamespace(target, verb);
        return this.#patch(request, target, mainRules(descriptor));
      case 'delete': {
        needNamespace(target, verb);
        const options = parseDeleteOptions(request.body.options(), request.query);
        return registry.delete(target, options, { ...writeOf(request), dryRun: options.dryRun });
      }
      case 'deletecollection':
        needNamespace(target, verb);
        return this.#deleteCollection(request, target);
    }
  }

  async #subresource(request: ServerRequest, info: ResourceInfo, target: Target): Promise<Answer> {
    const { descriptor } = target;
    const name = info.subresource!;
    const known = descriptor.subresources[name];
    if (!known || info.name === undefined) throw noSuchPath();
    if (!known.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed(descriptor, info.verb);
    const write = writeOf(request);
    const handler = this.#parts.subresources[`${descriptor.plural}/${name}`];
    if (handler) return handler({ request, target, write });
    const rules = name === 'status' ? statusRules(descriptor) : this.#parts.parts[`${descriptor.plural}/${name}`];
    if (!rules) throw noSuchPath();
    switch (info.verb) {
      case 'update':
        return this.#parts.registry.update(target, request.body.object(descriptor), rules, write);
      case 'patch':
        return this.#patch(request, target, rules);
      default:
        return { kind: 'stored', code: 200, descriptor, stored: this.#parts.registry.get(target) };
    }
  }

  #patch(request: ServerRequest, target: Target, rules: UpdateRules): Promise<Answer> {
    const { contentType, query } = request;
    const body = request.body.document();
    const validation = query['fieldValidation'];
    const change = (old: KubeObject): KubeObject =>
      applyPatch({ contentType, body, validation, warn: request.warn }, target.descriptor, old);
    return this.#parts.registry.change(target, change, rules, writeOf(request));
  }

  async #list(request: ServerRequest, target: Target): Promise<Answer> {
    const { descriptor } = target;
    const query = parseListQuery(descriptor, request.query, false);
    const listing = await this.#parts.lister.list(this.#scope(target), query, request.signal);
    return { kind: 'list', descriptor, listing };
  }

  async #watch(request: ServerRequest, target: Target): Promise<Answer> {
    const { descriptor, name } = target;
    // Watching one object by its path is a watch of the collection by that name.
    const named = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
    const query = parseListQuery(descriptor, { ...request.query, ...named }, true);
    const wanted = Number(query.resourceVersion || '0') as Revision;
    if (query.sendInitialEvents && wanted > this.#parts.cache.revision) {
      await this.#parts.lister.waitFor(wanted, request.signal);
    }
    return { kind: 'watch', watch: new Watch(descriptor, this.#scope(target), query, this.#parts.cache) };
  }

  async #deleteCollection(request: ServerRequest, target: Target): Promise<Answer> {
    const { descriptor } = target;
    const query: ListQuery = parseListQuery(descriptor, request.query, false);
    const options = parseDeleteOptions(request.body.options(), request.query);
    const listing = await this.#parts.lister.list(this.#scope(target), query, request.signal);
    const write = { ...writeOf(request), dryRun: options.dryRun };
    for (let first = 0; first < listing.items.length; first += DELETE_WIDTH) {
      const some = listing.items.slice(first, first + DELETE_WIDTH);
      await Promise.all(
        some.map(({ object: { metadata } }) => {
          const one = { ...target, name: metadata.name, namespace: metadata.namespace ?? target.namespace };
          return this.#parts.registry.delete(one, options, write).catch(ignoreGone);
        }),
      );
    }
    return { kind: 'list', descriptor, listing };
  }

  #scope(target: Target): ListScope {
    const { descriptor } = target;
    const { storedAs } = descriptor;
    const keptAs = storedAs
      ? this.#parts.descriptors.find((d) => d.group === storedAs.group && d.plural === storedAs.plural)!
      : descriptor;
    return {
      prefix: storagePrefix(descriptor),
      under: scopeKey(target),
      head: headOf(keptAs.kind, apiVersionOf(keptAs)),
      view: this.#scopes.get(descriptor)!,
    };
  }

  /** A get at a revision means: not older than that. */
  async #waitForRequested(request: ServerRequest): Promise<void> {
    const asked = request.query['resourceVersion'];
    if (asked === undefined || asked === '' || asked === '0') return;
    if (!/^[0-9]{1,16}$/.test(asked)) throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(asked)}`);
    if (Number(asked) > this.#parts.cache.revision) {
      await this.#parts.lister.waitFor(Number(asked) as Revision, request.signal);
    }
  }
}

const pathOf = ({ group, version, plural }: Pick<ResourceInfo, 'group' | 'version' | 'plural'>): string =>
  `${group}/${version}/${plural}`;

const mainRules = ({ strategy }: Descriptor): UpdateRules => ({
  prepare: strategy.prepareForUpdate,
  validate: strategy.validateUpdate,
});

const statusRules = ({ strategy }: Descriptor): UpdateRules => ({
  prepare: strategy.prepareForStatusUpdate,
  validate: strategy.validateStatusUpdate,
});

const writeOf = (request: ServerRequest): WriteRequest => ({
  user: request.user,
  agent: request.agent,
  dryRun: isDryRun(request.query),
  warn: request.warn,
});

function needNamespace({ descriptor, namespace }: Target, verb: string): void {
  if (descriptor.namespaced && namespace === undefined)
    throw methodNotAllowed(descriptor, `${verb} across all namespaces`);
}

async function answerReview(review: ReviewKind, request: ServerRequest, info: ResourceInfo): Promise<Answer> {
  if (info.verb !== 'create' || info.name !== undefined) {
    throw new ApiError('MethodNotAllowed', `${info.verb} is not supported on resources of kind "${review.plural}"`);
  }
  const body = request.body.object(review) as unknown as { spec?: Readonly<Record<string, unknown>> };
  const { kind } = review;
  const answer = await review.answer(body, request.user);
  return { kind: 'value', code: 201, value: { kind, apiVersion: apiVersionOf(review), metadata: {}, ...answer } };
}

function ignoreGone(error: unknown): void {
  if (error instanceof ApiError && (error.reason === 'NotFound' || error.reason === 'Conflict')) return;
  throw error;
}

/** The 404 for what is no resource at all: kubectl tells it from that for a missing object. */
const noSuchPath = (): ApiError =>
  new ApiError('NotFound', 'the server could not find the requested resource', { details: {} });
