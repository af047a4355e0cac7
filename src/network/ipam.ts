/**
 * What CNI remembers on disk about pods' networks: host-local's reservations (one file an address, in the node's own
 * directory) and libcni's cached results (one file an attachment, in a directory shared by all CNI users, with the
 * network's name in the file's).
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { isUnder } from '#host/mountinfo.ts';
import { isErrno } from '#host/proc.ts';

export interface Reservation {
  readonly address: string;
  readonly file: string;
  /** The pod sandbox's id. */
  readonly containerId: string;
}

export interface Attachment {
  readonly file: string;
  readonly containerId: string;
  readonly interfaceName: string;
  /** The pinned network namespace; undefined when the result does not say. */
  readonly namespace: string | undefined;
  /** Whether writing it was cut short. libcni then refuses to detach what it is of, for ever. */
  readonly torn: boolean;
}

/** Where libcni keeps results, unless told otherwise, which containerd never does. */
export const CNI_CACHE = '/var/lib/cni/results';
const LOOPBACK = 'cni-loopback';

export function reservations(ipam: string, network: string): readonly Reservation[] {
  const directory = join(ipam, network);
  // Beside the addresses lie `lock` and `last_reserved_ip.N`; the latter is why each new pod gets a new address.
  return filesIn(directory)
    .filter((name) => isIP(name) !== 0)
    .flatMap((address) => {
      const file = join(directory, address);
      const text = textOf(file);
      return text === undefined ? [] : [{ address, file, containerId: text.split(/\r?\n/)[0]!.trim() }];
    });
}

/**
 * Attachments to our network, and of the loopback that containerd attaches every pod to: those carry a name that all
 * containerds share, so ours are told by where the namespace is pinned.
 */
export function attachments(
  network: string,
  containerdState: string,
  cache: string = CNI_CACHE,
): readonly Attachment[] {
  return filesIn(cache).flatMap((name) => {
    const prefix = [network, LOOPBACK].find((known) => name.startsWith(`${known}-`));
    const text = prefix === undefined ? undefined : textOf(join(cache, name));
    if (prefix === undefined || text === undefined) return [];
    const found = parseAttachment(join(cache, name), text, name.slice(prefix.length + 1));
    return prefix === LOOPBACK && !isUnder(found.namespace ?? '', containerdState) ? [] : [found];
  });
}

/** Unless it was released meanwhile and somebody else has it now. */
export function releaseAddress({ file, containerId }: Reservation): void {
  if (textOf(file)?.split(/\r?\n/)[0]!.trim() === containerId) removeFile(file);
}

export function removeFile(file: string): void {
  rmSync(file, { force: true });
}

/** A file cut short by a crash still names its container and interface: its own name does. */
export function parseAttachment(file: string, text: string, suffix: string): Attachment {
  const dash = suffix.lastIndexOf('-');
  const record = parseRecord(text);
  return {
    file,
    containerId: suffix.slice(0, dash),
    interfaceName: suffix.slice(dash + 1),
    namespace: namespaceOf(record?.['result']),
    torn: record === undefined,
  };
}

/** The interface inside the pod says where it is; those on the host have no `sandbox`. */
function namespaceOf(result: unknown): string | undefined {
  if (!isRecord(result) || !Array.isArray(result['interfaces'])) return undefined;
  return result['interfaces']
    .filter(isRecord)
    .map((link) => link['sandbox'])
    .find((sandbox): sandbox is string => typeof sandbox === 'string' && sandbox !== '');
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** undefined when it was released meanwhile. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
