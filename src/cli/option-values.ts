import { InvalidArgumentError } from 'commander';
import { dottedSysctl, sysctlNamespace } from '#api/sysctls.ts';
import type { RuntimeChoice } from '#cli/commands.ts';

/** What the values of options mean; a value that means nothing throws commander's InvalidArgumentError, which says why. */

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return port;
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
