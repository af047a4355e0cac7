/**
 * Which ids are sandboxes and which containers of which sandbox. Runtimes' event streams say neither, so the adapter remembers
 * what its calls returned and its lists showed. Forgetting is never wrong, only less informative.
 */
import type { ContainerId, SandboxId } from '#cri/runtime.ts';

export type KnownId =
  | { readonly kind: 'sandbox'; readonly id: SandboxId }
  | { readonly kind: 'container'; readonly id: ContainerId; readonly sandbox: SandboxId };

export class KnownIds {
  readonly #ids = new Map<string, { readonly known: KnownId; readonly turn: number }>();
  readonly #watchers = new Set<(made: KnownId) => void>();
  #turn = 0;

  get(id: string): KnownId | undefined {
    return this.#ids.get(id)?.known;
  }

  /** Something this adapter itself has just made. */
  made(known: KnownId): void {
    this.#ids.set(known.id, { known, turn: ++this.#turn });
    for (const watcher of this.#watchers) watcher(known);
  }

  onMade(watcher: (made: KnownId) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  forget(id: string): void {
    this.#ids.delete(id);
  }

  /** To be called before a list is asked for; the returned mark goes to `listed`. */
  mark(): number {
    return this.#turn;
  }

  /** What a list showed. With `complete`, what it did not show and was known before it was asked for is forgotten. */
  listed(all: readonly KnownId[], complete: KnownId['kind'] | undefined, mark: number): void {
    if (complete !== undefined) {
      for (const [id, { known, turn }] of this.#ids) {
        if (known.kind === complete && turn <= mark) this.#ids.delete(id);
      }
    }
    for (const known of all) this.#ids.set(known.id, { known, turn: mark });
  }
}
