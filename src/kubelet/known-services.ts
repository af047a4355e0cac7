import { keyOfRef } from '#api/meta.ts';
import type { Pod, Service } from '#api/generated/core-v1.ts';
import { isStaticPod } from '#api/pod-source.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import type { Informer } from '#client/informer.ts';
import { serviceResource } from '#client/resources.ts';
import { StepFailure } from '#kubelet/step-failure.ts';
import type { Clock } from '#lib/clock.ts';

/** How long a container waits for the first list; long enough for an API that has only just come up. */
const PATIENCE_MS = 5000;

const MASTER = keyOfRef({ namespace: 'default', name: 'kubernetes' });

/** The Services as the API has them: what containers that are made are told of. */
export class KnownServices {
  readonly #services: Informer<Service, 'byNamespace'>;
  readonly #clock: Clock;

  constructor(client: Client, clock: Clock) {
    this.#clock = clock;
    this.#services = createInformer({
      client,
      clock,
      resource: serviceResource,
      indexes: { byNamespace: ({ metadata }) => [metadata.namespace ?? ''] },
    });
  }

  /** Until `signal` aborts. Once. */
  run(signal: AbortSignal): Promise<void> {
    return this.#services.run(signal);
  }

  /**
   * Those a pod may be told of: its namespace's own, and `kubernetes`. Never from an API that has not answered yet: a container
   * without KUBERNETES_SERVICE_HOST would stay without. Throws StepFailure CreateContainerConfigError after a while. A static pod
   * waits for no API: it is told of what is known.
   */
  async of(pod: Pod, signal: AbortSignal): Promise<readonly Service[]> {
    if (!this.#services.hasSynced && !isStaticPod(pod)) await this.#synced(signal);
    const { namespace = '' } = pod.metadata;
    const master = this.#services.get(MASTER);
    const own = this.#services.by('byNamespace', namespace);
    return master === undefined || namespace === 'default' ? own : [...own, master];
  }

  async #synced(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const patience = this.#clock.sleep(PATIENCE_MS, both);
    const known = await Promise.race([
      this.#services.synced(both).then(() => true),
      patience.then(() => false),
    ]).finally(() => over.abort());
    if (known) return;
    const message = 'services have not yet been read at least once, cannot construct envvars';
    throw new StepFailure('CreateContainerConfigError', message);
  }
}
