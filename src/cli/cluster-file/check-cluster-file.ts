import { duplicate, invalidValue, required } from '#api/field-error.ts';
import { validateCreate } from '#api/validation/validation.ts';
import type { FileProblem, WrittenClusterFile } from '#cli/cluster-file/cluster-file.ts';
import {
  MOST_SIMULATED_NODES,
  type NodeTraits,
  nodeName,
  simulatedCount,
  simulatedNodeName,
} from '#cli/cluster-shape.ts';

/** What the schema cannot say: names, ranges and quantities that would be refused once the cluster starts. */
export function checkClusterFile(file: WrittenClusterFile, clusterName: string): readonly FileProblem[] {
  const { nodes = [], simulatedNodes = [], podCIDRs, registryMirrors = {} } = file;
  const simulated = simulatedCount(simulatedNodes);
  const names = nodes.map(({ name }, index) => name ?? nodeName(clusterName, index + 1));
  const taken = new Set(Array.from({ length: simulated }, (_, index) => simulatedNodeName(clusterName, index + 1)));
  return [
    ...nodes.flatMap((node, index) => checkNode(names[index]!, node, ['nodes', index])),
    ...names.flatMap((name, index) =>
      taken.has(name) || names.indexOf(name) < index
        ? [{ path: ['nodes', index, 'name'], body: duplicate(undefined, name).body }]
        : [],
    ),
    ...simulatedNodes.flatMap((group, index) => checkNode('simulated', group, ['simulatedNodes', index])),
    ...(simulated > MOST_SIMULATED_NODES
      ? [{ path: ['simulatedNodes'], body: `Too many: ${simulated}: there is room for ${MOST_SIMULATED_NODES} nodes` }]
      : []),
    ...(podCIDRs === undefined ? [] : checkRanges(podCIDRs)),
    ...Object.entries(registryMirrors).flatMap(([host, urls]) => checkMirrors(host, urls)),
  ];
}

type Path = FileProblem['path'];

/** By the API's own rules: what they refuse could not be registered. */
function checkNode(
  name: string,
  {
    labels,
    taints,
    capacity,
  }: Omit<NodeTraits, 'capacity'> & { readonly capacity?: Readonly<Record<string, unknown>> },
  path: Path,
): readonly FileProblem[] {
  const texts = Object.fromEntries(Object.entries(capacity ?? {}).map(([key, quantity]) => [key, String(quantity)]));
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(labels && { labels }) },
    spec: { ...(taints && { taints }) },
    status: { capacity: texts },
  };
  return validateCreate(node).map(({ field, body }) => ({
    path: [...path, ...stepsOf(field.replace(/^(metadata|status)\./, ''))],
    body,
  }));
}

/** `taints[0].key` in parts. What is in one piece of a resource's name stays so: `capacity[example.com/gpu]`. */
const stepsOf = (field: string): Path =>
  [...field.matchAll(/\[([^\]]*)\]|([^.[]+)/g)].map(([, inBrackets, plain]) =>
    inBrackets === undefined ? plain! : /^\d+$/.test(inBrackets) ? Number(inBrackets) : inBrackets,
  );

const V4 = /^\d{1,3}\.\d{1,3}\.0\.0\/16$/;
const V6 = /^[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/48$/i;
const OURS: readonly { readonly network: string; readonly bits: number; readonly whose: string }[] = [
  { network: '10.96.0.0', bits: 12, whose: 'services have' },
  { network: '100.64.0.0', bits: 10, whose: 'simulated nodes have' },
  { network: '127.0.0.0', bits: 8, whose: 'every host has for itself' },
];

function checkRanges(ranges: readonly string[]): readonly FileProblem[] {
  const v4 = ranges.filter((range) => !range.includes(':'));
  const problem = (range: string, detail: string): FileProblem => ({
    path: ['podCIDRs', ranges.indexOf(range)],
    body: invalidValue(undefined, range, detail).body,
  });
  if (v4.length === 0) return [{ path: ['podCIDRs'], body: required(undefined, 'an IPv4 range').body }];
  return ranges.flatMap((range, index) => {
    const isFirst = ranges.findIndex((other) => other.includes(':') === range.includes(':')) === index;
    if (!isFirst) return [problem(range, 'there is a range of this family already')];
    if (range.includes(':'))
      return V6.test(range) ? [] : [problem(range, 'must be an IPv6 /48 in three groups, such as fd00:10:244::/48')];
    if (!V4.test(range) || range.split('.').some((octet) => Number.parseInt(octet) > 255))
      return [problem(range, 'must be an IPv4 /16, such as 10.244.0.0/16')];
    return OURS.filter(({ network, bits }) => startsAlike(range, network, bits)).map(({ network, bits, whose }) =>
      problem(range, `must not overlap ${network}/${bits}, which ${whose}`),
    );
  });
}

function startsAlike(a: string, b: string, bits: number): boolean {
  const numberOf = (text: string): number =>
    text.split('.').reduce((number, octet) => number * 256 + Number.parseInt(octet), 0) >>> 0;
  return numberOf(a) >>> (32 - bits) === numberOf(b) >>> (32 - bits);
}

function checkMirrors(host: string, urls: readonly string[]): readonly FileProblem[] {
  const path = ['registryMirrors', host];
  const isHost = URL.parse(`http://${host}`)?.host === host.toLowerCase();
  const wrongHost = { path, body: invalidValue(undefined, host, "must be a registry's host, such as docker.io").body };
  return [
    ...(isHost ? [] : [wrongHost]),
    ...urls.flatMap((url, index) =>
      /^https?:$/.test(URL.parse(url)?.protocol ?? '')
        ? []
        : [{ path: [...path, index], body: invalidValue(undefined, url, 'must be an http or https URL').body }],
    ),
  ];
}
