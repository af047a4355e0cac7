/** Asks as often and as much as a kubelet with the same probes, and thinks nothing of it: what the sockets alone cost. A program of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface BareTarget {
  readonly host: string;
  readonly port: number;
  /** Of a GET; without one the connection is all. */
  readonly path?: string;
}

interface Order {
  readonly targets: readonly BareTarget[];
  readonly periodMs: number;
  readonly forMs: number;
}

/** Gives the part of a processor that it takes. */
export async function bareProbing(order: Order): Promise<number> {
  const child = fork(import.meta.filename);
  try {
    child.send(order);
    const [share] = (await once(child, 'message')) as [number];
    return share;
  } finally {
    child.kill();
  }
}

function ask({ host, port, path }: BareTarget): void {
  const socket = connect({ host, port });
  const over = (): void => void socket.destroy();
  socket.on('error', over);
  if (path === undefined) socket.on('connect', over);
  else {
    socket.on('data', over);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'latin1');
  }
}

async function keepAsking({ targets, periodMs, forMs }: Order): Promise<number> {
  const timers = new Set<NodeJS.Timeout>();
  for (const [at, target] of targets.entries()) {
    const begin = (): void => void timers.add(setInterval(ask, periodMs, target));
    setTimeout(begin, (at / targets.length) * periodMs);
  }
  // Until all have begun, and the compiler is done.
  await sleep(3 * periodMs);
  const [before, from] = [process.cpuUsage(), performance.now()];
  await sleep(forMs);
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1000 / (performance.now() - from);
  for (const timer of timers) clearInterval(timer);
  return share;
}

if (import.meta.main) process.once('message', async (order: Order) => process.send!(await keepAsking(order)));
