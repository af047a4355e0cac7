import type { Container, Pod } from '#api/generated/core-v1.ts';
import { amountsOf, podLimits, podRequests, type ResourceAmounts } from '#api/pod-resources.ts';
import { milliValue, value } from '#api/quantity.ts';
import { oomScoreAdjOf, qosOf } from '#api/qos.ts';
import type { LinuxResources } from '#cri/config.ts';
import type { CgroupLimits } from '#host/host.ts';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const SHARES_PER_CPU = 1024;
const QUOTA_PERIOD_US = 100_000;
/** The kernel refuses less. */
const MIN_QUOTA_US = 1000;

/** A container's requests and limits in the kernel's terms. `memoryCapacity` of the node, in bytes, weighs oom scores. */
export function containerResources(pod: Pod, container: Container, memoryCapacity: number): LinuxResources {
  const requests = amountsOf(container.resources?.requests);
  const limits = amountsOf(container.resources?.limits);
  const cpuLimit = milli(limits, 'cpu');
  return {
    cpuShares: sharesOf(milli(requests, 'cpu') ?? cpuLimit ?? 0),
    ...(cpuLimit === undefined ? {} : { cpuPeriod: QUOTA_PERIOD_US, cpuQuota: quotaOf(cpuLimit) }),
    ...(bytes(limits, 'memory') === undefined ? {} : { memoryLimitBytes: bytes(limits, 'memory') }),
    oomScoreAdj: oomScoreAdjOf(pod, container, memoryCapacity),
  };
}

/** The pod's own cgroup: what all its containers may use together. Limits hold only where every container has one. */
export function podCgroupLimits(pod: Pod): CgroupLimits {
  const requests = podRequests(pod);
  const limits = podLimits(pod);
  const everyContainerHas = (name: string): boolean =>
    pod.spec.resources?.limits?.[name] !== undefined ||
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].every(
      ({ resources }) => resources?.limits?.[name] !== undefined,
    );
  const cpuLimit = everyContainerHas('cpu') ? milli(limits, 'cpu') : undefined;
  const memory = everyContainerHas('memory') ? bytes(limits, 'memory') : undefined;
  if (qosOf(pod) === 'BestEffort') return { cpuShares: MIN_SHARES };
  return {
    cpuShares: sharesOf(milli(requests, 'cpu') ?? 0),
    ...(cpuLimit === undefined ? {} : { cpuQuotaUs: quotaOf(cpuLimit) }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
}

export const sharesOf = (milliCpu: number): number =>
  Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCpu * SHARES_PER_CPU) / 1000)));

const quotaOf = (milliCpu: number): number => Math.max(MIN_QUOTA_US, Math.floor((milliCpu * QUOTA_PERIOD_US) / 1000));

/** undefined for what is not limited; zero counts as not limited, as in the kernel. */
function milli(amounts: ResourceAmounts, name: string): number | undefined {
  const amount = amounts.get(name);
  return amount === undefined ? undefined : milliValue(amount) || undefined;
}
function bytes(amounts: ResourceAmounts, name: string): number | undefined {
  const amount = amounts.get(name);
  return amount === undefined ? undefined : value(amount) || undefined;
}
