/** Network links, addresses and routes of this network namespace, through `ip -j`. */
import { CommandError, run } from '#host/process.ts';

export interface Link {
  readonly name: string;
  /** bridge, veth, ...; empty for plain devices. */
  readonly kind: string;
  /** The bridge it is a port of. */
  readonly master: string | undefined;
  readonly mtu: number;
}

export async function listLinks(signal: AbortSignal): Promise<readonly Link[]> {
  return parseLinks(await run('ip', ['-j', '-d', 'link', 'show'], {}, signal));
}

/** Deleting a link that is gone succeeds. */
export async function deleteLink(name: string, signal: AbortSignal): Promise<void> {
  try {
    await run('ip', ['link', 'delete', name], {}, signal);
  } catch (error) {
    if (!(error instanceof CommandError) || !/Cannot find device|No such device/.test(error.stderr)) throw error;
  }
}

/** Prefixes that the machine itself uses: its addresses' networks and its routes, but for default routes. */
export async function usedPrefixes(signal: AbortSignal): Promise<readonly UsedPrefix[]> {
  const outputs = await Promise.all(
    [
      ['-j', 'addr', 'show'],
      ['-j', '-4', 'route', 'show', 'table', 'all'],
      ['-j', '-6', 'route', 'show', 'table', 'all'],
    ].map((args) => run('ip', args, {}, signal)),
  );
  return [...parseAddresses(outputs[0]!), ...parseRoutes(outputs[1]!), ...parseRoutes(outputs[2]!)];
}

export interface UsedPrefix {
  /** ADDRESS/LENGTH, v4 or v6. */
  readonly cidr: string;
  readonly link: string | undefined;
}

/** The MTU of the link that the default route leaves by; undefined without a default route. */
export async function defaultRouteMtu(signal: AbortSignal): Promise<number | undefined> {
  const [routes, links] = await Promise.all([
    run('ip', ['-j', '-4', 'route', 'show', 'default'], {}, signal),
    listLinks(signal),
  ]);
  const leaving = recordsOf(routes).map((route) => route['dev']);
  return links.find((link) => leaving.includes(link.name))?.mtu;
}

export function parseLinks(json: string): readonly Link[] {
  return recordsOf(json).flatMap((link) => {
    const { ifname, mtu, master, linkinfo } = link;
    if (typeof ifname !== 'string') return [];
    const kind = isRecord(linkinfo) ? linkinfo['info_kind'] : undefined;
    return [
      {
        name: ifname,
        kind: typeof kind === 'string' ? kind : '',
        master: typeof master === 'string' ? master : undefined,
        mtu: typeof mtu === 'number' ? mtu : 0,
      },
    ];
  });
}

export function parseAddresses(json: string): readonly UsedPrefix[] {
  return recordsOf(json).flatMap((link) => {
    const { ifname, addr_info: addresses } = link;
    if (!Array.isArray(addresses)) return [];
    return addresses
      .filter(isRecord)
      .flatMap(({ local, prefixlen }) =>
        typeof local === 'string' && typeof prefixlen === 'number'
          ? [{ cidr: `${local}/${prefixlen}`, link: typeof ifname === 'string' ? ifname : undefined }]
          : [],
      );
  });
}

export function parseRoutes(json: string): readonly UsedPrefix[] {
  return recordsOf(json).flatMap(({ dst, dev }) => {
    if (typeof dst !== 'string' || dst === 'default') return [];
    const host = dst.includes(':') ? 128 : 32;
    return [{ cidr: dst.includes('/') ? dst : `${dst}/${host}`, link: typeof dev === 'string' ? dev : undefined }];
  });
}

function recordsOf(json: string): readonly Readonly<Record<string, unknown>>[] {
  // `ip -j` prints nothing at all, not [], when there is nothing.
  const value: unknown = json.trim() === '' ? [] : JSON.parse(json);
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
