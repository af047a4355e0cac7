import { readFile } from 'node:fs/promises';
import { isErrno } from '#host/proc.ts';

/** What the machine resolves names by. Read anew each time: both files change under a running machine. */
export interface HostNames {
  /** The text of its resolv.conf as others than the machine itself can use it; '' where it has none. */
  resolvConf(): Promise<string>;
  /** The text of its hosts file; '' where it has none. */
  hosts(): Promise<string>;
}

const RESOLV_CONF = '/etc/resolv.conf';
/** The servers behind systemd-resolved's stub. */
const UPLINK_RESOLV_CONF = '/run/systemd/resolve/resolv.conf';

export const hostNames: HostNames = {
  async resolvConf() {
    const text = await textOf(RESOLV_CONF);
    // The stub listens on the machine's own loopback: no container would reach it. What kubeadm configures, too.
    return onlyStub(text) ? (await textOf(UPLINK_RESOLV_CONF)) || text : text;
  },
  hosts: () => textOf('/etc/hosts'),
};

function onlyStub(text: string): boolean {
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server]) => server);
  return servers.length > 0 && servers.every((server) => server === '127.0.0.53');
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}
