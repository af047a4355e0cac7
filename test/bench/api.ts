import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Result, Target } from '#test/bench/result.ts';

const targets: Readonly<Record<string, { readonly unit: string; readonly target: Target }>> = {
  'gets a second': { unit: '/s', target: { of: 'ratio', atLeast: 0.6 } },
  'creates a second': { unit: '/s', target: { of: 'ratio', atLeast: 0.6 } },
  'CPU µs a delivered event': { unit: 'µs', target: { of: 'ratio', atMost: 1.5 } },
};

interface Line {
  readonly what: string;
  readonly peapod: number;
  readonly bare: number;
  readonly ratio: number;
}

/** `server.ts`, in a process of its own as it is when run alone: its clients and their thousand connections go with it. */
export async function benchApi(): Promise<readonly Result[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`test/bench/server.ts ended with code ${code}`);
  const lines = out.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => {
    const { what, peapod, bare, ratio } = JSON.parse(line) as Line;
    const known = targets[what];
    return {
      name: `API: ${what}`,
      unit: known?.unit ?? '',
      value: peapod,
      floor: bare,
      ratio,
      ...(known === undefined ? {} : { target: known.target }),
    };
  });
}
