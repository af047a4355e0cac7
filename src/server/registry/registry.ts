import { randomUUID } from 'node:crypto';
import { alreadyExists, ApiError, badRequest, conflict, notFound } from '#api/errors.ts';
import { invalid, invalidValue, type FieldError } from '#api/field-error.ts';
import { child, rootPath } from '#api/field-path.ts';
import type { KubeObject } from '#api/meta.ts';
import { apiVersionOf } from '#api/resource.ts';
import type { User } from '#api/transport.ts';
import type { Clock } from '#lib/clock.ts';
import type { StoreKey } from '#store/store.ts';
import type { Admission, AdmissionRequest } from '#server/admission.ts';
import type { Stored } from '#server/cache/stored.ts';
import type { WatchCache } from '#server/cache/watch-cache.ts';
import { storagePrefix, type Descriptor, type WriteContext } from '#server/descriptor.ts';
import { checkPreconditions, type DeleteOptions } from '#server/registry/delete-options.ts';
import { isReleased, stampedWithoutGrace } from '#server/registry/deletion.ts';
import { equalJson } from '#server/registry/equal.ts';
import { basedOn, metaForCreate, metaForUpdate, withMeta } from '#server/registry/meta.ts';
import { generateName } from '#server/registry/names.ts';
import type { Outcome } from '#server/registry/outcome.ts';
import { canonical, kept, served } from '#server/registry/view.ts';
import type { Writer } from '#server/registry/writer.ts';

/** Where a write goes. `name` of a create comes from the body. */
export interface Target {
  readonly descriptor: Descriptor;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export interface WriteRequest {
  readonly user: User;
  /** As its client calls itself. */
  readonly agent?: string | undefined;
  readonly dryRun: boolean;
  readonly warn: (message: string) => void;
}

/** Which part of an object an update is for; the rest stays as it was. */
export interface UpdateRules {
  readonly prepare: (object: KubeObject, old: KubeObject, context: WriteContext) => KubeObject;
  readonly validate: (object: KubeObject, old: KubeObject) => readonly FieldError[];
}

/** Everybody lost a race this often in a row only when something is wrong. */
const MOST_ATTEMPTS = 20;
const NAME_ATTEMPTS = 8;

/** A write that has taken effect. */
export interface Written {
  readonly target: Target;
  /** undefined for an object that was made. */
  readonly before: KubeObject | undefined;
  /** undefined for an object that is gone. */
  readonly after: KubeObject | undefined;
  /** When it began to be written, epoch ms. */
  readonly at: number;
  readonly request: WriteRequest;
}

export interface RegistryParts {
  readonly cache: WatchCache;
  readonly writer: Writer;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told of each write before it is answered; it must neither wait nor throw. */
  readonly written?: (written: Written) => void;
}

/**
 * Creates, changes and deletes objects of any kind: what is common to all. What differs is in the descriptor's strategy, what needs
 * other objects in admission. Writes are optimistic: when another was faster, the change is thought through again.
 */
export class Registry {
  readonly #parts: RegistryParts;

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  get(target: Target): Stored {
    return served(target.descriptor, this.#existing(target));
  }

  async create(target: Target, body: KubeObject, request: WriteRequest): Promise<Outcome> {
    const { descriptor, namespace } = target;
    const sent = this.#addressed(descriptor, body, namespace);
    if (basedOn(sent) !== undefined) throw badRequest('resourceVersion should not be set on objects to be created');
    const { generateName: base, name } = sent.metadata;
    for (let attempt = 1; ; attempt++) {
      const generated = !name && base ? generateName(base, this.#parts.random) : name;
      const object = await this.#newObject({ ...target, name: generated }, sent, request);
      if (request.dryRun) {
        if (this.#cacheOf(descriptor).get(keyOf(target, object.metadata.name)))
          throw alreadyExists(descriptor, generated);
        return { kind: 'object', code: 201, descriptor, object };
      }
      const key = keyOf(target, object.metadata.name);
      const at = this.#parts.clock.now();
      const written = await this.#parts.writer.put(
        key,
        undefined,
        kept(descriptor, object),
        descriptor.strategy.durability,
      );
      if (written.kind === 'written') {
        this.#parts.written?.({ target, before: undefined, after: object, at, request });
        return { kind: 'stored', code: 201, descriptor, stored: served(descriptor, written.stored) };
      }
      if (name || attempt === NAME_ATTEMPTS) throw alreadyExists(descriptor, object.metadata.name);
    }
  }

  /** Replaces by what the body says; creates where the kind allows that. */
  async update(target: Target, body: KubeObject, rules: UpdateRules, request: WriteRequest): Promise<Outcome> {
    const { descriptor, namespace } = target;
    const sent = this.#addressed(descriptor, body, namespace);
    const { name } = sent.metadata;
    if (name && name !== target.name) {
      const why = `the name of the object (${name}) does not match the name on the URL (${target.name})`;
      throw badRequest(why);
    }
    const named = withMeta(sent, { ...sent.metadata, name: target.name! });
    const { createOnUpdate, unconditionalUpdate } = descriptor.strategy;
    if (createOnUpdate && target.subresource === undefined && !this.#find(target)) {
      return this.create(target, named, request);
    }
    if (!unconditionalUpdate && basedOn(named) === undefined) {
      const why = 'must be specified for an update';
      throw invalid(descriptor, target.name!, [invalidValue(child(rootPath('metadata'), 'resourceVersion'), 0, why)]);
    }
    return this.change(target, () => named, rules, request);
  }

  /** Applies `change` to the newest version until it is the newest still when written. Writes nothing when nothing changes. */
  async change(
    target: Target,
    change: (old: KubeObject) => KubeObject | Promise<KubeObject>,
    rules: UpdateRules,
    request: WriteRequest,
  ): Promise<Outcome> {
    const { descriptor } = target;
    const { heldBack, statusDurability } = descriptor.strategy;
    const durability = target.subresource === 'status' ? statusDurability : descriptor.strategy.durability;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const existing = this.#existing(target);
      const old = served(descriptor, existing).object;
      const proposed = canonical(await change(old));
      checkBasis(descriptor, proposed, old);
      const object = await this.#changedObject(target, { proposed, old, rules }, request);
      if (equalJson(object, old))
        return { kind: 'stored', code: 200, descriptor, stored: served(descriptor, existing) };
      if (request.dryRun) return { kind: 'object', code: 200, descriptor, object };
      const at = this.#parts.clock.now();
      const released = isReleased(object, heldBack);
      const written = released
        ? await this.#parts.writer.remove(existing, durability)
        : await this.#parts.writer.put(existing.key, existing, kept(descriptor, object), durability);
      if (written.kind === 'written') {
        this.#parts.written?.({ target, before: old, after: released ? undefined : object, at, request });
        return { kind: 'stored', code: 200, descriptor, stored: served(descriptor, written.stored) };
      }
    }
    throw conflict(descriptor, target.name!);
  }

  async delete(target: Target, options: DeleteOptions, request: WriteRequest): Promise<Outcome> {
    const { descriptor } = target;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const existing = this.#existing(target);
      const object = served(descriptor, existing).object;
      checkPreconditions(descriptor, object, options);
      await this.#parts.admission.validate(this.#admissionRequest('DELETE', target, object, request), undefined);
      const outcome = await this.#deleteNow(target, existing, options, request);
      if (outcome) return outcome;
    }
    throw conflict(descriptor, target.name!);
  }

