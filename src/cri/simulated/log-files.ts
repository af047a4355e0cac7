import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SimulatedLog } from '#cri/simulated/simulated-log.ts';

/**
 * What simulated containers say, in real files of the format that every CRI runtime writes, so that whoever reads logs finds
 * them where they always are. Written at once: lines are few, and their order matters. Lines that a full disk does not take are lost.
 */
export const logFiles: SimulatedLog = {
  opened(path) {
    attempt(() => {
      mkdirSync(dirname(path), { recursive: true });
      appendFileSync(path, '');
    });
  },
  wrote(path, { at, stream, text }) {
    const time = new Date(at).toISOString().replace('Z', '000000Z');
    attempt(() => appendFileSync(path, `${time} ${stream} F ${text}\n`));
  },
};

function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // As with a real runtime, no container ends because nobody can write down what it says.
  }
}
