/**
 * The pod network of one cluster on one machine: a bridge per node, an address of each family per pod, one nftables
 * table. Pods see each other's true addresses; only what leaves the cluster is masqueraded. Everything carries the
 * cluster's hash in its name (bridge, table, CNI network), so that two clusters never meet and what a crash has left is
 * found without memory. Ranges are chosen once and remembered by the caller; per node they follow from its number.
 * Decisions are pure (`chooseRange`, `planLeaks`), effects beside them; every effect may be repeated.
 */
import type { ClusterPaths } from '#host/data-dir.ts';

export interface ClusterRange {
  /** A /16, such as 10.244.0.0/16. */
  readonly v4: string;
  /** A /48, such as fd00:10:244::/48; absent on machines without IPv6. */
  readonly v6?: string;
}

/** One node's part of the cluster's range. */
export interface NodeRange {
  readonly v4: PodRange;
  readonly v6?: PodRange;
}

export interface PodRange {
  /** A /24 or /64. */
  readonly subnet: string;
  /** The first address that pods get: .1 is the bridge's, .2 is left for the node. */
  readonly first: string;
  /** The bridge's own address. */
  readonly gateway: string;
}

/** At most 15 characters: the kernel's limit for link names. */
export const bridgeName = (paths: Pick<ClusterPaths, 'hash'>): string => `pea${paths.hash}`;

/** The nftables table of the cluster's masquerading, family inet. */
export const tableName = (paths: Pick<ClusterPaths, 'hash'>): string => `peapod-${paths.hash}`;

/** The nftables table of a node's host ports, family inet: apart, since they outlive a restart of the cluster untouched. */
export const portTableName = (paths: Pick<ClusterPaths, 'hash'>): string => `peapod-${paths.hash}-ports`;

/** The nftables table that leads nodes of their own to what listens on this machine's loopback, family inet. */
export const loopbackTableName = (paths: Pick<ClusterPaths, 'hash'>): string => `peapod-${paths.hash}-loopback`;
