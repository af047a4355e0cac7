import type { Container, ContainerRestartRule, Pod } from '#api/generated/core-v1.ts';

/** What a container is to its pod. */
export type Role = 'init' | 'sidecar' | 'main' | 'ephemeral';

/**
 * Whether a container that ended with this exit code is started again (KEP-5307): the first of its own rules that speaks of
 * the code decides, then its own policy, then the pod's. To an init container Always means "until it succeeds", unless it
 * is its own policy, which makes it a sidecar; an ephemeral one runs once.
 */
export function restartsAfter(role: Role, pod: Pod, container: Container, exitCode: number): boolean {
  if (role === 'ephemeral') return false;
  if (role === 'sidecar') return true;
  if (container.restartPolicy !== undefined && container.restartPolicyRules?.some((rule) => matches(rule, exitCode)))
    return true;
  switch (container.restartPolicy ?? pod.spec.restartPolicy) {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return exitCode !== 0 || role === 'main';
  }
}

/** Validation lets no other action through than to restart. */
function matches({ exitCodes }: ContainerRestartRule, exitCode: number): boolean {
  const named = exitCodes?.values?.includes(exitCode) ?? false;
  return exitCodes !== undefined && (exitCodes.operator === 'In' ? named : !named);
}
