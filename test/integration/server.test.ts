import test from 'node:test';
import { evictionCases } from '#test/integration/server-eviction-table.ts';
import { kindCases } from '#test/integration/server-kinds-table.ts';
import { cases } from '#test/integration/server-table.ts';
import { timelineCases } from '#test/integration/server-timelines-table.ts';
import { watchCases } from '#test/integration/server-watch-table.ts';
import { inProcess, overHttps } from '#test/integration/support/server-subject.ts';

// One table over both transports, so that they cannot drift.
for (const [way, start] of [
  ['in process', inProcess],
  ['https', overHttps],
] as const) {
  for (const { name, run } of [...cases, ...kindCases, ...evictionCases, ...watchCases, ...timelineCases]) {
    test(`server, ${way}: ${name}`, async () => {
      await using subject = await start();
      await run(subject);
    });
  }
}