  /** One attempt; undefined when another write was faster. */
  async #deleteNow(
    target: Target,
    existing: Stored,
    options: DeleteOptions,
    request: WriteRequest,
  ): Promise<Outcome | undefined> {
    const { descriptor } = target;
    const { strategy } = descriptor;
    const { object } = existing;
    const now = this.#parts.clock.now();
    const deletion = strategy.deletion(object, { graceSeconds: options.graceSeconds, now });
    const answer = (stored: Stored): Outcome => ({
      kind: 'stored',
      code: 200,
      descriptor,
      stored: served(descriptor, stored),
    });
    if (deletion.kind === 'pending') return answer(existing);
    const held = (object.metadata.finalizers ?? []).length > 0 || strategy.heldBack(object);
    if (deletion.kind === 'remove' && !held) {
      const written = options.dryRun
        ? ({ kind: 'written', stored: existing } as const)
        : await this.#parts.writer.remove(existing, strategy.durability);
      if (written.kind === 'lost') return undefined;
      if (!options.dryRun) this.#parts.written?.({ target, before: object, after: undefined, at: now, request });
      return strategy.answersDeleted ? answer(written.stored) : deletedStatus(descriptor, object);
    }
    const stamped = deletion.kind === 'stamp' ? deletion.object : stampedWithoutGrace(object, now);
    if (stamped === object) return answer(existing);
    if (options.dryRun) return { kind: 'object', code: 200, descriptor, object: stamped };
    const written = await this.#parts.writer.put(existing.key, existing, stamped, strategy.durability);
    if (written.kind !== 'written') return undefined;
    this.#parts.written?.({ target, before: object, after: stamped, at: now, request });
    return answer(written.stored);
  }

