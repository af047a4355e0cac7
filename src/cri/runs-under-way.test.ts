import assert from 'node:assert/strict';
import test from 'node:test';
import type { SandboxConfig } from '#cri/config.ts';
import { followRuns } from '#cri/runs-under-way.ts';
import type { SandboxId } from '#cri/runtime.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { FakeClock, settle } from '#lib/fake-clock.ts';

test('followRuns: waits for the sandboxes being made now, made or failed, and not for later ones', async () => {
  const plain = simulatedRuntime({ clock: new FakeClock() });
  const calls: PromiseWithResolvers<SandboxId>[] = [];
  const run = (): Promise<SandboxId> => {
    const call = Promise.withResolvers<SandboxId>();
    calls.push(call);
    return call.promise;
  };
  const { runtime, runsEnded } = followRuns({ ...plain, sandboxes: { ...plain.sandboxes, run } });
  const { signal } = new AbortController();
  const config = {} as SandboxConfig;
  await runsEnded();
  const runs = [runtime.sandboxes.run(config, signal), runtime.sandboxes.run(config, signal)];
  let ended = false;
  const ending = runsEnded().then(() => (ended = true));
  const later = runtime.sandboxes.run(config, signal);
  calls[0]!.resolve('made' as SandboxId);
  await settle();
  assert.equal(ended, false);
  calls[1]!.reject(new Error('refused'));
  await ending;
  assert.equal(await runs[0], 'made');
  await assert.rejects(runs[1]!, /refused/);
  calls[2]!.resolve('later' as SandboxId);
  await later;
});
