/** Names that are on or off. One that nobody has ever spoken of is unknown, and counts as on where a yes or no is needed. */
export class Toggles {
  readonly #states = new Map<string, boolean>();

  set(name: string, isOn: boolean): void {
    this.#states.set(name, isOn);
  }

  isOn(name: string): boolean {
    return this.#states.get(name) ?? true;
  }

  isKnown(name: string): boolean {
    return this.#states.has(name);
  }

  all(): Readonly<Record<string, boolean>> {
    return Object.fromEntries(this.#states);
  }
}