  async #newObject(target: Target, sent: KubeObject, request: WriteRequest): Promise<KubeObject> {
    const { descriptor } = target;
    const { strategy } = descriptor;
    const now = this.#parts.clock.now();
    const meta = metaForCreate(sent.metadata, target.name ?? '', { uid: randomUUID(), now });
    const admission = this.#admissionRequest('CREATE', target, undefined, request);
    const admitted = await this.#parts.admission.mutate(admission, strategy.defaulted(withMeta(sent, meta)));
    const prepared = strategy.prepareForCreate(admitted, { now, user: request.user });
    const object =
      strategy.generation === 'none' ? prepared : withMeta(prepared, { ...prepared.metadata, generation: 1 });
    const errors = strategy.validate(object);
    if (errors.length > 0) throw invalid(descriptor, object.metadata.name || sent.metadata.generateName || '', errors);
    await this.#parts.admission.validate(admission, object);
    for (const warning of strategy.warnings(object, undefined)) request.warn(warning);
    return object;
  }

  async #changedObject(
    target: Target,
    { proposed, old, rules }: { proposed: KubeObject; old: KubeObject; rules: UpdateRules },
    request: WriteRequest,
  ): Promise<KubeObject> {
    const { descriptor } = target;
    const { strategy } = descriptor;
    const context = { now: this.#parts.clock.now(), user: request.user };
    const admission = this.#admissionRequest('UPDATE', target, old, request);
    const meta = metaForUpdate(proposed.metadata, old.metadata);
    const prepared = rules.prepare(strategy.defaulted(withMeta(proposed, meta)), old, context);
    const admitted = await this.#parts.admission.mutate(admission, prepared);
    const object = counted(target, admitted, old);
    const errors = rules.validate(object, old);
    if (errors.length > 0) throw invalid(descriptor, old.metadata.name, errors);
    await this.#parts.admission.validate(admission, object);
    for (const warning of strategy.warnings(object, old)) request.warn(warning);
    return object;
  }

  /** The body as an object of this kind in the namespace of the path. */
  #addressed(descriptor: Descriptor, body: KubeObject, namespace: string | undefined): KubeObject {
    const apiVersion = apiVersionOf(descriptor);
    const { kind: _k, apiVersion: _a, metadata, ...rest } = body;
    const meta = metadata ?? {};
    if (!descriptor.namespaced) {
      const { namespace: none, ...others } = meta;
      if (none) throw badRequest('namespace is not allowed on this type');
      return canonical({ kind: descriptor.kind, apiVersion, metadata: others, ...rest } as KubeObject);
    }
    if (meta.namespace && namespace !== undefined && meta.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
    return canonical({ kind: descriptor.kind, apiVersion, metadata: { ...meta, namespace }, ...rest } as KubeObject);
  }

  #admissionRequest(
    operation: AdmissionRequest['operation'],
    target: Target,
    old: KubeObject | undefined,
    request: WriteRequest,
  ): AdmissionRequest {
    return { operation, ...target, old, user: request.user, dryRun: request.dryRun };
  }

  #existing(target: Target): Stored {
    const found = this.#find(target);
    if (!found) throw notFound(target.descriptor, target.name!);
    return found;
  }

  #find(target: Target): Stored | undefined {
    return this.#cacheOf(target.descriptor).get(keyOf(target, target.name!));
  }

  #cacheOf(descriptor: Descriptor): ReturnType<WatchCache['of']> {
    return this.#parts.cache.of(storagePrefix(descriptor));
  }
}

export const keyOf = (target: Pick<Target, 'descriptor' | 'namespace'>, name: string): StoreKey =>
  `${scopeKey(target)}${name}` as StoreKey;

/** What the keys of a namespace's objects begin with; without a namespace, those of the kind. */
export function scopeKey({ descriptor, namespace }: Pick<Target, 'descriptor' | 'namespace'>): string {
  const prefix = storagePrefix(descriptor);
  return descriptor.namespaced && namespace !== undefined ? `${prefix}${namespace}/` : prefix;
}

/** A change that was based on another version, or on a namesake, is refused. */
function checkBasis(descriptor: Descriptor, proposed: KubeObject, old: KubeObject): void {
  const { uid, name } = old.metadata;
  const asked = proposed.metadata.uid as string | undefined;
  if (asked && asked !== uid) {
    throw conflict(descriptor, name, `Precondition failed: UID in precondition: ${asked}, UID in object meta: ${uid}`);
  }
  const based = basedOn(proposed);
  if (based !== undefined && based !== old.metadata.resourceVersion) throw conflict(descriptor, name);
}

function counted({ descriptor, subresource }: Target, object: KubeObject, old: KubeObject): KubeObject {
  const { generation } = descriptor.strategy;
  // Binding is the server's own doing: it is no new wish of the pod's owner. An ephemeral container is.
  const asWished = subresource === undefined || subresource === 'ephemeralcontainers';
  if (generation === 'none' || !asWished || !generation(object, old)) return object;
  return withMeta(object, { ...object.metadata, generation: (old.metadata.generation ?? 0) + 1 });
}

function deletedStatus(descriptor: Descriptor, object: KubeObject): Outcome {
  const { group, plural } = descriptor;
  const { name, uid } = object.metadata;
  const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid };
  const value = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
  return { kind: 'value', code: 200, value };
}

/** For verbs a kind does not have. */
export const methodNotAllowed = (descriptor: Descriptor, verb: string): ApiError =>
  new ApiError('MethodNotAllowed', `${verb} is not supported on resources of kind "${descriptor.plural}"`);
