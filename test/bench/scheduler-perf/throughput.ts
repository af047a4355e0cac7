/**
 * Upstream's way to count: how many pods got a node in each second, without the first one; the mean of that. A run that is over
 * before two seconds have passed has no such sample: then it is all pods by all the time.
 */
export class Throughput {
  readonly #wanted: number;
  readonly #samples: number[] = [];
  readonly #done = Promise.withResolvers<void>();
  readonly #since = performance.now();
  #sampledAt = this.#since;
  #sampled = 0;
  #bound = 0;
  #until: number | undefined;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** A pod has its node. */
  count(): void {
    this.#bound++;
    const now = performance.now();
    if (now - this.#sampledAt >= 1000) this.#sample(now);
    if (this.#bound < this.#wanted) return;
    this.#until = now;
    this.#done.resolve();
  }

  get bound(): number {
    return this.#bound;
  }

  /** Resolves once every pod has its node. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Pods a second. */
  get mean(): number {
    const [, ...samples] = this.#samples;
    if (samples.length > 0) return samples.reduce((sum, each) => sum + each, 0) / samples.length;
    return (this.#bound / ((this.#until ?? performance.now()) - this.#since)) * 1000;
  }

  get samples(): readonly number[] {
    return this.#samples;
  }

  #sample(now: number): void {
    this.#samples.push(((this.#bound - this.#sampled) / (now - this.#sampledAt)) * 1000);
    [this.#sampled, this.#sampledAt] = [this.#bound, now];
  }
}
