import type { Obstacle, PodName } from '#api/peapod/obstacle.ts';
import { brief } from '#api/peapod/trouble-texts.ts';
import { unreachable } from '#lib/unreachable.ts';

/** What follows the name of a node: `node2: short of cpu by 500m (1 asked, 500m of 2 free)`. */
export function obstacleWords(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'short': {
      const { resource, by, asked, free, allocatable } = obstacle;
      const left = allocatable === '0' ? 'it has none' : `${free} of ${allocatable} free`;
      return `short of ${resource} by ${by} (${asked} asked, ${left})`;
    }
    case 'full':
      return `full: it takes ${obstacle.pods} ${obstacle.pods === 1 ? 'pod' : 'pods'}`;
    case 'cordoned':
      return 'closed to new pods (cordoned)';
    case 'taint': {
      const { key, value, effect } = obstacle;
      return `tainted ${key}${value ? `=${value}` : ''}:${effect}`;
    }
    case 'name':
      return `not ${obstacle.wanted}, which it names`;
    case 'label':
      return labelWords(obstacle);
    case 'port': {
      const { address, port, protocol, pods } = obstacle;
      const where = address === '0.0.0.0' ? `${port}` : `${address}:${port}`;
      return `host port ${where}/${protocol} is taken by ${podsText(pods)}`;
    }
    case 'no-domain':
      return `without label ${obstacle.topologyKey}, which its ${obstacle.rule} goes by`;
    case 'other':
      return brief(obstacle.reasons.join(', '));
    default:
      return neighbourWords(obstacle);
  }
}

type Neighbours = Extract<Obstacle, { readonly kind: 'pod' | 'no-pod' | 'spread' }>;

function neighbourWords(obstacle: Neighbours): string {
  const where = domainText(obstacle);
  switch (obstacle.kind) {
    case 'pod':
      return obstacle.rule === 'its own'
        ? `${podsText(obstacle.pods)} ${isAre(obstacle.pods)} in ${where}, which its anti-affinity keeps away from`
        : `${podsText(obstacle.pods)} in ${where} ${obstacle.pods.length === 1 ? 'keeps' : 'keep'} such pods away (anti-affinity)`;
    case 'no-pod':
      return `no pod ${obstacle.wanted} in ${where}, which its affinity asks for`;
    case 'spread': {
      const { pods, least, maxSkew } = obstacle;
      return `one more in ${where} makes ${pods + 1} where the least is ${least}: more than maxSkew ${maxSkew} allows`;
    }
    default:
      return unreachable(obstacle);
  }
}

function labelWords({ asker, field, key, operator, values, actual }: Extract<Obstacle, { kind: 'label' }>): string {
  const what = field ? 'field' : 'label';
  const has = actual === undefined ? `no ${what} ${key}` : `${what} ${key}=${actual}`;
  return `${has}, ${askerNames[asker]} asks for ${wish(key, operator, values)}`;
}

const askerNames = {
  nodeSelector: 'nodeSelector',
  nodeAffinity: 'node affinity',
  scheduler: "the scheduler's configuration",
} as const;

function wish(key: string, operator: string, values: readonly string[]): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(', ')})`;
    case 'NotIn':
      return values.length === 1 ? `another value than ${values[0]}` : `none of (${values.join(', ')})`;
    case 'Exists':
      return 'one';
    case 'DoesNotExist':
      return 'none';
    case 'Gt':
      return `more than ${values[0]}`;
    case 'Lt':
      return `less than ${values[0]}`;
    default:
      return `${operator} ${values.join(', ')}`;
  }
}

/** `zone a`, `host node2`, `rack=7`. */
function domainText({ topologyKey, domain }: { readonly topologyKey: string; readonly domain: string }): string {
  const known = domainNames[topologyKey];
  return known === undefined ? `${topologyKey}=${domain}` : `${known} ${domain}`;
}

const domainNames: Readonly<Record<string, string>> = {
  'kubernetes.io/hostname': 'host',
  'topology.kubernetes.io/zone': 'zone',
  'topology.kubernetes.io/region': 'region',
};

const MOST_NAMED = 3;

export function podsText(pods: readonly PodName[]): string {
  const named = pods.slice(0, MOST_NAMED).map(({ namespace, name }) => `${namespace}/${name}`);
  const more = pods.length - named.length;
  const what = pods.length === 1 ? 'pod' : 'pods';
  return pods.length === 0 ? 'a pod' : `${what} ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const isAre = (pods: readonly PodName[]): string => (pods.length <= 1 ? 'is' : 'are');
