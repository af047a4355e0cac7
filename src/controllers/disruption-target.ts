import type { Pod, PodCondition } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import { apiTime } from '#controllers/api-time.ts';

/** KEP-3329: a pod that is about to be deleted says for whose sake, so that who counts failures need not count this one. */
export interface Disruption {
  readonly reason: 'DeletionByTaintManager' | 'DeletionByPodGC';
  readonly message: string;
}

interface Ending {
  readonly disruption?: Disruption | undefined;
  /** It has nobody who could say how it ended. */
  readonly phase?: 'Failed';
  readonly now: number;
}

/** The patch that says so; undefined where it is said already. */
export function endingPatch({ metadata, status }: Pod, { disruption, phase, now }: Ending): object | undefined {
  const said = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  const isSaid = said?.status === 'True' && said.reason === disruption?.reason && said?.message === disruption?.message;
  const condition: PodCondition | undefined =
    disruption === undefined || isSaid
      ? undefined
      : { type: 'DisruptionTarget', status: 'True', ...disruption, lastTransitionTime: apiTime(now) };
  if (condition === undefined && phase === undefined) return undefined;
  return {
    metadata: { uid: metadata.uid },
    status: { ...(phase ? { phase } : {}), ...(condition ? { conditions: [condition] } : {}) },
  };
}

export async function patchStatus(
  client: Client,
  { metadata: { namespace = '', name } }: Pod,
  body: object,
  signal: AbortSignal,
): Promise<void> {
  await client.patch(podResource, { namespace, name, subresource: 'status' }, { kind: 'strategic', body }, signal);
}
