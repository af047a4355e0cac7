import type { User } from '#api/transport.ts';
import type { EntrySource } from '#api/peapod/pod-timeline.ts';

const NODE = 'system:node:';

/** As which component a user tells of pods; undefined for who is none that does. */
export function teller({ name, groups }: User): EntrySource | undefined {
  if (name === 'system:kube-scheduler') return { component: 'scheduler' };
  if (!name.startsWith(NODE) || !groups.includes('system:nodes')) return undefined;
  return { component: 'kubelet', node: name.slice(NODE.length) };
}
