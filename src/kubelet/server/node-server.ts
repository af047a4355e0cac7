import { join } from 'node:path';
import type { ContainerStatus, Pod } from '#api/generated/core-v1.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { RuntimeFault } from '#cri/fault.ts';
import { labels } from '#kubelet/observed.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { containerLogs } from '#kubelet/server/container-logs.ts';
import { logOptionsOf } from '#kubelet/server/log-options.ts';
import { Refusal } from '#kubelet/server/refusal.ts';
import { streamHandlers } from '#kubelet/server/streams.ts';
import type { Clock } from '#lib/clock.ts';
import type { Exchange, Handler, UpgradeHandler } from '#wire/exchange.ts';
import { SpliceError } from '#wire/splice.ts';

export interface NodeServerDeps {
  readonly runtime: ContainerRuntime;
  readonly podNamed: (of: { readonly namespace: string; readonly name: string }) => Pod | undefined;
  readonly files: PodFiles;
  readonly clock: Clock;
}

/** Who may ask a node anything: the API server, and whoever may do everything. */
const TRUSTED_GROUP = 'system:masters';

/**
 * What a node answers itself, under the paths of upstream's kubelet: logs and streams of its containers, its health. Only a
 * client certificate of the cluster's authority, of somebody trusted, gets anything but its health.
 */
export function nodeServer(deps: NodeServerDeps): { readonly handler: Handler; readonly upgrade: UpgradeHandler } {
  return {
    handler: (exchange) => answering(exchange, () => answer(deps, exchange)),
    upgrade: (exchange, socket, head) =>
      answering(exchange, async () => {
        const { kind, ...asked } = target(deps, exchange);
        const serve = streamHandlers.get(kind);
        if (serve === undefined) throw new Refusal(404, '404 page not found');
        await serve(deps.runtime, { ...asked, exchange, socket, head });
      }),
  };
}

async function answering(exchange: Exchange, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (exchange.responded || exchange.signal.aborted) return;
    if (error instanceof Refusal) return exchange.respond(error.status, text, error.message);
    if (error instanceof RuntimeFault || error instanceof SpliceError)
      return exchange.respond(500, text, error.message);
    throw error;
  }
}

const text = { 'content-type': 'text/plain; charset=utf-8' };

async function answer(deps: NodeServerDeps, exchange: Exchange): Promise<void> {
  const path = exchange.url.split('?')[0];
  if (path === '/healthz') return exchange.respond(200, text, 'ok');
  const { kind, pod, container, query } = target(deps, exchange);
  if (streamHandlers.has(kind)) throw new Refusal(400, 'Upgrade request required');
  if (kind !== 'containerLogs') throw new Refusal(404, '404 page not found');
  await sendLogs(deps, exchange, { pod, container, query });
}

interface Target {
  readonly kind: string;
  readonly pod: Pod;
  readonly container: string;
  readonly query: URLSearchParams;
}

/** `/KIND/NAMESPACE/POD/CONTAINER?…`, or without a container for what concerns the whole pod, from somebody who may ask. */
function target({ podNamed }: NodeServerDeps, exchange: Exchange): Target {
  const { certificate } = exchange.peer;
  if (certificate === undefined) throw new Refusal(401, 'Unauthorized');
  if (!certificate.organizations.includes(TRUSTED_GROUP)) {
    throw new Refusal(
      403,
      `Forbidden (user=${certificate.commonName}, verb=${exchange.method.toLowerCase()}, resource=nodes, subresource=proxy)`,
    );
  }
  const url = new URL(exchange.url, 'https://node');
  const [kind = '', namespace = '', name = '', container = ''] = url.pathname
    .slice(1)
    .split('/')
    .map(decodeURIComponent);
  if ((container === '') !== (kind === 'portForward')) throw new Refusal(404, '404 page not found');
  const pod = podNamed({ namespace, name });
  if (pod === undefined) throw new Refusal(404, `pod "${name}" not found`);
  return { kind, pod, container, query: url.searchParams };
}

async function sendLogs(
  deps: NodeServerDeps,
  exchange: Exchange,
  { pod, container, query }: Omit<Target, 'kind'>,
): Promise<void> {
  const options = logOptionsOf(query, deps.clock.now());
  if (options.kind === 'invalid') throw new Refusal(400, options.message);
  const attempt = logAttempt(pod, container, query.get('previous') === 'true');
  const path = join(deps.files.logDirectory(pod), container, `${attempt}.log`);
  const out = exchange.stream(200, text);
  const alive = (signal: AbortSignal): Promise<boolean> => isAlive(deps.runtime, pod, { container, attempt }, signal);
  for await (const chunk of containerLogs(path, options.value, { clock: deps.clock, alive }, exchange.signal)) {
    if (!out.write(chunk)) await out.drained();
    if (out.closed) return;
  }
  out.end();
}

/** Which attempt's log is meant. Throws, in upstream's words, when there is none. */
function logAttempt(pod: Pod, container: string, previous: boolean): number {
  const status = statusOf(pod, container);
  const where = `container "${container}" in pod "${pod.metadata.name}"`;
  if (previous) {
    if (!status?.lastState?.terminated) throw new Refusal(400, `previous terminated ${where} not found`);
    // While it waits to be made anew, the one that ended last is the newest there is.
    return status.state?.waiting ? status.restartCount : Math.max(0, status.restartCount - 1);
  }
  const { waiting } = status?.state ?? { waiting: { reason: 'ContainerCreating' } };
  if (waiting && !status?.lastState?.terminated) {
    const pulling = waiting.reason === 'ErrImagePull' || waiting.reason === 'ImagePullBackOff';
    const why = pulling ? `trying and failing to pull image` : (waiting.reason ?? 'unknown');
    throw new Refusal(400, `${where} is waiting to start: ${why}`);
  }
  return status?.restartCount ?? 0;
}

const statusOf = ({ status }: Pod, container: string): ContainerStatus | undefined =>
  [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);

interface Attempt {
  readonly container: string;
  readonly attempt: number;
}

async function isAlive(runtime: ContainerRuntime, pod: Pod, which: Attempt, signal: AbortSignal): Promise<boolean> {
  const found = await containersOf(runtime, pod, which.container, signal);
  return found.some(({ attempt, state }) => attempt === which.attempt && state !== 'exited');
}

const containersOf = (
  runtime: ContainerRuntime,
  pod: Pod,
  container: string,
  signal: AbortSignal,
): ReturnType<ContainerRuntime['containers']['list']> =>
  runtime.containers.list({ labels: { [labels.podUid]: pod.metadata.uid, [labels.containerName]: container } }, signal);
