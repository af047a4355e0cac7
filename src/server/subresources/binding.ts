import { badRequest, conflict } from '#api/errors.ts';
import { invalid, required, unsupported } from '#api/field-error.ts';
import { rootPath, child } from '#api/field-path.ts';
import type { Binding, Pod, PodCondition } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Clock } from '#lib/clock.ts';
import { timestamp } from '#server/registry/meta.ts';
import type { Registry } from '#server/registry/registry.ts';
import { success, type SubresourceHandler } from '#server/subresources/call.ts';

/**
 * Binding gives a pod its node: nodeName and the condition PodScheduled in one write, once. Labels and annotations of the binding
 * go over to the pod. The node it was nominated for is forgotten.
 */
export function bindPod(registry: Registry, clock: Clock): SubresourceHandler {
  return async ({ request, target, write }) => {
    const binding = request.body.object({ group: '', version: 'v1', kind: 'Binding' }) as Binding;
    checkBinding(binding, target.name!);
    const rules = { prepare: (object: KubeObject) => object, validate: () => [] };
    const outcome = await registry.change(target, (old) => bound(old as Pod, binding, clock.now()), rules, write);
    return outcome.kind === 'value' ? outcome : success;
  };
}

function checkBinding({ metadata, target }: Binding, name: string): void {
  const sent = metadata?.name;
  if (sent && sent !== name) throw badRequest(`name in URL does not match name in Binding object`);
  const path = rootPath('target');
  if (target?.kind && target.kind !== 'Node') {
    throw invalid({ group: '', kind: 'Binding' }, name, [
      unsupported(child(path, 'kind'), target.kind, ['Node', '<empty>']),
    ]);
  }
  if (!target?.name) throw invalid({ group: '', kind: 'Binding' }, name, [required(child(path, 'name'))]);
}

function bound(pod: Pod, { metadata, target }: Binding, now: number): Pod {
  const { name, uid, deletionTimestamp } = pod.metadata;
  const refuse = (why: string): Error => conflict({ group: '', plural: 'pods/binding' }, name, why);
  const asked = metadata?.uid as string | undefined;
  if (asked && asked !== uid) {
    throw refuse(`Precondition failed: UID in precondition: ${asked}, UID in object meta: ${uid}`);
  }
  if (deletionTimestamp !== undefined) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if ((pod.spec.schedulingGates ?? []).length > 0) {
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  }
  // What was only hoped for says nothing any more (KEP-5278).
  const { nominatedNodeName: _, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...merged('labels', pod.metadata.labels, metadata?.labels),
      ...merged('annotations', pod.metadata.annotations, metadata?.annotations),
    },
    spec: { ...pod.spec, nodeName: target.name! },
    status: { ...status, conditions: scheduled(status.conditions ?? [], now) },
  };
}

function merged(
  field: 'labels' | 'annotations',
  old: Readonly<Record<string, string>> | undefined,
  added: Readonly<Record<string, string>> | undefined,
): object {
  return added === undefined ? {} : { [field]: { ...old, ...added } };
}

function scheduled(conditions: readonly PodCondition[], now: number): readonly PodCondition[] {
  const condition: PodCondition = { type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp(now) };
  return [...conditions.filter(({ type }) => type !== 'PodScheduled'), condition];
}
