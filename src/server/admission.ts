import type { KubeObject } from '#api/meta.ts';
import type { User } from '#api/transport.ts';
import type { StoreKey } from '#store/store.ts';
import type { Stored } from '#server/cache/stored.ts';
import type { Descriptor } from '#server/descriptor.ts';

/**
 * Admission: what may still be changed or refused about a write, by rules that need more than the object itself. Plugins run in
 * order; first all that change, then, after validation, all that only judge.
 */
export interface AdmissionPlugin {
  readonly name: string;
  /** Gives the object to go on with. Throws an ApiError to refuse. */
  mutate?(request: AdmissionRequest, object: KubeObject): KubeObject | Promise<KubeObject>;
  /** Throws an ApiError to refuse. */
  validate?(request: AdmissionRequest, object: KubeObject | undefined): void | Promise<void>;
}

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly descriptor: Descriptor;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly old: KubeObject | undefined;
  readonly user: User;
  readonly dryRun: boolean;
}

/** Reads the newest objects; the key is that of the store: `namespaces/default`. */
export type Lookup = {
  get(key: StoreKey): Stored | undefined;
  under(prefix: string): readonly Stored[];
};

export class Admission {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async mutate(request: AdmissionRequest, object: KubeObject): Promise<KubeObject> {
    let admitted = object;
    for (const plugin of this.#plugins) {
      if (plugin.mutate) admitted = await plugin.mutate(request, admitted);
    }
    return admitted;
  }

  async validate(request: AdmissionRequest, object: KubeObject | undefined): Promise<void> {
    for (const plugin of this.#plugins) if (plugin.validate) await plugin.validate(request, object);
  }
}
