import type { Clock } from '#lib/clock.ts';

/** What `read` gives, asked again only when what is known is `keptMs` old: for what is dear to read and seldom changes. */
export function remembered<T>(read: () => T, keptMs: number, clock: Clock): () => T {
  let known: { readonly value: T; readonly until: number } | undefined;
  return () => {
    const now = clock.now();
    if (known === undefined || now >= known.until) known = { value: read(), until: now + keptMs };
    return known.value;
  };
}
