import { setTimeout as sleep } from 'node:timers/promises';
import type { AllocateCommand } from '#images/testserver/server/arguments.ts';
import type { Journal } from '#images/testserver/server/journal.ts';

const held: Buffer[] = [];

/** Holds that much more memory for the rest of the process's life; the pages are touched, so they count. */
export function hold(mebibytes: number): void {
  held.push(Buffer.alloc(mebibytes << 20, 1));
}

/** Grows step by step, so that a test sees in the log how far it got. */
export async function allocate({ mebibytes, step, everyMs }: AllocateCommand, journal: Journal): Promise<void> {
  for (let total = 0; total < mebibytes; await sleep(everyMs)) {
    const next = Math.min(Math.max(step, 1), mebibytes - total);
    hold(next);
    total += next;
    journal.say(`holding ${total} MiB`);
  }
}
