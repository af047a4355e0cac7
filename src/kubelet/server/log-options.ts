import type { LogOptions } from '#kubelet/server/container-logs.ts';

export type ParsedLogOptions =
  | { readonly kind: 'valid'; readonly value: LogOptions }
  | { readonly kind: 'invalid'; readonly message: string };

/** PodLogOptions as they come in a query, in upstream's names. `now` in epoch ms, for `sinceSeconds`. */
export function logOptionsOf(query: URLSearchParams, now: number): ParsedLogOptions {
  const tailLines = wholeNumber(query.get('tailLines'));
  const limitBytes = wholeNumber(query.get('limitBytes'));
  const sinceSeconds = wholeNumber(query.get('sinceSeconds'));
  const sinceTime = query.get('sinceTime');
  const stream = query.get('stream') ?? 'All';
  if (tailLines === 'invalid') return invalid('tailLines must be a whole number');
  if (limitBytes === 'invalid' || limitBytes === 0) return invalid('limitBytes must be greater than 0');
  if (sinceSeconds === 'invalid' || sinceSeconds === 0) return invalid('sinceSeconds must be greater than 0');
  if (sinceTime !== null && Number.isNaN(Date.parse(sinceTime)))
    return invalid(`sinceTime ${JSON.stringify(sinceTime)} is not a time as RFC 3339 writes it`);
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr')
    return invalid('stream must be one of All, Stdout, Stderr');
  const since =
    sinceSeconds === undefined ? (sinceTime === null ? undefined : Date.parse(sinceTime)) : now - sinceSeconds * 1000;
  const is = (name: string): boolean => query.get(name) === 'true' || query.get(name) === '1';
  return {
    kind: 'valid',
    value: { follow: is('follow'), timestamps: is('timestamps'), tailLines, since, limitBytes, stream },
  };
}

const invalid = (message: string): ParsedLogOptions => ({ kind: 'invalid', message });

function wholeNumber(text: string | null): number | undefined | 'invalid' {
  if (text === null || text === '') return undefined;
  return /^\d+$/.test(text) ? Number(text) : 'invalid';
}
