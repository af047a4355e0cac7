import type { Pod } from '#api/generated/core-v1.ts';
import { conflicts, type HostPortClaim, hostPortClaims } from '#api/host-ports.ts';
import type { Obstacle } from '#api/peapod/obstacle.ts';
import { fits, type NodeView, skip, type SchedulerPlugin, type Verdict } from '#scheduler/plugin.ts';
import { podName } from '#scheduler/pod-facts.ts';

const taken: Verdict = {
  kind: 'rejected',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  final: false,
};

/** A port of a node is given out once for an address and a protocol; `0.0.0.0` stands for all its addresses. */
export const nodePorts: SchedulerPlugin = {
  name: 'NodePorts',
  share: { textOf: (pod) => JSON.stringify(hostPortClaims(pod)) },
  consider(pod) {
    const wanted = hostPortClaims(pod);
    if (wanted.length === 0) return skip;
    return {
      kind: 'opinion',
      filter: (node) => (areFree(wanted, node) ? fits : taken),
      explain: (node) => wanted.flatMap((claim) => takenBy(claim, node)),
    };
  },
  interests: ['node-added', 'pod-removed'],
  mightHelp(pod, change) {
    switch (change.kind) {
      case 'node-added':
        return areFree(hostPortClaims(pod), change.node);
      case 'pod-removed':
        return stoodInTheWay(change.pod, pod);
      default:
        return false;
    }
  },
};

function areFree(wanted: readonly HostPortClaim[], { pods }: NodeView): boolean {
  for (const pod of pods.values()) {
    if (hostPortClaims(pod).some((claim) => wanted.some((own) => conflicts(own, claim)))) return false;
  }
  return true;
}

function takenBy(claim: HostPortClaim, { pods }: NodeView): readonly Obstacle[] {
  const holders = [...pods.values()].filter((pod) => hostPortClaims(pod).some((other) => conflicts(claim, other)));
  return holders.length === 0 ? [] : [{ kind: 'port', ...claim, pods: holders.map(podName) }];
}

const stoodInTheWay = (gone: Pod, pod: Pod): boolean =>
  hostPortClaims(gone).some((claim) => hostPortClaims(pod).some((own) => conflicts(own, claim)));
