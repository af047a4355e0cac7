import type { NodeVerdict, PluginVerdict } from '#api/peapod/node-verdict.ts';
import type { PodName } from '#cli/why-text.ts';
import { humanDuration } from '#cli/human-duration.ts';
import { obstacleWords } from '#cli/obstacle-words.ts';
import { weightedScore } from '#cli/score-lines.ts';
import type { Terminal } from '#cli/terminal.ts';

/** What `peapod why POD --node NODE -o json` prints. It only ever grows. */
export interface NodeAnswer {
  readonly pod: PodName;
  /** What the verdict is of: the cluster as it was at the latest attempt, or as it is. */
  readonly basis: VerdictBasis;
  readonly verdict: NodeVerdict;
  /** The verdict on the cluster as it is, of a pod that still has no node, where that is another. */
  readonly now?: NodeVerdict;
}

export type VerdictBasis =
  | {
      readonly kind: 'attempt';
      readonly attempt: number;
      /** Epoch milliseconds. */
      readonly at: number;
      readonly revisions: { readonly pods?: string; readonly nodes?: string };
      /**
       * As many nodes fit as the attempt has told. Where not, it counted what its scheduler alone knew: pods whose binding was
       * being written just then.
       */
      readonly repeats: boolean;
    }
  | {
      readonly kind: 'now';
      /** The latest attempt, whose revision is not kept any more; absent: none is remembered. */
      readonly attempt?: number;
      readonly revisions?: { readonly pods?: string; readonly nodes?: string };
    };

type Style = Terminal['style'];

/** First what it comes to, then a line for each plugin that has something to say. */
export function verdictText({ pod, basis, verdict, now }: NodeAnswer, at: number, style: Style): readonly string[] {
  const { plugins, fits } = verdict;
  const isHeard = ({ verdict: said, score }: PluginVerdict): boolean => said !== 'silent' || score !== undefined;
  const heard = plugins.filter(isHeard);
  const silent = plugins.filter((one) => !isHeard(one)).map(({ plugin }) => plugin);
  const width = Math.max(...heard.map(({ plugin }) => plugin.length), 0);
  return [
    `${style(fits ? 'green' : 'bold', headOf(pod.name, verdict))} ${style('dim', `(${basisText(basis, at)})`)}`,
    ...(verdict.reservedFor ?? []).map(({ namespace, name }) => `  room is being made there for ${namespace}/${name}`),
    ...heard.map((one) => `  ${one.plugin.padEnd(width)}  ${pluginText(one, style)}`),
    ...(silent.length === 0 ? [] : [style('dim', `  nothing to say of this pod: ${silent.join(', ')}`)]),
    ...(basis.kind === 'attempt' && !basis.repeats
      ? ['  the attempt came to another number of nodes: it also counted pods that were being bound just then']
      : []),
    ...(now === undefined ? [] : [`now: ${headOf(pod.name, now)}${now.fits ? '' : `: ${obstaclesText(now)}`}`]),
  ];
}

function headOf(pod: string, { node, fits, rank, total, feasible, nodes }: NodeVerdict): string {
  const count = `${feasible} of ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
  if (!fits) return `${node} cannot take ${pod}; ${count} can`;
  const place = feasible === 1 ? 'the only one that can' : `place ${rank} of the ${feasible} that can, with ${total}`;
  return `${node} can take ${pod}: ${place}`;
}

function basisText(basis: VerdictBasis, at: number): string {
  switch (basis.kind) {
    case 'attempt':
      return `as at attempt ${basis.attempt}, ${humanDuration(at - basis.at)} ago, ${revisionText(basis.revisions)}`;
    case 'now':
      return basis.attempt === undefined
        ? 'as the cluster is now'
        : `as the cluster is now: ${revisionText(basis.revisions)} of attempt ${basis.attempt} is not kept any more`;
  }
}

function revisionText({ pods, nodes }: { readonly pods?: string; readonly nodes?: string } = {}): string {
  if (pods === undefined || nodes === undefined) return 'the revision';
  return pods === nodes ? `revision ${pods}` : `revision ${pods} (nodes: ${nodes})`;
}

const obstaclesText = ({ plugins }: NodeVerdict): string =>
  plugins.flatMap(({ obstacles }) => obstacles.map(obstacleWords)).join('; ');

function pluginText({ verdict, obstacles, score, weight }: PluginVerdict, style: Style): string {
  if (verdict === 'refuses') return `${style('red', 'refuses')}  ${obstacles.map(obstacleWords).join('; ')}`;
  const fits = verdict === 'fits' ? style('green', 'fits') : '    ';
  return score === undefined ? fits : `${fits}  score ${weightedScore(score, weight)}`;
}
