import type { ContainerRuntime } from '#cri/runtime.ts';
import { labels } from '#kubelet/observed.ts';

export interface Listing {
  /** UIDs of the pods of which the runtime has anything. */
  readonly uids: ReadonlySet<string>;
  /** Whether the lists show the pod otherwise than the last time; true of all when there was none. */
  readonly hasChanged: (uid: string) => boolean;
}

/** The runtime's lists of what a node has made, each compared with the one before. */
export class RuntimeLists {
  readonly #runtime: ContainerRuntime;
  readonly #own: { readonly labels: Readonly<Record<string, string>> };
  #last: ReadonlyMap<string, string> | undefined;

  /** `owner` is what the node writes on all it makes (`labels.owner`). */
  constructor(runtime: ContainerRuntime, owner: string) {
    this.#runtime = runtime;
    this.#own = { labels: { [labels.owner]: owner } };
  }

  async next(signal: AbortSignal): Promise<Listing> {
    const { sandboxes, containers } = this.#runtime;
    const listed = await Promise.all([sandboxes.list(this.#own, signal), containers.list(this.#own, signal)]);
    const [before, after] = [this.#last, statesByPod(listed.flat())];
    this.#last = after;
    return {
      uids: new Set(after.keys()),
      hasChanged: (uid) => before === undefined || before.get(uid) !== after.get(uid),
    };
  }

  /** The next listing will be as the first was. */
  forget(): void {
    this.#last = undefined;
  }
}

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** By UID; lists have no order of their own. */
function statesByPod(listed: readonly Listed[]): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const { id, state, labels: of } of listed.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const uid = of[labels.podUid];
    if (uid !== undefined) states.set(uid, `${states.get(uid) ?? ''} ${id} ${state}`);
  }
  return states;
}
