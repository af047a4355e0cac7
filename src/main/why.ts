import type { WhyRequest } from '#cli/commands.ts';
import type { Terminal } from '#cli/terminal.ts';
import { why, whyAll } from '#cli/why.ts';
import { verdictText } from '#cli/verdict-text.ts';
import { unreadyText, type WhyAnswer, whyText } from '#cli/why-text.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { isCancellation } from '#lib/scope.ts';
import { withClient } from '#main/access.ts';
import { keptProfiles } from '#main/kept-scheduler-config.ts';
import { whyNode } from '#main/why-node.ts';
import { whyNowhere } from '#main/why-nowhere.ts';

const ANSWER_WITHIN_MS = 10_000;
/** The whole of a large cluster. */
const READ_WITHIN_MS = 60_000;

/** The lines of `peapod why`. Throws UserError for a pod that nobody has heard of. */
export async function whyCommand(
  paths: ClusterPaths,
  { pod, namespace, node, output }: WhyRequest,
  { style }: Pick<Terminal, 'style'>,
): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  return withClient(paths, async (client) => {
    const deps = { client, now: Date.now };
    if (pod !== undefined) {
      const { at, ...answer } = await why(deps, { name: pod, namespace }, signal);
      const profiles = await keptProfiles(paths);
      if (node !== undefined) {
        const verdict = await whyNode({ client, profiles }, answer, node, AbortSignal.timeout(READ_WITHIN_MS));
        return output === 'json' ? [JSON.stringify(verdict)] : verdictText(verdict, at, style);
      }
      const impasse = await inTime((stop) => whyNowhere(client, profiles, answer, stop));
      const whole = impasse === undefined ? answer : { ...answer, impasse };
      return output === 'json' ? [JSON.stringify(whole)] : whyText(whole, at, style);
    }
    const { unready, total } = await whyAll(deps, namespace, signal);
    const short = unready.map(withoutEntries);
    return output === 'json' ? [JSON.stringify(short)] : unreadyText(short, total, style);
  });
}

/** What is known without must not wait for ever for what would only add to it: undefined when it takes too long. */
async function inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    return await work(signal);
  } catch (error) {
    if (isCancellation(error, signal)) return undefined;
    throw error;
  }
}

function withoutEntries(answer: WhyAnswer): Omit<WhyAnswer, 'entries'> {
  const { entries: _, ...short } = answer;
  return short;
}
