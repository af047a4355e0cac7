import type { ClusterView, NodeView, Opinion, PodVerdict, Rejected } from '#scheduler/plugin.ts';

/**
 * What one plugin says of every node to all pods of one text (see `SchedulerPlugin.share`): the node's refusal, and its score before
 * it is normalized. Brought up to date by asking the plugin's own `filter` and `score` of the nodes that have changed.
 */
export class ShareTable {
  /** What `consider` said to the first pod of this text, and says to all of them. */
  readonly answer: PodVerdict | Opinion;
  readonly epoch: number;
  /** 0: fits; else the number of its refusal in `kinds`, from 1. Valid up to the number of nodes. */
  refused = new Uint8Array(0);
  readonly kinds: Rejected[] = [];
  /** How many nodes are refused. */
  refusals = 0;
  scores = new Float64Array(0);
  /** How many scores are not 0. */
  scored = 0;
  readonly scorer: ReturnType<NonNullable<Opinion['scorer']>>;
  #seen: number | undefined;
  #nodes = 0;

  constructor(answer: PodVerdict | Opinion, epoch: number) {
    this.answer = answer;
    this.epoch = epoch;
    this.scorer = answer.kind === 'opinion' ? answer.scorer?.([]) : undefined;
  }

  catchUp(cluster: ClusterView): void {
    const { nodes } = cluster;
    if (this.#seen === cluster.changes && this.#nodes === nodes.length) return;
    const changed = this.#seen === undefined ? undefined : cluster.changedSince(this.#seen);
    this.#resize(nodes.length);
    if (changed === undefined || changed.length > nodes.length) for (const node of nodes) this.#ask(node);
    else
      for (const position of changed) {
        const node = nodes[position];
        if (node !== undefined) this.#ask(node);
      }
    this.#seen = cluster.changes;
  }

  #resize(nodes: number): void {
    // What is cut off is counted no more; new places are 0 and fit, until they are asked about.
    for (let at = nodes; at < this.#nodes; at++) this.#put(at, 0, 0);
    this.#nodes = nodes;
    if (this.refused.length >= nodes) return;
    const room = Math.ceil(nodes * 1.25);
    const [refused, scores] = [this.refused, this.scores];
    this.refused = new Uint8Array(room);
    this.scores = new Float64Array(room);
    this.refused.set(refused);
    this.scores.set(scores);
  }

  #ask(node: NodeView): void {
    const verdict = this.answer.kind === 'opinion' ? this.answer.filter?.(node) : undefined;
    const kind = verdict === undefined || verdict.kind === 'fits' ? 0 : this.#kindOf(verdict);
    this.#put(node.position, kind, this.scorer?.score(node) ?? 0);
  }

  #put(at: number, kind: number, score: number): void {
    this.refusals += (kind === 0 ? 0 : 1) - (this.refused[at] === 0 ? 0 : 1);
    this.scored += (score === 0 ? 0 : 1) - (this.scores[at] === 0 ? 0 : 1);
    this.refused[at] = kind;
    this.scores[at] = score;
  }

  #kindOf(why: Rejected): number {
    const known = this.kinds.findIndex((each) => each === why || isAlike(each, why));
    if (known >= 0) return known + 1;
    this.kinds.push(why);
    if (this.kinds.length > 255)
      throw new Error('a plugin has more than 255 reasons to refuse nodes to one kind of pod');
    return this.kinds.length;
  }
}

const isAlike = (a: Rejected, b: Rejected): boolean =>
  a.final === b.final &&
  a.reasons.length === b.reasons.length &&
  a.reasons.every((reason, at) => reason === b.reasons[at]);
