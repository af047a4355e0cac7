import type { BindingPlugin, SchedulerPlugin } from '#scheduler/plugin.ts';
import { balancedAllocation } from '#scheduler/plugins/balanced-allocation.ts';
import { imageLocality } from '#scheduler/plugins/image-locality.ts';
import { interPodAffinity } from '#scheduler/plugins/inter-pod-affinity/inter-pod-affinity.ts';
import { nodeAffinity } from '#scheduler/plugins/node-affinity.ts';
import { nodeName } from '#scheduler/plugins/node-name.ts';
import { nodePorts } from '#scheduler/plugins/node-ports.ts';
import { nodeUnschedulable } from '#scheduler/plugins/node-unschedulable.ts';
import { nodeVolumeLimits } from '#scheduler/plugins/node-volume-limits.ts';
import { podTopologySpread } from '#scheduler/plugins/pod-topology-spread/pod-topology-spread.ts';
import { resourcesFit } from '#scheduler/plugins/resources-fit.ts';
import { taintToleration } from '#scheduler/plugins/taint-toleration.ts';
import { volumeBinding } from '#scheduler/plugins/volume-binding/volume-binding.ts';
import { volumeRestrictions } from '#scheduler/plugins/volume-restrictions.ts';
import { volumeZone } from '#scheduler/plugins/volume-zone.ts';

/** Which plugins decide, in which order they are asked, and how much each one's score counts. */
export interface Profile {
  /** The pods it is for: those with this `spec.schedulerName`. */
  readonly schedulerName: string;
  readonly plugins: readonly WeightedPlugin[];
  readonly binding: readonly BindingPlugin[];
  /** Of how many nodes that can take a pod one is chosen; see `enoughNodes`. Absent: of all of them. */
  readonly percentageOfNodesToScore?: number | undefined;
  /** How room is made for pods that fit nowhere. Absent: it is not. */
  readonly preemption?: PreemptionLimits | undefined;
  /** How claims that wait for a pod get their volumes. Absent: it is nobody's business here. */
  readonly volumeBinding?: VolumeBindingSettings | undefined;
}

/** On how many nodes it is tried who would have to go: the larger of the two. */
export interface PreemptionLimits {
  /** Of the nodes where it could help at all. */
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

/** Upstream's. */
export const defaultPreemption: PreemptionLimits = {
  minCandidateNodesPercentage: 10,
  minCandidateNodesAbsolute: 100,
};

export interface VolumeBindingSettings {
  /** How long the claims of a pod that is on its way may take to be bound. */
  readonly timeoutMs: number;
}

/** Upstream's. */
export const defaultVolumeBinding: VolumeBindingSettings = { timeoutMs: 600_000 };

export interface WeightedPlugin {
  readonly plugin: SchedulerPlugin;
  /** For plugins that do not score it says nothing. */
  readonly weight: number;
}

/** Upstream's order and weights. Plugins with an index are one scheduler's own: each call makes new ones. */
export const defaultProfile = (): Profile => ({
  schedulerName: 'default-scheduler',
  plugins: [
    { plugin: nodeUnschedulable, weight: 1 },
    { plugin: nodeName, weight: 1 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 1 },
    { plugin: resourcesFit, weight: 1 },
    { plugin: volumeRestrictions(), weight: 1 },
    { plugin: nodeVolumeLimits, weight: 1 },
    { plugin: volumeBinding, weight: 1 },
    { plugin: volumeZone, weight: 1 },
    { plugin: podTopologySpread(), weight: 2 },
    { plugin: interPodAffinity(), weight: 2 },
    { plugin: balancedAllocation, weight: 1 },
    { plugin: imageLocality, weight: 1 },
  ],
  binding: [],
  volumeBinding: defaultVolumeBinding,
  preemption: defaultPreemption,
});
