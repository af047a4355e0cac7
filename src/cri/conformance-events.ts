/** The part of conformance.ts about events. */
import assert from 'node:assert/strict';
import { type Check } from '#cri/conformance-suite.ts';
import type { RuntimeEvent } from '#cri/runtime.ts';

export function checkEvents(check: Check): void {
  check('events: first a resync, then each change once its status shows it', async (suite) => {
    const seen = suite.listen();
    await suite.until('the first resync', () => seen.length > 0);
    assert.deepEqual(seen[0], { kind: 'resync' });
    const { id, sandbox } = await suite.container({ kind: 'exits', code: 7, afterMs: 100 });
    await suite.runtime.containers.start(id, suite.signal);
    const of = (change: string): RuntimeEvent | undefined =>
      seen.find((event) => event.kind === 'container' && event.id === id && event.change === change);
    await suite.until('the exit event', () => of('exited') !== undefined);
    assert.equal((await suite.state(id)).kind, 'exited', 'whoever looks after the event sees the exit');
    for (const change of ['created', 'started', 'exited']) {
      const event = of(change);
      assert.ok(event?.kind === 'container' && event.sandbox === sandbox, `${change} names the sandbox`);
    }
    await suite.runtime.containers.remove(id, suite.signal);
    await suite.until('the delete event', () => of('deleted') !== undefined);
  });
  check('events: a sandbox tells of its start, its end and its removal', async (suite) => {
    const seen = suite.listen();
    await suite.until('the first resync', () => seen.length > 0);
    const sandbox = await suite.run();
    const of = (change: string): boolean =>
      seen.some((event) => event.kind === 'sandbox' && event.id === sandbox && event.change === change);
    await suite.until('the start', () => of('started'));
    await suite.runtime.sandboxes.stop(sandbox, suite.signal);
    await suite.until('the end', () => of('exited'));
    await suite.runtime.sandboxes.remove(sandbox, suite.signal);
    await suite.until('the removal', () => of('deleted'));
  });
  check('events: two listeners both hear; one that stops listening is told why', async (suite) => {
    const [one, two] = [suite.listen(), suite.listen()];
    await suite.until('both resyncs', () => one.length > 0 && two.length > 0);
    const sandbox = await suite.run();
    const heard = (seen: readonly RuntimeEvent[]): boolean =>
      seen.some((event) => event.kind === 'sandbox' && event.id === sandbox);
    await suite.until('both to hear', () => heard(one) && heard(two));
    const reason = new Error('enough');
    const stop = new AbortController();
    const ended = (async () => {
      for await (const event of suite.runtime.events.subscribe(stop.signal))
        if (event.kind === 'resync') stop.abort(reason);
    })();
    await assert.rejects(ended, (error) => error === reason);
  });
}
