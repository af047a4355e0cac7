import { ApiError, hasReason } from '#api/errors.ts';
import type { KubeObject, ObjectRef } from '#api/meta.ts';
import type { New, Resource } from '#api/resource.ts';
import { cannotBeHandled, checkFields, strictDecodingError } from '#api/strict.ts';
import { nameOfObject, noMatches, resourceOf } from '#cli/known-resources.ts';
import { lastApplied, withLastApplied } from '#cli/last-applied.ts';
import { type Manifest, type ManifestObject, type Manifests, readManifests } from '#cli/manifests.ts';
import type { Tell } from '#cli/tell.ts';
import { patchFacts, threeWayPatch } from '#cli/three-way-patch.ts';
import type { Client } from '#client/client.ts';
import { namespaceResource } from '#client/resources.ts';

export interface Applied {
  /** The pods among what was applied, changed or not, in the order of the manifests. */
  readonly pods: readonly ObjectRef[];
  /** How many files and objects did not make it; each has been told of. */
  readonly failures: number;
}

/**
 * `kubectl apply -f` in short: creates what is not there (missing namespaces too), patches what is, tells each in
 * kubectl's words. What fails is told in one line and counted, and the others go on; only a missing file throws
 * (UserError), before anything is applied. Applying twice changes nothing. On cancellation it rejects with the signal's
 * reason, and some of it may have been applied.
 */
export async function applyFiles(
  client: Client,
  files: readonly string[],
  terminal: Tell,
  signal: AbortSignal,
): Promise<Applied> {
  return applyManifests(client, await readManifests(files), terminal, signal);
}

/** The same for what was read already. */
export async function applyManifests(
  client: Client,
  { manifests, problems }: Manifests,
  terminal: Tell,
  signal: AbortSignal,
): Promise<Applied> {
  for (const problem of problems) for (const line of problem.split('\n')) terminal.line(line);
  const application = new Application(client, terminal, signal);
  const first = manifests.filter(({ object }) => object.kind === 'Namespace');
  const others = manifests.filter(({ object }) => object.kind !== 'Namespace');
  let failures = problems.length;
  const pods: ObjectRef[] = [];
  for (const manifest of [...first, ...others]) {
    try {
      const object = await application.apply(manifest);
      if (object.kind === 'Pod') pods.push(refOf(object));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiError)) throw error;
      failures++;
      terminal.line(`${manifest.where}: ${refusalText(error, manifest.object)}`);
    }
  }
  return { pods, failures };
}

/** In one line. A path that the server does not have is a kind it does not serve. */
export function refusalText(error: ApiError, { apiVersion, kind }: ManifestObject): string {
  const unserved =
    error.reason === 'NotFound' && error.details?.name === undefined && resourceOf(apiVersion, kind) !== undefined;
  if (unserved) return `this server does not serve ${kind} of ${apiVersion}`;
  return error.message.replaceAll(/\s*\n\s*/g, ' ');
}

const refOf = ({ metadata: { name, namespace } }: KubeObject): ObjectRef =>
  namespace === undefined ? { name } : { name, namespace };

class Application {
  readonly #client: Client;
  readonly #tell: Tell;
  readonly #signal: AbortSignal;
  readonly #namespaces = new Set<string>();

  constructor(client: Client, tell: Tell, signal: AbortSignal) {
    this.#client = client;
    this.#tell = tell;
    this.#signal = signal;
  }

  async apply({ object }: Manifest): Promise<KubeObject> {
    const resource = resourceOf(object.apiVersion, object.kind);
    if (resource === undefined) throw new ApiError('NotFound', noMatches(object.apiVersion, object.kind));
    refuseMisfits(object, resource);
    const wanted = inNamespace(object, resource);
    const { namespace, name } = wanted.metadata;
    if (namespace !== undefined) await this.#ensureNamespace(namespace);
    if (!name) return this.#create(resource, wanted);
    const ref: ObjectRef = namespace === undefined ? { name } : { name, namespace };
    const annotated = withLastApplied(wanted);
    const current = await this.#client.get(resource, ref, this.#signal);
    if (current !== undefined) return this.#patch(resource, annotated, current);
    try {
      return await this.#create(resource, annotated);
    } catch (error) {
      // Somebody was quicker: theirs is patched.
      const theirs = hasReason(error, 'AlreadyExists')
        ? await this.#client.get(resource, ref, this.#signal)
        : undefined;
      if (theirs === undefined) throw error;
      return this.#patch(resource, annotated, theirs);
    }
  }

  async #create(resource: Resource, wanted: ManifestObject): Promise<KubeObject> {
    // The server checks what people wrote; nothing here depends on it.
    const created = await this.#client.create(resource, wanted as unknown as New<KubeObject>, this.#signal);
    this.#tell.line(`${nameOfObject(resource, created.metadata.name)} created`);
    return created;
  }

  async #patch(resource: Resource, wanted: ManifestObject, current: KubeObject): Promise<KubeObject> {
    const name = nameOfObject(resource, current.metadata.name);
    const sides = { last: patchable(lastApplied(current) ?? {}), manifest: patchable(wanted), current };
    const body = threeWayPatch(sides, patchFacts(wanted.apiVersion, wanted.kind));
    if (body === undefined) {
      this.#tell.line(`${name} unchanged`);
      return current;
    }
    if (current.metadata.deletionTimestamp !== undefined) {
      this.#tell.line(
        `Warning: Detected changes to resource ${current.metadata.name} which is currently being deleted.`,
      );
    }
    const patched = await this.#client.patch(resource, refOf(current), { kind: 'strategic', body }, this.#signal);
    this.#tell.line(`${name} configured`);
    return patched;
  }

  async #ensureNamespace(name: string): Promise<void> {
    if (this.#namespaces.has(name)) return;
    if ((await this.#client.get(namespaceResource, { name }, this.#signal)) === undefined) {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as const;
      try {
        await this.#client.create(namespaceResource, namespace, this.#signal);
        this.#tell.line(`namespace/${name} created`);
      } catch (error) {
        if (!hasReason(error, 'AlreadyExists')) throw error;
      }
    }
    this.#namespaces.add(name);
  }
}

/**
 * As the server would with `fieldValidation=Strict`; asked without, it would drop what it does not know, and only warn.
 * In process it takes objects to be of the right types.
 */
export function refuseMisfits(object: ManifestObject, { kind, version }: Resource): void {
  const facts = patchFacts(object.apiVersion, object.kind);
  if (facts === undefined) return;
  const { unknown, mismatch } = checkFields(facts, object);
  const problem = mismatch ?? (unknown.length > 0 ? strictDecodingError(unknown) : undefined);
  if (problem !== undefined) throw cannotBeHandled({ kind, version }, kind, problem);
}

/** In the namespace it will be in; what is the cluster's is in none. */
export function inNamespace(object: ManifestObject, resource: Resource): ManifestObject {
  const { namespace, ...metadata } = object.metadata;
  if (!resource.namespaced) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, namespace: namespace || 'default' } };
}

/** Without what the server alone may say, and what tools leave behind when they print an object. */
function patchable(object: { readonly metadata?: object }): object {
  return { ...without(object, 'status'), metadata: without(object.metadata ?? {}, 'creationTimestamp') };
}

const without = (object: object, field: string): object =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== field));
