import type { NodeCommand } from '#cli/commands.ts';
import type { Tell } from '#cli/tell.ts';
import { UserError } from '#cli/user-error.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { realClock } from '#lib/clock.ts';
import { unreachable } from '#lib/unreachable.ts';
import { withClient } from '#main/access.ts';
import { isSwitchedOff, switchOff, switchOn } from '#main/agents.ts';
import { readRunState } from '#main/run-state.ts';
import { runningShape } from '#main/shape.ts';
import { nodesReady } from '#main/wait-until-ready.ts';
import { portName, setLinked } from '#network/node-network.ts';

const READY_WITHIN_MS = 60_000;

/** `peapod node …`: what befalls a node that is a host of its own. Doing what is done already changes nothing. */
export async function nodeCommand(paths: ClusterPaths, { action, node }: NodeCommand, tell: Tell): Promise<number> {
  const { index } = nodeNamed(paths, node);
  const port = portName(paths, index);
  const never = new AbortController().signal;
  switch (action) {
    case 'stop':
      await switchOff(paths, node, realClock, never);
      tell.line(`node ${node} is off`);
      return 0;
    case 'start':
      await start(paths, node);
      tell.line(`node ${node} is Ready`);
      return 0;
    case 'partition':
      await setLinked(port, false, never);
      tell.line(`node ${node} is cut off`);
      return 0;
    case 'heal':
      await setLinked(port, true, never);
      tell.line(`node ${node} is joined again`);
      return 0;
    default:
      return unreachable(action);
  }
}

function nodeNamed(paths: ClusterPaths, name: string): { readonly index: number } {
  if (readRunState(paths) === undefined)
    throw new UserError(`cluster ${paths.name} does not run: \`peapod up --nodes 3\` starts one of three nodes`);
  const nodes = runningShape(paths)?.nodes ?? [];
  if (nodes.length < 2)
    throw new UserError(`the only node of cluster ${paths.name} is this machine: start it with --nodes 2 or more`);
  const found = nodes.find((node) => node.name === name);
  if (found === undefined)
    throw new UserError(`there is no node ${name}: there are ${nodes.map((one) => one.name).join(', ')}`);
  return found;
}

async function start(paths: ClusterPaths, node: string): Promise<void> {
  // One that was never off has been Ready for long.
  const since = isSwitchedOff(paths, node) ? realClock.now() : 0;
  switchOn(paths, node);
  const within = { names: [node], withinMs: READY_WITHIN_MS, since };
  await withClient(paths, (client) => nodesReady(client, within, new AbortController().signal));
}
