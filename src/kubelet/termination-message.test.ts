import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { ContainerState } from '#cri/runtime.ts';
import { exited, found, running } from '#kubelet/fixtures.ts';
import { annotations } from '#kubelet/observed.ts';
import { terminationMessage } from '#kubelet/termination-message.ts';

interface Case {
  readonly name: string;
  readonly file?: string;
  readonly log?: readonly string[];
  readonly policy?: string;
  readonly state?: ContainerState;
  readonly want: string;
}
const fallback = 'FallbackToLogsOnError';
const cases: readonly Case[] = [
  { name: 'the file', file: 'bye', log: ['x'], state: exited(1), policy: fallback, want: 'bye' },
  { name: 'the file of one that succeeded', file: 'done', state: exited(0), want: 'done' },
  { name: 'the log only of one that failed', file: '', log: ['x'], state: exited(0), policy: fallback, want: '' },
  { name: 'the log only where it is asked for', file: '', log: ['x'], policy: 'File', want: '' },
  { name: 'the log', file: '', log: ['a', 'b'], policy: fallback, want: 'a\nb\n' },
  { name: 'nothing without a file or a log', policy: fallback, want: '' },
  { name: 'nothing while it runs', file: 'soon', state: running(), want: '' },
  { name: 'the last 4096 bytes of the file', file: `ab${'c'.repeat(4095)}`, want: `b${'c'.repeat(4095)}`.slice(-4096) },
  {
    name: 'the last 80 lines of the log',
    log: Array.from({ length: 100 }, (_, n) => String(n)),
    policy: fallback,
    want: Array.from({ length: 80 }, (_, n) => `${n + 20}\n`).join(''),
  },
  { name: 'the last 2048 bytes of the log', log: ['y'.repeat(5000)], policy: fallback, want: `${'y'.repeat(2047)}\n` },
];
for (const c of cases) {
  test(`terminationMessage: ${c.name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'peapod-message-'));
    try {
      const [hostPath, logPath] = [join(folder, 'message'), join(folder, 'log')];
      if (c.file !== undefined) writeFileSync(hostPath, c.file);
      const lines = c.log?.map((text) => `2026-01-01T00:00:00.000000000Z stdout F ${text}\n`);
      if (lines) writeFileSync(logPath, lines.join(''));
      const container = found('main', c.state ?? exited(1), {
        logPath,
        mounts: [{ hostPath, containerPath: '/dev/termination-log', readonly: false, propagation: 'private' }],
        annotations: {
          [annotations.terminationMessagePath]: '/dev/termination-log',
          [annotations.terminationMessagePolicy]: c.policy ?? 'File',
        },
      });
      assert.equal(terminationMessage(container), c.want);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
