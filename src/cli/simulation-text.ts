import type { SimulatedPod, Simulation } from '#api/peapod/simulation.ts';
import { impasseLines } from '#cli/impasse-lines.ts';
import type { Terminal } from '#cli/terminal.ts';

type Style = Terminal['style'];

/** A line for each pod: its node and how the choice was made, or why it has none. What is told of one is not told again of the next. */
export function simulationText({ pods }: Simulation, style: Style): readonly string[] {
  const names = namesOf(pods);
  const width = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));
  const [nameWidth, nodeWidth] = [width(names), width(pods.map(({ node = NOWHERE }) => node))];
  const told = new Map<string, string>();
  const lines = pods.flatMap((pod, at) => {
    const name = names[at]!;
    const where = pod.node ?? NOWHERE;
    const head = `${style('bold', name.padEnd(nameWidth))}  ${style(pod.node === undefined ? 'red' : 'green', where.padEnd(nodeWidth))}`;
    if (pod.node !== undefined) return [`${head}  ${choiceText(pod)}`.trimEnd()];
    const why = whyLines(pod);
    const before = told.get(why.join('\n'));
    if (before !== undefined) return [`${head}  as ${before}`];
    told.set(why.join('\n'), name);
    return [`${head}  ${why[0]}`, ...why.slice(1).map((line) => `${' '.repeat(nameWidth + 2)}${line}`)];
  });
  const placed = pods.filter(({ node }) => node !== undefined).length;
  return [...lines, style('dim', summary(placed, pods.length))];
}

const NOWHERE = 'nowhere';

function summary(placed: number, all: number): string {
  if (all === 1) return placed === 1 ? 'it fits' : 'it does not fit';
  return placed === all ? `all ${all} pods fit` : `${placed} of ${all} pods fit`;
}

/** With namespaces where there are several. */
function namesOf(pods: readonly SimulatedPod[]): readonly string[] {
  const isOne = new Set(pods.map(({ pod }) => pod.namespace)).size === 1;
  return pods.map(({ pod: { namespace, name } }) => (isOne ? name : `${namespace}/${name}`));
}

function choiceText({ attempt }: SimulatedPod): string {
  if (attempt === undefined) return 'which it names itself';
  const { feasible, nodes, best = [] } = attempt;
  const of = nodes === 1 ? 'the only node' : `${feasible} of ${nodes} nodes ${feasible === 1 ? 'fits' : 'fit'}`;
  const scores = best.flatMap(({ node, score }) => (score === undefined ? [] : [`${node} ${score}`]));
  return scores.length > 1 ? `${of}: ${scores.join(', ')}` : of;
}

function whyLines({ pod, sentence, help, impasse }: SimulatedPod): readonly string[] {
  const why = sentence.startsWith(`${pod.name} `) ? sentence.slice(pod.name.length + 1) : sentence;
  const short = why.replace(/^has no node: /, '');
  return [short, ...(help === '' ? [] : [`→ ${help}`]), ...(impasse === undefined ? [] : impasseLines(impasse))];
}
