import type { Node, Taint } from '#api/generated/core-v1.ts';
import { isSameTaint, notReadyTaint } from '#api/taints.ts';
import type { Client } from '#client/client.ts';
import { nodeResource } from '#client/resources.ts';
import { UserError } from '#cli/user-error.ts';

const isUntilReady = (taint: Taint): boolean => isSameTaint(taint, { key: notReadyTaint, effect: 'NoSchedule' });

export interface Awaited {
  readonly name: string;
  readonly withinMs: number;
  /** Epoch ms, counted in whole seconds: what the node said before, it said of another life. */
  readonly since: number;
}

/** The same of several at once. */
export const nodesReady = async (
  client: Client,
  { names, ...within }: Omit<Awaited, 'name'> & { readonly names: readonly string[] },
  signal: AbortSignal,
): Promise<void> => {
  await Promise.all(names.map((name) => waitUntilReady(client, { name, ...within }, signal)));
};

/** Resolves once the node is Ready; throws UserError, with what the node says of itself, when it is not in time. */
async function waitUntilReady(client: Client, { name, withinMs, since }: Awaited, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(Math.max(1, withinMs));
  let last: string | undefined;
  try {
    const options = { fieldSelector: `metadata.name=${name}`, sendInitialEvents: true };
    for await (const event of client.watch<Node>(nodeResource, options, AbortSignal.any([signal, deadline]))) {
      if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue;
      const ready = event.object.status?.conditions?.find(({ type }) => type === 'Ready');
      const spokenAt = Date.parse(ready?.lastHeartbeatTime ?? '');
      if (!(spokenAt >= Math.floor(since / 1000) * 1000)) continue;
      // Before the taint of its creation is off it gets no pods; that takes milliseconds.
      if (ready?.status === 'True' && !event.object.spec?.taints?.some(isUntilReady)) return;
      last = ready?.message;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
  }
  throw new UserError(
    `node ${name} is not Ready after ${Math.round(withinMs / 1000)} s: ${last ?? 'it has not reported'}`,
  );
}
