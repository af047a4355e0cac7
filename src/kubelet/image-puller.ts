import type { Pod, Secret } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { secretResource } from '#client/resources.ts';
import type { SandboxConfig } from '#cri/config.ts';
import type { ContainerRuntime, ImageRef, PullOptions, RegistryAuth } from '#cri/runtime.ts';
import type { Clock } from '#lib/clock.ts';

export interface Pulled {
  readonly ref: ImageRef;
  readonly tookMs: number;
  readonly sizeBytes: number | undefined;
}

export interface PullerDeps {
  readonly runtime: ContainerRuntime;
  readonly client: Client;
  readonly clock: Clock;
  /** What the pod's sandbox is run with. */
  readonly sandbox: (pod: Pod) => Promise<SandboxConfig>;
}

/** Fetches images with the credentials a pod names. Pulls of different pods run beside each other. */
export class ImagePuller {
  readonly #deps: PullerDeps;

  constructor(deps: PullerDeps) {
    this.#deps = deps;
  }

  /** Rejects with RuntimeFault (`pullReason` says which kind of failure), or the signal's reason. */
  async pull(pod: Pod, image: string, signal: AbortSignal): Promise<Pulled> {
    const { runtime, clock } = this.#deps;
    const begun = clock.now();
    const auths = await this.#credentials(pod, image, signal);
    // For whom it is pulled may say where to put it.
    const sandbox = await this.#deps.sandbox(pod);
    const choices = auths.length > 0 ? auths.map((auth) => ({ sandbox, auth })) : [{ sandbox }];
    const ref = await this.#pullWith(choices, image, signal);
    const tookMs = clock.now() - begun;
    const found = await runtime.images.status(ref, signal);
    return { ref, tookMs, sizeBytes: found?.sizeBytes };
  }

  /** The first credentials that do; upstream tries them in the order of the pod's list. */
  async #pullWith(choices: readonly PullOptions[], image: string, signal: AbortSignal): Promise<ImageRef> {
    let refused: unknown;
    for (const options of choices) {
      try {
        return await this.#deps.runtime.images.pull(image, options, signal);
      } catch (error) {
        signal.throwIfAborted();
        refused = error;
      }
    }
    throw refused;
  }

  async #credentials(pod: Pod, image: string, signal: AbortSignal): Promise<readonly RegistryAuth[]> {
    const namespace = pod.metadata.namespace ?? '';
    const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name ?? '').filter((name) => name !== '');
    const secrets = await Promise.all(
      names.map((name) => this.#deps.client.get(secretResource, { namespace, name }, signal)),
    );
    return secrets.flatMap((secret) => (secret ? authsFor(secret, registryOf(image)) : []));
  }
}

/** The registry a name is pulled from: docker.io unless its first part is a host. */
export function registryOf(image: string): string {
  const first = image.split('/')[0] ?? '';
  const named = image.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return named ? first : 'docker.io';
}

/** The credentials a `kubernetes.io/dockerconfigjson` (or dockercfg) secret holds for a registry. */
export function authsFor(secret: Secret, registry: string): readonly RegistryAuth[] {
  const modern = secret.data?.['.dockerconfigjson'];
  const old = secret.data?.['.dockercfg'];
  const text = modern ?? old;
  if (text === undefined) return [];
  const config = parsed(new TextDecoder().decode(Uint8Array.fromBase64(text)));
  const entries = (modern === undefined ? config : (config['auths'] ?? {})) as Readonly<Record<string, RegistryAuth>>;
  return Object.entries(entries)
    .filter(
      ([server]) => hostOf(server) === registry || (registry === 'docker.io' && hostOf(server) === 'index.docker.io'),
    )
    .map(([server, { username, password, auth }]) => ({ username, password, auth, serverAddress: server }));
}

/** A secret that does not parse gives no credentials: the registry then says what it thinks of that. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

const hostOf = (server: string): string => server.replace(/^https?:\/\//, '').split('/')[0] ?? '';

/** Upstream's words for a pull that succeeded. */
export function pulledMessage(image: string, { tookMs, sizeBytes }: Pulled): string {
  const took = tookMs < 1000 ? `${Math.round(tookMs)}ms` : `${Number((tookMs / 1000).toFixed(3))}s`;
  const size = sizeBytes === undefined ? '' : ` Image size: ${sizeBytes} bytes.`;
  return `Successfully pulled image "${image}" in ${took} (${took} including waiting).${size}`;
}
