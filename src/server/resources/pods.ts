import { withInitialPodStatus } from '#api/defaults/initial.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { withoutEffect } from '#api/pod-scope.ts';
import type { Deletion, DeletionRequest, Descriptor } from '#server/descriptor.ts';
import { podColumns } from '#server/columns/pod.ts';
import { validateEphemeralContainersUpdate } from '#api/validation/pod.ts';
import type { UpdateRules } from '#server/registry/registry.ts';
import { removeGracefully } from '#server/registry/deletion.ts';
import { declare, specChanged, statusOf, withStatus } from '#server/resources/strategy.ts';

const asPod = (object: KubeObject): Pod => object as Pod;

export const pods: Descriptor = declare({
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  subresources: {
    status: statusOf('Pod'),
    binding: { kind: 'Binding', verbs: ['create'] },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    log: { kind: 'Pod', verbs: ['get'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    ephemeralcontainers: { kind: 'Pod', verbs: ['get', 'patch', 'update'] },
  },
  columns: podColumns,
  strategy: withStatus({
    prepareForCreate: (object) => withInitialPodStatus(asPod(object)),
    // What is accepted and does nothing yet is said once, to whoever asks for it.
    warnings: (object, old) => (old === undefined ? withoutEffect(asPod(object)) : []),
    generation: specChanged,
    deletion: deletePod,
    answersDeleted: true,
  }),
});

/** `kubectl debug`: of all that is sent only the ephemeral containers count. */
export const ephemeralContainerRules: UpdateRules = {
  prepare(object, old) {
    const { ephemeralContainers } = asPod(object).spec;
    const { ephemeralContainers: _, ...spec } = asPod(old).spec;
    const changed: Pod = {
      ...asPod(old),
      spec: ephemeralContainers === undefined ? spec : { ...spec, ephemeralContainers },
    };
    return changed;
  },
  validate: (object, old) => validateEphemeralContainersUpdate(asPod(object), asPod(old)),
};

/**
 * A pod that no kubelet has got, or that has ended, has nothing to be stopped: it goes at once. Else the kubelet stops it and
 * ends the deletion, with grace 0 and the UID as precondition.
 */
function deletePod(object: KubeObject, request: DeletionRequest): Deletion {
  const { spec, status } = asPod(object);
  return removeGracefully(object, request, (asked) => {
    if (!spec.nodeName) return 0;
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0;
    const grace = asked ?? spec.terminationGracePeriodSeconds ?? 30;
    return grace < 0 ? 1 : grace;
  });
}
