import type { Opinion, SchedulerPlugin } from '#scheduler/plugin.ts';

/** Which of a plugin's parts are on. */
export interface Parts {
  /** It may name the only nodes there are for a pod, or refuse it everywhere. */
  readonly narrows: boolean;
  readonly filters: boolean;
  readonly scores: boolean;
}

/** The plugin with some of its parts turned off; itself when none is. */
export function parted(plugin: SchedulerPlugin, parts: Parts): SchedulerPlugin {
  const { narrows, filters, scores } = parts;
  if (narrows && filters && scores) return plugin;
  return {
    ...plugin,
    consider(pod, cluster) {
      const answer = plugin.consider(pod, cluster);
      if (answer.kind === 'opinion') return opinionOf(answer, parts);
      return answer.kind === 'rejected' && !narrows ? { kind: 'skip' } : answer;
    },
    ...(narrows || filters ? {} : { interests: [] }),
  };
}

function opinionOf({ nodes, filter, filterAll, adjusted, scorer }: Opinion, parts: Parts): Opinion {
  const { narrows, filters, scores } = parts;
  return {
    kind: 'opinion',
    ...(narrows && nodes !== undefined ? { nodes } : {}),
    ...(filters && filter !== undefined ? { filter } : {}),
    ...(filters && filterAll !== undefined ? { filterAll } : {}),
    ...(filters && adjusted !== undefined
      ? { adjusted: (change, pod, node) => opinionOf(adjusted(change, pod, node), parts) }
      : {}),
    ...(scores && scorer !== undefined ? { scorer } : {}),
  };
}
