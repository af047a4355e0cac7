import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeTraits } from '#cli/cluster-shape.ts';
import type { NodeRequest } from '#cli/commands.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import type { NodeRange } from '#network/network.ts';

/** What an agent, the process of a node that is a host of its own, is told. Its certificates lie in DATA/pki. */
export interface AgentConfig {
  readonly cluster: { readonly name: string; readonly dataDir: string };
  readonly node: string;
  /** Where the API is reached from the node: an https URL. */
  readonly api: string;
  /** The node's own, where its server listens. */
  readonly address: string;
  readonly pods: NodeRange;
  readonly traits: NodeTraits;
  readonly settings: NodeRequest;
  readonly allowedUnsafeSysctls: readonly string[];
  /** Of static pods. */
  readonly manifests: string;
  /** Differs each time the node was switched on. */
  readonly bootId: string;
}

const fileOf = (paths: ClusterPaths, node: string): string => join(paths.hosts, `${node}.json`);

/** The last one written; undefined when there is none since the machine was started. */
export function readAgentConfig(paths: ClusterPaths, node: string): AgentConfig | undefined {
  try {
    // Written by ourselves, whole, and gone with RUN.
    return JSON.parse(readFileSync(fileOf(paths, node), 'utf8')) as AgentConfig;
  } catch {
    return undefined;
  }
}

/** Gives the file's path. */
export function writeAgentConfig(paths: ClusterPaths, config: AgentConfig): string {
  const file = fileOf(paths, config.node);
  writeFileSync(`${file}.draft`, JSON.stringify(config), { mode: 0o600 });
  renameSync(`${file}.draft`, file);
  return file;
}
