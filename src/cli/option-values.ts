import { InvalidArgumentError } from 'commander';
import { parseQuantity, quantityProblem, value } from '#api/quantity.ts';
import { dottedSysctl, sysctlNamespace } from '#api/sysctls.ts';
import { MOST_NODES, MOST_SIMULATED_NODES } from '#cli/cluster-shape.ts';
import type { RuntimeChoice } from '#cli/commands.ts';

/** What the values of options mean; a value that means nothing throws commander's InvalidArgumentError, which says why. */

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return port;
}

export function parseNodes(text: string): number {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_NODES) throw new InvalidArgumentError(`It is a number from 1 to ${MOST_NODES}.`);
  return count;
}

export function parseSimulatedNodes(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (count > MOST_SIMULATED_NODES) throw new InvalidArgumentError(`It is a number from 0 to ${MOST_SIMULATED_NODES}.`);
  return count;
}

/** More than a node takes by far; each is decided upon by itself. */
const MOST_REPLICAS = 10_000;

export function parseReplicas(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_REPLICAS) throw new InvalidArgumentError(`It is a number from 1 to ${MOST_REPLICAS}.`);
  return count;
}

export function parseGrace(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('A grace period is a whole number of seconds.');
  return Number(text);
}

export function parseRuntime(text: string): RuntimeChoice {
  if (text === 'containerd' || text === 'simulated') return { kind: text };
  const socket = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socket === undefined) throw new InvalidArgumentError('It is containerd, simulated or unix:///SOCKET.');
  return { kind: 'socket', socket };
}

/** Comma-separated; `kernel.msg*` stands for all that begin so. */
export function parseSysctls(text: string): readonly string[] {
  const patterns = text.split(',').map((each) => each.trim());
  const shared = patterns.find((each) => sysctlNamespace(dottedSysctl(each).replace(/\*$/, '')) === undefined);
  if (shared !== undefined) {
    throw new InvalidArgumentError(`The sysctl ${JSON.stringify(shared)} is not known to be a pod's own.`);
  }
  return patterns;
}

export function parseMirror(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new InvalidArgumentError('It is an http or https URL, such as http://127.0.0.1:5000.');
  }
  return text;
}

const MOST_CRASH_LOOP_MS = 300_000;
const MOST_NODE_GRACE_MS = 3_600_000;

/** `10s`, `2m`; in milliseconds, NaN when it is none. */
function parseTime(text: string): number {
  const [, count, unit] = /^(\d{1,6})(s|m)$/.exec(text) ?? [];
  return Number(count) * (unit === 'm' ? 60_000 : 1000);
}

/** In milliseconds. */
export function parseNodeGrace(text: string): number {
  const ms = parseTime(text);
  if (!(ms >= 1000 && ms <= MOST_NODE_GRACE_MS)) throw new InvalidArgumentError('It is from 1s to 60m, such as 10s.');
  return ms;
}

/** In milliseconds, within what upstream allows. */
export function parseCrashLoopDelay(text: string): number {
  const ms = parseTime(text);
  if (!(ms >= 1000 && ms <= MOST_CRASH_LOOP_MS)) throw new InvalidArgumentError('It is from 1s to 5m, such as 30s.');
  return ms;
}

export function parseSize(text: string): number {
  const bytes = quantityProblem(text) === undefined ? value(parseQuantity(text)) : 0;
  if (bytes < 1) throw new InvalidArgumentError('It is a number of bytes, such as 10Mi.');
  return bytes;
}

export function parseLogFiles(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 2) throw new InvalidArgumentError('It is a number of at least 2.');
  return count;
}

/** What names a pod: `web`, `pod/web`, `shop/web`, `shop/pod/web`. */
export function parsePod(text: string): { readonly namespace: string | undefined; readonly name: string } {
  const parts = text.split('/');
  const kinds = ['pod', 'pods', 'po'];
  const [name = '', ...before] = parts
    .filter((part, at) => at === parts.length - 1 || !kinds.includes(part))
    .toReversed();
  if (name === '' || before.length > 1 || before[0] === '') {
    throw new InvalidArgumentError('A pod is called NAME, pod/NAME or NAMESPACE/NAME.');
  }
  return { namespace: before[0], name };
}
