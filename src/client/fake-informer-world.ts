import assert from 'node:assert/strict';
import { createClient } from '#client/api-client.ts';
import { createInformer } from '#client/create-informer.ts';
import { FakeServer, thingResource, type Thing } from '#client/fake-server.ts';
import type { Change, Informer } from '#client/informer.ts';
import { FakeClock } from '#lib/fake-clock.ts';

export interface World extends AsyncDisposable {
  readonly server: FakeServer;
  readonly clock: FakeClock;
  readonly informer: Informer<Thing, 'byNode'>;
  /** What listeners were told, compactly: `+a`, `~a`, `-a`. */
  readonly told: string[];
  readonly errors: unknown[];
  readonly never: AbortSignal;
}

/** An informer that runs against a server that does as it is told; disposing of it checks that nothing is left behind. */
export function start(server = new FakeServer()): World {
  const clock = new FakeClock();
  const stop = new AbortController();
  const errors: unknown[] = [];
  const informer = createInformer({
    client: createClient(server),
    clock,
    resource: thingResource,
    indexes: { byNode: (thing: Thing) => [thing.spec.node] },
    onError: (error) => void errors.push(error),
    random: () => 0,
  });
  const told: string[] = [];
  informer.onChange((change) => void told.push(inShort(change)));
  const running = informer.run(stop.signal);
  return {
    server,
    clock,
    informer,
    told,
    errors,
    never: new AbortController().signal,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      assert.equal(clock.sleeping, 0, 'something still sleeps after the informer has stopped');
      assert.equal(server.watchers, 0, 'a watch is still open after the informer has stopped');
    },
  };
}
export const inShort = ({ before, after }: Change<Thing>): string =>
  `${before ? (after ? '~' : '-') : '+'}${(after ?? before)!.metadata.name}`;
export const names = (things: readonly Thing[]): string[] => things.map(({ metadata }) => metadata.name).sort();
export const verbs = (server: FakeServer): string[] => server.requests.map(({ verb }) => verb);
