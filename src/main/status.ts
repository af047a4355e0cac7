import { simulatedNodeName } from '#cli/cluster-shape.ts';
import type { Node } from '#api/generated/core-v1.ts';
import { nodeResource } from '#client/resources.ts';
import { withClient } from '#main/access.ts';
import { readRunState, type RunState } from '#main/run-state.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { UserError } from '#cli/user-error.ts';

export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
}

/** The body of `peapod status -o json`: what the process says of itself, and what the API says of its nodes. */
export type Status = Omit<RunState, 'nodes' | 'simulatedNodes'> & {
  /** All but those that peapod simulates. */
  readonly nodes: readonly NodeState[];
  readonly simulatedNodes: { readonly count: number; readonly ready: number };
};

const ANSWER_WITHIN_MS = 5000;

export async function statusOf(paths: ClusterPaths): Promise<Status> {
  const state = readRunState(paths);
  if (state === undefined)
    throw new UserError(`cluster ${paths.name} does not run (its data dir is ${paths.data}); \`peapod up\` starts it`);
  const { items } = await withClient(paths, (client) =>
    client.list<Node>(nodeResource, {}, AbortSignal.timeout(ANSWER_WITHIN_MS)),
  );
  const ready = (node: Node): boolean =>
    node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const simulated = new Set(
    Array.from({ length: state.simulatedNodes }, (_, index) => simulatedNodeName(paths.name, index + 1)),
  );
  const states = items.map((node): NodeState => ({ name: node.metadata.name, ready: ready(node) }));
  return {
    ...state,
    nodes: states.filter(({ name }) => !simulated.has(name)),
    simulatedNodes: {
      count: simulated.size,
      ready: states.filter((one) => one.ready && simulated.has(one.name)).length,
    },
  };
}
