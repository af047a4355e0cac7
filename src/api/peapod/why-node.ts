import { millisOf, spanOf } from '#api/peapod/span.ts';
import { brief, type Trouble } from '#api/peapod/trouble-texts.ts';
import { fateWords } from '#api/peapod/why-eviction.ts';
import type { WhyFacts } from '#api/peapod/why-facts.ts';

/** What is the matter with the node a pod is on; `what` is a clause of its own. undefined: nothing that is known. */
export function nodeTrouble({ pod, cluster, now }: WhyFacts): Trouble | undefined {
  const name = pod.spec.nodeName;
  if (!name || cluster === undefined) return undefined;
  const node = cluster.nodes.find(({ metadata }) => metadata.name === name);
  if (node === undefined) {
    const names = cluster.nodes.map((each) => each.metadata.name).join(', ');
    return {
      what: `there is no node ${name}`,
      help: `leave out spec.nodeName and create it anew (the nodes are: ${names || 'none'}), or start that node`,
    };
  }
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  const since = millisOf(ready?.lastTransitionTime);
  const fate = fateWords(pod, node, cluster.nodes, now);
  const said = brief(ready?.message ?? '');
  const why = `${said && `: ${fate ? said.replace(/\.$/, '') : said}`}${fate}`;
  return {
    what:
      since === undefined
        ? `node ${name} is not Ready${why}`
        : `node ${name} has not been Ready for ${spanOf(now - since)}${why}`,
    help: `see that peapod runs there: kubectl describe node ${name}`,
  };
}
