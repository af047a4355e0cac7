/**
 * A node's last word on a pod, as one pure function: may it run here? Schedulers have asked before, of what they knew; but
 * pods may name their node themselves, two schedulers may choose at once, and some of it only the node can tell. Asked once
 * a pod, before anything is made for it; who was let in is never asked again. The reasons and messages are upstream's.
 */
import type { Pod } from '#api/generated/core-v1.ts';
import { misfit, type NodeToFit } from '#kubelet/admission/fits.ts';
import { forbiddenSysctl } from '#kubelet/admission/sysctls.ts';
import type { Rejection } from '#kubelet/desired.ts';

export interface AdmissionFacts {
  readonly pod: Pod;
  /** As the API has it: labels and taints are given by others too. */
  readonly node: NodeToFit;
  /** The pods that were let in and have not ended. */
  readonly others: readonly Pod[];
  readonly machine: MachineRules;
}

export interface MachineRules {
  /** In Go's words. */
  readonly operatingSystem: string;
  /** Names, and beginnings of names that end in `*`. */
  readonly sysctls: readonly string[];
  /** Whether the kernel has it on. */
  readonly appArmor: boolean;
}

/** undefined: it may run. */
export function rejectionOf({ pod, node, others, machine }: AdmissionFacts): Rejection | undefined {
  return (
    forbiddenSysctl(pod, machine.sysctls) ??
    wrongSystem(pod, machine) ??
    unsupportedGroups(pod, node) ??
    misfit(pod, node, others) ??
    unsupportedAppArmor(pod, machine)
  );
}

function wrongSystem({ metadata, spec }: Pod, { operatingSystem }: MachineRules): Rejection | undefined {
  const label = metadata.labels?.['kubernetes.io/os'];
  if (label !== undefined && label !== operatingSystem) {
    const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message };
  }
  if (spec.os !== undefined && spec.os.name !== operatingSystem) {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  return undefined;
}

function unsupportedGroups({ spec }: Pod, { status }: NodeToFit): Rejection | undefined {
  if (spec.securityContext?.supplementalGroupsPolicy !== 'Strict') return undefined;
  if (status?.features?.supplementalGroupsPolicy === true) return undefined;
  const message = 'SupplementalGroupsPolicy=Strict is not supported in this node';
  return { reason: 'SupplementalGroupsPolicyNotSupported', message };
}

function unsupportedAppArmor({ spec }: Pod, { appArmor }: MachineRules): Rejection | undefined {
  const contexts = [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.securityContext);
  const asks = [spec.securityContext, ...contexts].some(
    (context) => context?.appArmorProfile !== undefined && context.appArmorProfile.type !== 'Unconfined',
  );
  if (!asks || appArmor) return undefined;
  return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
}
