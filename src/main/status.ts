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
export type Status = Omit<RunState, 'nodes'> & { readonly nodes: readonly NodeState[] };

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
  return { ...state, nodes: items.map((node) => ({ name: node.metadata.name, ready: ready(node) })) };
}
