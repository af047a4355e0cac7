/**
 * One set-up at a time in one clone. The kernel holds the lock, not a file with a pid in it: `flock` (util-linux, on
 * every Debian) owns it for as long as its standard input is open, so it is gone the moment this process is, even by
 * kill -9.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cache, say } from './say.mjs';

/**
 * Waits until no other set-up runs in this clone.
 * @returns {Promise<() => void>} gives the lock back
 */
export async function lock() {
  mkdirSync(cache, { recursive: true });
  const holder = spawn('flock', [join(cache, 'setup.lock'), 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Not in our process group, or Ctrl-C would open the lock while we still clean up.
    detached: true,
  });
  const patience = setTimeout(() => say('another set-up is at work here; waiting for it'), 500);
  try {
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.once('error', reject);
      holder.once('exit', (code) => reject(new Error(`flock ended with ${code}`)));
    });
  } finally {
    clearTimeout(patience);
  }
  return () => {
    holder.removeAllListeners();
    holder.stdin.end();
    holder.unref();
  };
}
