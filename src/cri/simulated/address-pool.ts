/** Most sandboxes one range serves, however large it is. */
const MOST = 65_000;

/**
 * Addresses of one range, given in order from the second host on (the first is the gateway's); a freed one only after all
 * others have been used, so that a new sandbox is seen to have a new address.
 */
export class AddressPool {
  readonly #format: (host: number) => string;
  readonly #last: number;
  readonly #taken = new Set<string>();
  #host = 1;

  /** `range` is an IPv4 network ('10.88.0.0/16'), or an IPv6 one that ends in '::' ('fd00:10:88::/64'). */
  constructor(range: string) {
    const [network = '', bits = ''] = range.split('/');
    if (network.endsWith('::')) {
      this.#format = (host) => network + host.toString(16);
      this.#last = MOST;
      return;
    }
    const parts = network.split('.').map(Number);
    const valid = parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256);
    if (!valid || !/^([89]|[12]\d|30)$/.test(bits)) throw new RangeError(`not a range of addresses: "${range}"`);
    const base = parts.reduce((number, part) => number * 256 + part, 0);
    this.#format = (host) => [24, 16, 8, 0].map((shift) => ((base + host) >>> shift) & 255).join('.');
    this.#last = Math.min(MOST, 2 ** (32 - Number(bits)) - 2);
  }

  /** undefined when all are taken. */
  take(): string | undefined {
    if (this.#taken.size >= this.#last - 1) return undefined;
    for (;;) {
      this.#host = this.#host >= this.#last ? 2 : this.#host + 1;
      const address = this.#format(this.#host);
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
  }

  free(address: string): void {
    this.#taken.delete(address);
  }
}
