/** Numbers that look random and are the same for the same seed, unless another is asked for: PEAPOD_TEST_SEED. */
export const testSeed = (): number => Number(process.env['PEAPOD_TEST_SEED'] ?? 20);

/** mulberry32: a small generator; in [0, 1). */
export function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
