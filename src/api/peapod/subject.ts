import type { Container, ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import type { RecalledContainer, WhyFacts } from '#api/peapod/why-facts.ts';

/** One container of a pod, and what is known of it. */
export interface Subject {
  readonly pod: Pod;
  readonly container: Container;
  readonly role: 'init' | 'sidecar' | 'main';
  /** undefined as long as no kubelet has spoken of it. */
  readonly status: ContainerStatus | undefined;
  readonly recalled: RecalledContainer;
  readonly now: number;
}

/** Init containers first, in their order; ephemeral ones do not count for a pod's readiness. */
export function subjectsOf({ pod, recalled, now }: WhyFacts): readonly Subject[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const subject = (container: Container, role: Subject['role']): Subject => ({
    pod,
    container,
    role,
    status: [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container.name),
    recalled: recalled.containers.get(container.name) ?? {},
    now,
  });
  return [
    ...(pod.spec.initContainers ?? []).map((one) => subject(one, one.restartPolicy === 'Always' ? 'sidecar' : 'init')),
    ...pod.spec.containers.map((one) => subject(one, 'main')),
  ];
}
