import { ApiError, hasReason } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { New } from '#api/resource.ts';
import { refusalText, inNamespace, refuseMisfits } from '#cli/apply-files.ts';
import type { Manifest, Manifests } from '#cli/manifests.ts';
import { UserError } from '#cli/user-error.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';

/**
 * The pods of manifests as the API server would store them: defaulted, admitted, validated; none is created. Throws UserError
 * (exit code 2) with a line for each manifest that is none, is of another kind, or that the server refuses.
 */
export async function simulatedPods(
  client: Client,
  { manifests, problems }: Manifests,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const wrong = [...problems];
  const pods: Pod[] = [];
  const seen = new Set<string>();
  for (const manifest of manifests) {
    try {
      const pod = await simulatedPod(client, manifest, signal);
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      if (seen.has(name)) wrong.push(`${manifest.where}: pod ${name} stands there twice`);
      seen.add(name);
      pods.push(pod);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiError) || error.reason === 'ServiceUnavailable') throw error;
      wrong.push(`${manifest.where}: ${refusalText(error, manifest.object)}`);
    }
  }
  if (wrong.length > 0) throw new UserError(wrong.join('\npeapod: '), { exitCode: 2 });
  if (pods.length === 0) throw new UserError('there is no pod in these manifests', { exitCode: 2 });
  return pods;
}

async function simulatedPod(client: Client, { object }: Manifest, signal: AbortSignal): Promise<Pod> {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1') {
    const hint = 'what else is in the cluster belongs into the files of --nodes';
    throw new ApiError(
      'BadRequest',
      `only pods (v1) are placed, this is ${object.kind} (${object.apiVersion}); ${hint}`,
    );
  }
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
