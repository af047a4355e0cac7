import type { Node, Taint } from '#api/generated/core-v1.ts';
import { isSameTaint, notReadyTaint } from '#api/taints.ts';
import type { Client } from '#client/client.ts';
import { nodeResource } from '#client/resources.ts';
import { UserError } from '#cli/user-error.ts';

export interface Awaited {
  readonly names: readonly string[];
  readonly withinMs: number;
  /** Epoch ms, counted in whole seconds: what a node said before, it said of another life. */
  readonly since: number;
}

/** Resolves once they are all Ready; throws UserError, with what one says of itself, when they are not in time. */
export async function nodesReady(
  client: Client,
  { names, withinMs, since }: Awaited,
  signal: AbortSignal,
): Promise<void> {
  if (names.length === 0) return;
  const deadline = AbortSignal.timeout(Math.max(1, withinMs));
  const waiting = new Map<string, string | undefined>(names.map((name) => [name, undefined]));
  const only = names.length === 1 ? { fieldSelector: `metadata.name=${names[0]}` } : {};
  const options = { ...only, sendInitialEvents: true };
  try {
    for await (const event of client.watch<Node>(nodeResource, options, AbortSignal.any([signal, deadline]))) {
      if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
      const { name } = event.object.metadata;
      if (!waiting.has(name)) continue;
      const said = saidSince(event.object, since);
      if (said === 'ready') waiting.delete(name);
      else if (said !== undefined) waiting.set(name, said.message);
      if (waiting.size === 0) return;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
  }
  const [[name, message] = []] = waiting;
  const others = waiting.size === 1 ? '' : `, nor are ${waiting.size - 1} others`;
  throw new UserError(
    `node ${name} is not Ready after ${Math.round(withinMs / 1000)} s${others}: ${message ?? 'it has not reported'}`,
  );
}

const isUntilReady = (taint: Taint): boolean => isSameTaint(taint, { key: notReadyTaint, effect: 'NoSchedule' });

/** undefined: nothing, since then. */
function saidSince(
  { spec, status }: Node,
  since: number,
): 'ready' | { readonly message: string | undefined } | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const spokenAt = Date.parse(ready?.lastHeartbeatTime ?? '');
  if (!(spokenAt >= Math.floor(since / 1000) * 1000)) return undefined;
  // Before the taint of its creation is off it gets no pods; that takes milliseconds.
  if (ready?.status === 'True' && !spec?.taints?.some(isUntilReady)) return 'ready';
  return { message: ready?.message };
}
