import type { Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { podResource } from '#client/resources.ts';
import type { BindingPlugin } from '#scheduler/plugin.ts';

/** Permission to use a node was refused; the message is the plugin's reason. */
export class PermitRefused extends Error {
  override readonly name = 'PermitRefused';
}

/** Reserves for a pod what it needs beside the node; when one plugin throws, what the others have reserved is given back. */
export function reserve(plugins: readonly BindingPlugin[], pod: Pod, node: string): void {
  const done: BindingPlugin[] = [];
  try {
    for (const plugin of plugins) {
      done.push(plugin);
      plugin.reserve(pod, node);
    }
  } catch (error) {
    unreserve(done, pod, node);
    throw error;
  }
}

export function unreserve(plugins: readonly BindingPlugin[], pod: Pod, node: string): void {
  for (const plugin of plugins.toReversed()) plugin.unreserve(pod, node);
}

/** What has to happen before the binding may be written: every plugin permits it, then every plugin prepares it. */
export async function prepare(
  plugins: readonly BindingPlugin[],
  pod: Pod,
  node: string,
  signal: AbortSignal,
): Promise<void> {
  for (const plugin of plugins) {
    const permit = await plugin.permit?.(pod, node, signal);
    if (permit?.kind === 'refused') throw new PermitRefused(permit.reason);
  }
  for (const plugin of plugins) await plugin.preBind?.(pod, node, signal);
}

/**
 * One write, which the server refuses when the pod has a node, is another one by now, or is being deleted. After a
 * failure other than an ApiError, and when aborted, it is not known whether the pod is bound: whoever watches it will see.
 */
export async function writeBinding(client: Client, pod: Pod, node: string, signal: AbortSignal): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid },
    target: { kind: 'Node', name: node },
  };
  await client.post(podResource, { namespace, name, subresource: 'binding' }, binding, signal);
}
