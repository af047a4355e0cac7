import { ApiError } from '#api/errors.ts';
import type { Transport, User } from '#api/transport.ts';
import type { Clock } from '#lib/clock.ts';
import { Scope } from '#lib/scope.ts';
import { StoreClosedError, StoreFailedError, StoreFullError, type Store } from '#store/store.ts';
import { Admission, type AdmissionPlugin, type Lookup } from '#server/admission.ts';
import { namespaceLifecycle } from '#server/admission/namespace-lifecycle.ts';
import { nodeRestriction } from '#server/admission/node-restriction.ts';
import { taintNodesByCondition } from '#server/admission/node-taint.ts';
import { defaultTolerationSeconds } from '#server/admission/pod-defaults.ts';
import { runtimeClass } from '#server/admission/runtime-class.ts';
import { defaultStorageClass, storageInUseProtection } from '#server/admission/storage.ts';
import { serviceAccount } from '#server/admission/service-account.ts';
import { addressRange, serviceAddresses, type AddressRange } from '#server/admission/service-addresses.ts';
import { EVENT_TTL_MS, EventExpiry } from '#server/event-expiry.ts';
import { priority } from '#server/admission/priority.ts';
import type { Answer } from '#server/answer.ts';
import { authorize } from '#server/authorization.ts';
import { bootstrap } from '#server/bootstrap.ts';
import { headOf } from '#server/cache/stored.ts';
import { WatchCache } from '#server/cache/watch-cache.ts';
import { storagePrefix, type Descriptor } from '#server/descriptor.ts';
import { Dispatch } from '#server/dispatch.ts';
import { inProcessTransport, type Stages } from '#server/in-process.ts';
import type { NodeConnection } from '#server/nodes/node-connection.ts';
import { Lister } from '#server/registry/list.ts';
import { Registry } from '#server/registry/registry.ts';
import { Watches } from '#server/registry/watch.ts';
import { Writer } from '#server/registry/writer.ts';
import type { Handler, UpgradeHandler } from '#wire/exchange.ts';
import { Discovery } from '#server/discovery/discovery.ts';
import { OpenApi } from '#server/discovery/openapi.ts';
import { Paths } from '#server/discovery/paths.ts';
import { httpHandler, type HttpParts } from '#server/http/handler.ts';
import { httpUpgradeHandler } from '#server/http/upgrade.ts';
import { NodeProxy } from '#server/nodes/node-proxy.ts';
import { requestToken, tokenGuard } from '#server/subresources/token.ts';
import type { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import { PodTimelines } from '#server/timelines/pod-timelines.ts';
import { timelineResource } from '#server/timelines/timeline-resource.ts';
import type { Journal } from '#store/journal/journal.ts';
import { MemoryJournal } from '#store/journal/memory-journal.ts';
import { podAttach, podExec, podLog, podPortForward } from '#server/subresources/pod-node.ts';
import { finalizeRules } from '#server/resources/namespaces.ts';
import { ephemeralContainerRules } from '#server/resources/pods.ts';
import { builtIns } from '#server/resources/resources.ts';
import type { ServerRequest } from '#server/request.ts';
import { bindPod } from '#server/subresources/binding.ts';
import { evictPod } from '#server/subresources/eviction.ts';
import { reviewKinds } from '#server/subresources/reviews.ts';
import { apiVersionOf } from '#api/resource.ts';

/**
 * The API server.
 *
 * A request passes named stages: *authentication* says who asks, *authorization* whether they may, *admission* what else must hold,
 * the *registry* does it. All of them work on objects; bytes belong to the carriers: `http/` decodes, negotiates and encodes, and
 * `in-process.ts` hands over the very objects. So a component sees the same server whichever way it comes.
 *
 * Reads and watches are answered from the watch cache, which follows the store in one ordered stream. A write is answered when it
 * is in the store and the cache has passed it: whoever has the answer sees the write in every later read. An object's text is made
 * once, when it is committed; the store keeps it without the revision, which is spliced in at an offset known for the kind, and
 * these bytes serve every get, list and watcher. Writes are 'synced' (on disk before they are answered) but for events, leases and the status of nodes,
 * which their owners repeat.
 */
export interface ApiServerOptions {
  readonly store: Store;
  /** Where the timelines of pods are kept. It belongs to who made it. Default: in memory. */
  readonly journal?: Journal;
  readonly clock: Clock;
  /** Tokens of service accounts. */
  readonly tokens: ServiceAccountTokens;
  readonly nodes: NodeConnection;
  /** For generated names and the spread of time-outs; default Math.random. */
  readonly random?: () => number;
  /** The addresses of services: default 10.96.0.0/16. Its first is that of the `kubernetes` Service, where pods find the API. */
  readonly serviceRange?: string;
  /** The port this server is reached at: default 6443. */
  readonly port?: number;
  /** Admission plugins to do without, by upstream's names: `ServiceAccount` where nobody makes service accounts. */
  readonly disabledAdmission?: readonly string[];
  /** How long events are kept: default an hour. */
  readonly eventTtlMs?: number;
  /** What goes wrong behind the requests. */
  readonly onTrouble?: (error: unknown) => void;
}

export class ApiServer implements AsyncDisposable, Stages {
  readonly #scope = new Scope();
  readonly #options: ApiServerOptions;
  readonly #cache: WatchCache;
  readonly #registry: Registry;
  readonly #dispatch: Dispatch;
  readonly #paths: Paths;
  readonly #writer: Writer;
  readonly #range: AddressRange;
  readonly #timelines: PodTimelines;
  #handler: Handler | undefined;
  readonly watches: Watches;

  constructor(options: ApiServerOptions) {
    const { store, clock, random = Math.random, tokens, journal = new MemoryJournal({ clock }) } = options;
    this.#options = options;
    this.#cache = new WatchCache(store, clock, builtIns.filter((each) => !each.storedAs).map(cachedKind));
    this.#range = addressRange(options.serviceRange ?? '10.96.0.0/16');
    const lookup = lookupIn(this.#cache);
    this.#timelines = new PodTimelines({ journal, lookup, clock });
    const timelines = this.#timelines;
    const apart = [timelineResource(timelines)];
    const described = [...builtIns, ...apart.map(({ descriptor }) => descriptor)];
    const disabled = options.disabledAdmission ?? [];
    const admission = new Admission(
      pluginsOf({ lookup, clock, random, range: this.#range }).filter(({ name }) => !disabled.includes(name)),
    );
    this.#writer = new Writer(store, this.#cache);
    const writer = this.#writer;
    this.#registry = new Registry({
      cache: this.#cache,
      writer,
      admission,
      clock,
      random,
      written: (written) => timelines.note(written),
    });
    this.watches = new Watches(clock, this.#cache, random);
    const reviews = reviewKinds(tokens);
    tokens.guardedBy(tokenGuard(lookup));
    this.#paths = new Paths(new Discovery(described, reviews), new OpenApi(described, reviews), [
      { name: 'ping', problem: () => undefined },
      { name: 'watch-cache', problem: () => this.#cache.trouble },
    ]);
    this.#dispatch = new Dispatch({
      cache: this.#cache,
      registry: this.#registry,
      lister: new Lister(store, this.#cache, clock),
      descriptors: builtIns,
      reviews,
      apart,
      subresources: {
        'pods/binding': bindPod(this.#registry, clock),
        'pods/eviction': evictPod({ registry: this.#registry, lookup, clock }),
        'pods/log': podLog({ registry: this.#registry, lookup }),
        'pods/exec': podExec({ registry: this.#registry, lookup }),
        'pods/attach': podAttach({ registry: this.#registry, lookup }),
        'pods/portforward': podPortForward({ registry: this.#registry, lookup }),
        'serviceaccounts/token': requestToken({ registry: this.#registry, lookup, tokens }),
        'namespaces/finalize': ({ request, target, write }) =>
          this.#registry.update(target, request.body.object(target.descriptor), finalizeRules, write),
      },
      parts: { 'pods/ephemeralcontainers': ephemeralContainerRules },
    });
  }

  /** Reads the store, makes what every cluster has, and answers from then on. Call it once. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#cache.load(signal);
    this.#scope.spawn('watch cache', (stop) => this.#cache.follow(stop, this.#options.onTrouble ?? (() => {})));
    this.#scope.spawn('watches', (stop) => this.watches.run(stop));
    this.#scope.spawn('event expiry', (stop) => this.#eventExpiry().run(stop));
    const onTrouble = this.#options.onTrouble ?? (() => {});
    this.#scope.spawn('pod timelines', (stop) => this.#timelines.run(stop, onTrouble));
    const kubernetesService = { clusterIP: this.#range.addressAt(1), targetPort: this.#options.port ?? 6443 };
    const find = (plural: string): Descriptor => builtIns.find((each) => each.plural === plural && !each.storedAs)!;
    await bootstrap({ registry: this.#registry, find, kubernetesService });
  }

  /** All stages but authentication, which belongs to the carrier: it says who `request.user` is. */
  async handle(request: ServerRequest): Promise<Answer> {
    try {
      return await this.#judged(request);
    } catch (error) {
      if (error instanceof ApiError || (request.signal.aborted && error === request.signal.reason)) throw error;
      this.#options.onTrouble?.(error);
      throw failure(error);
    }
  }

  async #judged(request: ServerRequest): Promise<Answer> {
    authorize(request.user, request.info);
    if (request.info.kind === 'resource') return await this.#dispatch.handle(request, request.info);
    const { path, method } = request;
    if (method !== 'GET' && method !== 'HEAD')
      throw new ApiError('MethodNotAllowed', `${method} is not supported on ${path}`);
    return (await this.#paths.answer(request)) ?? { kind: 'text', code: 404, text: '404 page not found\n' };
  }

  /** For the HTTPS server (`#wire/http-server.ts`). */
  get handler(): Handler {
    return (this.#handler ??= httpHandler(this.#httpParts()));
  }

  /** For connections that become something else: exec. */
  get upgradeHandler(): UpgradeHandler {
    return httpUpgradeHandler(this.#httpParts());
  }

  #eventExpiry(): EventExpiry {
    const { clock, eventTtlMs = EVENT_TTL_MS } = this.#options;
    return new EventExpiry(this.#cache.of('events/'), this.#writer, { clock, ttlMs: eventTtlMs });
  }

  #httpParts(): HttpParts {
    const { tokens, clock, nodes } = this.#options;
    return { stages: this, tokens, nodes: new NodeProxy(nodes), clock, signal: this.#scope.signal };
  }

  /** The server as seen by a part of the same process; `user` is believed. */
  transport(user: User): Transport {
    return inProcessTransport(this, user);
  }

  /** Ends all watches. The store stays open: it belongs to who made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
  }
}

/** What is nobody's fault that asked: the store cannot be written or reached. */
function failure(error: unknown): ApiError {
  const why = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreFullError) {
    return new ApiError('InternalError', `Internal error occurred: nothing was written, the disk is full: ${why}`, {
      cause: error,
    });
  }
  if (error instanceof StoreClosedError || error instanceof StoreFailedError) {
    return new ApiError('ServiceUnavailable', `the store is not available: ${why}`, { cause: error });
  }
  return new ApiError('InternalError', `Internal error occurred: ${why}`, { cause: error });
}

const cachedKind = (descriptor: Descriptor): { prefix: string; head: number } => ({
  prefix: storagePrefix(descriptor),
  head: headOf(descriptor.kind, apiVersionOf(descriptor)),
});

const lookupIn = (cache: WatchCache): Lookup => ({
  get: (key) => cache.of(key.slice(0, key.indexOf('/') + 1)).get(key),
  under: (prefix) => cache.of(prefix.slice(0, prefix.indexOf('/') + 1)).under(prefix),
});

interface AdmissionParts {
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly random: () => number;
  readonly range: AddressRange;
}

/** In the order in which they are asked. */
const pluginsOf = ({ lookup, clock, random, range }: AdmissionParts): readonly AdmissionPlugin[] => [
  namespaceLifecycle(lookup),
  serviceAccount({ lookup, clock, random }),
  taintNodesByCondition,
  defaultTolerationSeconds,
  priority(lookup),
  defaultStorageClass(lookup),
  storageInUseProtection,
  serviceAddresses(lookup, clock, range),
  nodeRestriction(lookup),
  runtimeClass,
];
