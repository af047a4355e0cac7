import { resolve } from 'node:path';
import { nodePaths, prepareNodeDirectories, privateDirectory } from '#host/data-dir.ts';
import { ManifestFolderOnDisk } from '#kubelet/static-pods/manifest-folder.ts';
import type { Machine } from '#main/below-kubelet.ts';
import { type PodNetwork, startMachine } from '#main/machine.ts';
import { hostAddresses, startNode } from '#main/node.ts';
import type { Nodes, NodesParts } from '#main/nodes.ts';
import { ownerOf } from '#main/run-state.ts';
import { fetchSandboxImage } from '#main/sandbox-image.ts';
import { hostHasIpv6 } from '#network/cni.ts';
import { masquerade } from '#network/masquerade.ts';
import { claimRange } from '#network/range-claims.ts';
import { nodeRange } from '#network/ranges.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import type { ClusterShape } from '#cli/cluster-shape.ts';

const LOOPBACK = '127.0.0.1';

/** One node, in this process and on this machine as it is. */
export function nodesHere({ options, children, clock, log, stack, scope }: NodesParts): Nodes {
  const { paths, runtime, shape, settings, allowedUnsafeSysctls } = options;
  const [self] = shape.nodes;
  const { name, traits } = self!;
  const node = nodePaths(paths, name);
  let machine: Machine;
  return {
    papers: [{ name, addresses: [LOOPBACK, ...hostAddresses()] }],
    serverNames: [],
    async prepare() {
      prepareNodeDirectories(node);
      const network = networkHere(paths, shape);
      machine = await startMachine({ paths, node, clock, children, log, choice: runtime, network }, stack, scope);
    },
    async start(plane, { caCertificate, nodes }) {
      const manifests = resolve(options.staticPods ?? paths.manifests);
      if (options.staticPods === undefined) privateDirectory(manifests);
      const parts = {
        name,
        node,
        machine,
        clock,
        caCertificate,
        traits,
        settings,
        allowedUnsafeSysctls,
        log,
        client: plane.clientFor(`system:node:${name}`, 'system:nodes'),
        papers: nodes.get(name)!,
        // Any free port: several clusters share a machine. Only the API server, in this process, is to reach it.
        listen: { host: LOOPBACK, port: 0 },
        owner: ownerOf(paths, name),
        manifests: new ManifestFolderOnDisk(manifests),
      };
      await startNode(parts, stack, scope);
    },
    reached: (url) => url,
    async open() {},
    imagesReady() {
      if (runtime.kind === 'containerd') fetchSandboxImage(machine.runtime.images, { clock, log }, scope);
    },
    addressOf: (address) => ({ ...address, host: LOOPBACK }),
  };
}

/** The first node's part of the cluster's range, on a bridge of this machine. */
const networkHere =
  (paths: ClusterPaths, { podRange }: ClusterShape): PodNetwork =>
  async (signal) => {
    const range = await claimRange(paths, { ipv6: hostHasIpv6(), wanted: podRange }, signal);
    const ready = masquerade(paths, range, signal);
    // Who is stopped before it waits for this does not hear of it: that must not end the process.
    ready.catch(() => {});
    return { range: nodeRange(range, 1), ready };
  };
