import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Children, type ChildSpec } from '#host/children.ts';
import { type ClusterPaths, nodePaths, prepareNodeDirectories } from '#host/data-dir.ts';
import { isAlive, signalProcess } from '#host/proc.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';
import { type AgentConfig, readAgentConfig, writeAgentConfig } from '#main/agent-config.ts';
import type { Log } from '#main/log.ts';
import { namespaceFile } from '#network/node-network.ts';
import { powerOff } from '#network/tear-down-node.ts';

/** The agents of nodes that are hosts of their own: a child each (children.ts), kept running while its node is switched on. */

const AGENT = join(import.meta.dirname, 'agent.ts');
/** It says good-bye to nobody: what it runs goes on without it. */
const AGENT_GRACE_MS = 5_000;
/** How soon a node that is switched on again is seen; a look at one file. */
const SWITCH_POLL_MS = 100;

export interface AgentsParts {
  readonly paths: ClusterPaths;
  readonly clock: Clock;
  readonly children: Children;
  readonly log: Log;
}

const agentChild = (node: string): string => `agent-${node}`;
const switchFile = (paths: ClusterPaths, node: string): string => join(paths.hosts, `${node}.off`);
export const isSwitchedOff = (paths: ClusterPaths, node: string): boolean => existsSync(switchFile(paths, node));

/**
 * Starts one, or takes over the one that runs if it was told the same, and keeps it running in `scope`. With the scope the
 * agent ends, and its containers run on.
 */
export async function keepAgent(
  config: Omit<AgentConfig, 'bootId'>,
  { paths, clock, children, log }: AgentsParts,
  scope: Scope,
): Promise<void> {
  const { node } = config;
  const name = agentChild(node);
  const told = readAgentConfig(paths, node);
  const isSame = told !== undefined && JSON.stringify(told) === JSON.stringify({ ...config, bootId: told.bootId });
  if (!isSame) await children.stop(name, AGENT_GRACE_MS, scope.signal);
  prepareNodeDirectories(nodePaths(paths, node));
  let { bootId } = told ?? { bootId: randomUUID() };
  const mayStart = async (signal: AbortSignal): Promise<void> => {
    const wasOff = isSwitchedOff(paths, node);
    while (isSwitchedOff(paths, node)) await clock.sleep(SWITCH_POLL_MS, signal);
    if (wasOff) bootId = randomUUID();
    prepareNodeDirectories(nodePaths(paths, node));
    writeAgentConfig(paths, { ...config, bootId });
  };
  const watcher = {
    mayStart,
    ended: (child: { readonly pid: number }, exit: object): void =>
      log(`the agent of ${node} (pid ${child.pid}) ended: ${JSON.stringify(exit)}`),
    failed: (error: unknown): void => log(`the agent of ${node} cannot be started`, error),
  };
  const adopted = children.find(name);
  if (adopted !== undefined) signalProcess(adopted, 'SIGHUP');
  scope.spawn(`agent of ${node}`, (signal) => children.keepRunning(specOf(paths, node), watcher, signal));
}

/** Ends them, and not what they run. */
export async function stopAgents(
  { paths, clock }: Pick<AgentsParts, 'paths' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const children = new Children(paths.children, clock);
  const agents = children.names().filter((name) => name.startsWith(agentChild('')));
  await Promise.all(agents.map((name) => children.stop(name, AGENT_GRACE_MS, signal)));
}

/** Not `ip netns exec`: that mounts a new /sys, which hides the cgroups. The host's name is its own: pods of the host's network see it. */
function specOf(paths: ClusterPaths, node: string): ChildSpec {
  const script = 'hostname "$0" && exec "$@"';
  const agent = [process.execPath, ...process.execArgv, AGENT, paths.name, paths.data, node];
  return {
    name: agentChild(node),
    command: '/usr/bin/nsenter',
    args: [`--net=${namespaceFile(paths, node)}`, 'unshare', '--uts', 'sh', '-c', script, node, ...agent],
    program: 'node',
    logFile: join(nodePaths(paths, node).root, 'agent.log'),
  };
}

/** As if its plug was pulled, whoever keeps it running: everything it runs is killed. Off already, it is made sure of. */
export async function switchOff(paths: ClusterPaths, node: string, clock: Clock, signal: AbortSignal): Promise<void> {
  writeFileSync(switchFile(paths, node), '', { mode: 0o600 });
  const agent = new Children(paths.children, clock).find(agentChild(node));
  if (agent !== undefined) {
    signalProcess(agent, 'SIGKILL');
    while (isAlive(agent)) await clock.sleep(5, signal);
  }
  await powerOff(nodePaths(paths, node), clock, signal);
}

/** Whoever keeps its agent running starts it. */
export const switchOn = (paths: ClusterPaths, node: string): void => rmSync(switchFile(paths, node), { force: true });
