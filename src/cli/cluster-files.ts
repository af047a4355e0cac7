import { ApiError, hasReason } from '#api/errors.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { New, Resource } from '#api/resource.ts';
import { refusalText, inNamespace, refuseMisfits } from '#cli/apply-files.ts';
import { noMatches, resourceOf } from '#cli/known-resources.ts';
import type { Manifest, ManifestObject, Manifests } from '#cli/manifests.ts';
import { UserError } from '#cli/user-error.ts';
import type { Client } from '#client/client.ts';
import { namespaceResource, priorityClassResource } from '#client/resources.ts';

/** How many objects are written at once. */
const WIDTH = 64;

/**
 * Fills an empty cluster with what files say there is, also as `kubectl get -o yaml` prints it: what only a server may say is left
 * out, status is written. Pods that have ended take no room and are left out. Throws UserError (exit code 2) with a line for each
 * object that the server refuses.
 */
export async function fillCluster(client: Client, files: Manifests, signal: AbortSignal): Promise<void> {
  const filling = new Filling(client, signal);
  const wrong = [...files.problems];
  for (const stage of stagesOf(files.manifests)) {
    for (let from = 0; from < stage.length; from += WIDTH) {
      const some = await Promise.all(stage.slice(from, from + WIDTH).map((each) => filling.problemWith(each)));
      wrong.push(...some.flatMap((problem) => problem ?? []));
    }
  }
  if (wrong.length > 0) throw new UserError(wrong.join('\npeapod: '), { exitCode: 2 });
}

/** Makes the namespaces that pods live in and that nobody has made. */
export async function ensureNamespaces(client: Client, names: Iterable<string>, signal: AbortSignal): Promise<void> {
  for (const name of new Set(names)) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as const;
    await client.create(namespaceResource, namespace, signal).catch((error: unknown) => {
      // One that may not be called so is told of with what is in it.
      if (!hasReason(error, 'AlreadyExists') && !hasReason(error, 'Invalid')) throw error;
    });
  }
}

/** What others refer to comes first. */
function stagesOf(manifests: readonly Manifest[]): readonly (readonly Manifest[])[] {
  const first = ['Namespace', 'PriorityClass', 'RuntimeClass', 'StorageClass'];
  const stageOf = ({ object }: Manifest): number => (first.includes(object.kind) ? 0 : object.kind === 'Pod' ? 2 : 1);
  return [0, 1, 2].map((stage) => manifests.filter((each) => stageOf(each) === stage));
}

class Filling {
  readonly #client: Client;
  readonly #signal: AbortSignal;

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async problemWith({ object, where }: Manifest): Promise<string | undefined> {
    try {
      await this.#add(object);
      return undefined;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof ApiError)) throw error;
      return `${where}: ${refusalText(error, object)}`;
    }
  }

  async #add(object: ManifestObject): Promise<void> {
    const resource = resourceOf(object.apiVersion, object.kind);
    if (resource === undefined) throw new ApiError('NotFound', noMatches(object.apiVersion, object.kind));
    refuseMisfits(object, resource);
    const { status, ...wanted } = stripped(inNamespace(object, resource));
    const { namespace } = wanted.metadata;
    if (namespace !== undefined) await ensureNamespaces(this.#client, [namespace], this.#signal);
    // Their shape was checked above; what they say is the server's to check.
    if (object.kind === 'Node') return this.#write(resource, seen({ ...wanted, status } as unknown as Node));
    if (object.kind === 'Service') return this.#write(resource, withoutAddresses(wanted));
    if (object.kind !== 'Pod') return this.#write(resource, wanted as unknown as KubeObject, status);
    const pod = { ...wanted, status } as unknown as Pod;
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
    return this.#write(resource, await this.#withClass(pod), status);
  }

  async #write(resource: Resource, object: KubeObject, status?: unknown): Promise<void> {
    // It says no more of itself than a new object does.
    const { metadata } = await this.#client
      .create(resource, object as unknown as New<KubeObject>, this.#signal)
      .catch((error: unknown) => {
        // What every cluster has from its first moment, and namespaces made for what came before.
        if (hasReason(error, 'AlreadyExists') && inherent.has(resource.kind)) return object;
        throw error;
      });
    if (status === undefined || !withStatus.has(resource.kind)) return;
    const { name, namespace = '' } = metadata;
    const ref = { name, namespace, subresource: 'status' };
    await this.#client.patch(resource, ref, { kind: 'merge', body: { status } }, this.#signal);
  }

  /** Its priority is what it says: a class that is not in the files is made, so that admission lets it say so. */
  async #withClass(pod: Pod): Promise<Pod> {
    const { priority, priorityClassName, preemptionPolicy } = pod.spec;
    if (priority === undefined || (priority === 0 && !priorityClassName)) return pod;
    const name = priorityClassName || `priority-${priority}`.replace('--', '-minus-');
    if ((await this.#client.get(priorityClassResource, { name }, this.#signal)) === undefined) {
      const policy = preemptionPolicy === undefined ? {} : { preemptionPolicy };
      const made = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: priority };
      await this.#client.create(priorityClassResource, { ...made, ...policy } as never, this.#signal).catch((error) => {
        if (!hasReason(error, 'AlreadyExists')) throw error;
      });
    }
    return { ...pod, spec: { ...pod.spec, priorityClassName: name } };
  }
}

const inherent: ReadonlySet<string> = new Set(['Namespace', 'PriorityClass', 'Service']);
/** Of whose status the scheduler reads something, and which have it written apart. */
const withStatus: ReadonlySet<string> = new Set(['Pod', 'PodDisruptionBudget']);

/** Without what a server says of an object it has. */
function stripped(object: ManifestObject): ManifestObject {
  const { resourceVersion: _r, uid: _u, ...metadata } = object.metadata as Readonly<Record<string, unknown>>;
  const { creationTimestamp: _c, generation: _g, managedFields: _m, selfLink: _s, ...mine } = metadata;
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _p, ownerReferences: _o, ...kept } = mine;
  return { ...object, metadata: kept };
}

/** Those of another cluster are nothing to this one, where some are taken already. */
function withoutAddresses(service: ManifestObject): KubeObject {
  const { clusterIP, clusterIPs: _ips, ...spec } = service['spec'] as Readonly<Record<string, unknown>>;
  const headless = clusterIP === 'None' ? { clusterIP } : {};
  return { ...service, spec: { ...spec, ...headless } } as unknown as KubeObject;
}

/** As much as a kubelet would say of any node. */
function seen(node: Node): Node {
  const { metadata, status = {} } = node;
  const allocatable = status.allocatable ?? status.capacity ?? {};
  return {
    ...node,
    metadata: { ...metadata, labels: { 'kubernetes.io/hostname': metadata.name, ...metadata.labels } },
    spec: node.spec ?? {},
    status: { ...status, allocatable: { pods: '110', ...allocatable } },
  };
}
