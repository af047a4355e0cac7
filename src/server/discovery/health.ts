import type { Answer } from '#server/answer.ts';
import type { Query } from '#server/request.ts';

/** A named check; undefined when it passes, else why not. */
export interface HealthCheck {
  readonly name: string;
  readonly problem: () => string | undefined;
}

const roots = ['/healthz', '/livez', '/readyz'];

/** Undefined for a path that is none of theirs. */
export function answerHealth(path: string, query: Query, checks: readonly HealthCheck[]): Answer | undefined {
  const root = roots.find((each) => path === each || path.startsWith(`${each}/`));
  if (root === undefined) return undefined;
  const asked = path.slice(root.length + 1);
  const excluded = query['exclude'];
  const wanted =
    asked === '' ? checks.filter(({ name }) => name !== excluded) : checks.filter(({ name }) => name === asked);
  if (wanted.length === 0) return { kind: 'text', code: 404, text: '404 page not found\n' };
  const results = wanted.map(({ name, problem }) => ({ name, why: problem() }));
  const failed = results.some(({ why }) => why !== undefined);
  if (!failed && query['verbose'] === undefined) return { kind: 'text', code: 200, text: 'ok' };
  const lines = results.map(({ name, why }) => (why === undefined ? `[+]${name} ok` : `[-]${name} failed: ${why}`));
  const what = root.slice(1);
  const end = failed ? `${what} check failed` : `${what} check passed`;
  return { kind: 'text', code: failed ? 500 : 200, text: `${[...lines, end].join('\n')}\n` };
}
