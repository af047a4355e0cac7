import { ApiError, hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import { refusalText, inNamespace, refuseMisfits } from '#cli/apply-files.ts';
import type { Manifest, ManifestObject, Manifests } from '#cli/manifests.ts';
import { UserError } from '#cli/user-error.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';

export interface Wanted {
  readonly pod: Pod;
  /** As many as its manifest asks for. */
  readonly replicas: number;
}

/**
 * The pods of manifests, also those that workloads make, as the API server would store them: defaulted, admitted, validated; none is created. Throws UserError
 * (exit code 2) with a line for each manifest that is none, is of another kind, or that the server refuses.
 */
export async function simulatedPods(
  client: Client,
  { manifests, problems }: Manifests,
  signal: AbortSignal,
): Promise<readonly Wanted[]> {
  const wrong = [...problems];
  const pods: Wanted[] = [];
  const seen = new Set<string>();
  for (const manifest of manifests) {
    try {
      const { object, replicas } = podIn(manifest);
      const pod = await simulatedPod(client, object, signal);
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      if (seen.has(name)) wrong.push(`${manifest.where}: pod ${name} stands there twice`);
      seen.add(name);
      pods.push({ pod, replicas });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiError) || error.reason === 'ServiceUnavailable') throw error;
      wrong.push(`${manifest.where}: ${refusalText(error, manifest.object)}`);
    }
  }
  if (wrong.length > 0) throw new UserError(wrong.join('\npeapod: '), { exitCode: 2 });
  if (pods.every(({ replicas }) => replicas === 0))
    throw new UserError('there is no pod in these manifests', { exitCode: 2 });
  return pods;
}

interface PodIn {
  readonly object: ManifestObject;
  readonly replicas: number;
}

/** The field that says how many pods a workload makes. A DaemonSet's are as many as there are nodes, and each names its own. */
const counted: Readonly<Record<string, string>> = {
  'apps/v1 Deployment': 'replicas',
  'apps/v1 ReplicaSet': 'replicas',
  'apps/v1 StatefulSet': 'replicas',
  'v1 ReplicationController': 'replicas',
  'batch/v1 Job': 'parallelism',
};

/** The pod that a manifest is, or the one that a workload makes, under the workload's name: nothing else of it is looked at. */
function podIn({ object }: Manifest): PodIn {
  const { apiVersion, kind, metadata } = object;
  if (apiVersion === 'v1' && kind === 'Pod') return { object, replicas: 1 };
  const field = counted[`${apiVersion} ${kind}`];
  if (field === undefined) {
    const known = `only Pods, ${Object.keys(counted)
      .map((each) => `${each.split(' ')[1]}s`)
      .join(', ')} are placed`;
    const hint = 'what else is in the cluster belongs into the files of --nodes';
    throw new ApiError('BadRequest', `${known}, this is ${kind} (${apiVersion}); ${hint}`);
  }
  const spec = recordOf(object['spec']);
  const template = recordOf(spec['template']);
  const replicas = spec[field] ?? 1;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0)
    throw new ApiError('BadRequest', `spec.${field} must be a number of pods, this is ${JSON.stringify(replicas)}`);
  const { name = '', namespace } = metadata;
  const own = { ...recordOf(template['metadata']), name, ...(namespace === undefined ? {} : { namespace }) };
  const pod = { ...template, apiVersion: 'v1', kind: 'Pod', metadata: own };
  return { object: pod, replicas };
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

async function simulatedPod(client: Client, object: ManifestObject, signal: AbortSignal): Promise<Pod> {
  refuseMisfits(object, podResource);
  const wanted = inNamespace(object, podResource);
  // The server checks what people wrote; nothing here depends on it.
  const attempt = (metadata: object): Promise<Pod> =>
    client.tryCreate<Pod>(podResource, { ...wanted, metadata } as unknown as New<Pod>, signal);
  try {
    return await attempt(wanted.metadata);
  } catch (error) {
    const { name, ...metadata } = wanted.metadata;
    if (!name || !hasReason(error, 'AlreadyExists')) throw error;
    // It is asked about one more like it.
    const pod = await attempt({ ...metadata, generateName: `${name}-` });
    return { ...pod, metadata: { ...pod.metadata, name } };
  }
}
