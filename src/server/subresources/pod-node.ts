import { ApiError, badRequest } from '#api/errors.ts';
import type { Container, Node, Pod } from '#api/generated/core-v1.ts';
import type { StoreKey } from '#store/store.ts';
import type { Lookup } from '#server/admission.ts';
import type { Answer } from '#server/answer.ts';
import type { NodeAddress } from '#server/nodes/node-connection.ts';
import type { Registry } from '#server/registry/registry.ts';
import type { Query } from '#server/request.ts';
import { isTrue } from '#server/request.ts';
import type { SubresourceHandler } from '#server/subresources/call.ts';

/** Requests about a pod's containers that the pod's node answers, under the paths of upstream's kubelet. */
interface PodNodeParts {
  readonly registry: Registry;
  readonly lookup: Lookup;
}

export function podLog({ registry, lookup }: PodNodeParts): SubresourceHandler {
  return ({ request, target }): Answer => {
    const pod = registry.get(target).object as Pod;
    const { query } = request;
    checkLogOptions(query);
    const container = containerOf(pod, query['container']);
    const node = nodeOf(pod, lookup);
    // Nothing runs yet, and nothing has: what upstream answers is an empty log.
    if (!node) return { kind: 'text', code: 200, text: '' };
    const path = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}`;
    return { kind: 'node', call: { node, path: `${path}${search(logParameters(query))}`, kind: 'stream' } };
  };
}

const logNames = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

const logParameters = (query: Query): readonly (readonly [string, string])[] =>
  logNames.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]] as const]));

function checkLogOptions(query: Query): void {
  const { sinceSeconds, sinceTime } = query;
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  for (const name of ['sinceSeconds', 'tailLines', 'limitBytes']) {
    const text = query[name];
    if (text === undefined) continue;
    const least = name === 'tailLines' ? 0 : 1;
    if (!/^-?[0-9]+$/.test(text) || Number(text) < least)
      throw badRequest(`${name} must be a number of at least ${least}`);
  }
}

/** What `exec` and `attach` do is refused in the same words. */
const deeds = { exec: 'exec into', attach: 'attach' } as const;

export function podExec(parts: PodNodeParts): SubresourceHandler {
  return podCommand(parts, 'exec');
}

export function podAttach(parts: PodNodeParts): SubresourceHandler {
  return podCommand(parts, 'attach');
}

function podCommand({ registry, lookup }: PodNodeParts, kind: 'exec' | 'attach'): SubresourceHandler {
  return ({ request, target }): Answer => {
    const pod = registry.get(target).object as Pod;
    const { query } = request;
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
      throw badRequest(`cannot ${deeds[kind]} a container in a completed pod; current phase is ${pod.status.phase}`);
    }
    const container = containerOf(pod, query['container']);
    const node = hostOf(pod, lookup);
    const path = `/${kind}/${pod.metadata.namespace}/${pod.metadata.name}/${container}`;
    return {
      kind: 'node',
      call: { node, path: `${path}${search(commandParameters(request.rawQuery))}`, kind: 'upgrade' },
    };
  };
}

/** Which ports is said on the connection itself; in the query only by clients of the oldest WebSocket protocol. */
export function podPortForward({ registry, lookup }: PodNodeParts): SubresourceHandler {
  return ({ request, target }): Answer => {
    const pod = registry.get(target).object as Pod;
    const node = hostOf(pod, lookup);
    const ports = new URLSearchParams(request.rawQuery).getAll('ports').map((port) => ['port', port] as const);
    const path = `/portForward/${pod.metadata.namespace}/${pod.metadata.name}${search(ports)}`;
    return { kind: 'node', call: { node, path, kind: 'upgrade' } };
  };
}

function hostOf(pod: Pod, lookup: Lookup): NodeAddress {
  const node = nodeOf(pod, lookup);
  if (!node) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return node;
}

/** kubectl's names for the streams, and the kubelet's. */
const streams = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;

function commandParameters(rawQuery: string): readonly (readonly [string, string])[] {
  const given = new URLSearchParams(rawQuery);
  const wanted = Object.entries(streams).filter(([name]) => isTrue(given.get(name) ?? undefined));
  return [
    ...given.getAll('command').map((command) => ['command', command] as const),
    ...wanted.map(([, name]) => [name, '1'] as const),
  ];
}

const search = (parameters: readonly (readonly [string, string])[]): string =>
  parameters.length === 0 ? '' : `?${new URLSearchParams(parameters.map(([name, value]) => [name, value])).toString()}`;

/** The container meant: the one named, or the only one there is. Its default is kubectl's business. */
function containerOf(pod: Pod, named: string | undefined): string {
  const { name, annotations } = pod.metadata;
  const all: readonly Pick<Container, 'name'>[] = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...(pod.spec.ephemeralContainers ?? []),
  ];
  if (named) {
    if (all.some((each) => each.name === named)) return named;
    throw badRequest(`container ${named} is not valid for pod ${name}`);
  }
  const chosen = annotations?.['kubectl.kubernetes.io/default-container'];
  if (chosen && all.some((each) => each.name === chosen)) return chosen;
  if (pod.spec.containers.length === 1) return pod.spec.containers[0]!.name;
  const names = pod.spec.containers.map((each) => each.name).join(' ');
  const inits = (pod.spec.initContainers ?? []).map((each) => each.name).join(' ');
  const also = inits === '' ? '' : ` or one of the init containers: [${inits}]`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names}]${also}`);
}

/** Undefined for a pod that no node has. */
function nodeOf(pod: Pod, lookup: Lookup): NodeAddress | undefined {
  const { nodeName } = pod.spec;
  if (!nodeName) return undefined;
  const found = lookup.get(`nodes/${nodeName}` as StoreKey);
  if (!found)
    throw new ApiError('NotFound', `nodes ${JSON.stringify(nodeName)} not found`, {
      details: { name: nodeName, kind: 'nodes' },
    });
  const { status } = found.object as Node;
  const host = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (host === undefined || !port) {
    throw new ApiError('InternalError', `node ${nodeName} has told no address of its server yet`);
  }
  return { name: nodeName, host, port };
}
