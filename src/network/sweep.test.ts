import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock, settle } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';
import { Sweep } from '#network/sweep.ts';

/** Things by their names, each of one sandbox; a sandbox may be known, or still being made. */
class World {
  readonly clock = new FakeClock();
  readonly things = new Map<string, string>();
  readonly sandboxes = new Set<string>();
  readonly removed: string[] = [];
  looks = 0;
  making: PromiseWithResolvers<void> | undefined;
  broken = false;

  readonly sweep = new Sweep<string>({
    clock: this.clock,
    find: ({ sandboxes }) => {
      this.looks++;
      return new Map([...this.things].filter(([, owner]) => !sandboxes.has(owner)));
    },
    remove: async (owner) => {
      for (const [name, of] of this.things) if (of === owner) this.things.delete(name);
    },
    ids: async () => {
      if (this.broken) throw new Error('the runtime does not answer');
      return { sandboxes: new Set(this.sandboxes), alive: new Set(this.sandboxes) };
    },
    runsEnded: async () => this.making?.promise,
    removed: (name) => this.removed.push(name),
    log: () => {},
  });
}

test('sweep: what belongs to no sandbox goes, what belongs to one stays', async () => {
  const world = new World();
  world.sandboxes.add('live');
  world.things.set('address 1', 'live').set('address 2', 'dead');
  const sweeping = world.sweep.sweep(1000, new AbortController().signal);
  await settle();
  assert.deepEqual(world.removed, [], 'not at first sight');
  await world.clock.advance(1000);
  assert.equal(await sweeping, true);
  assert.deepEqual(world.removed, ['address 2']);
  assert.equal(await world.sweep.sweep(1000, new AbortController().signal), false, 'then there is nothing to wait for');
});

test('sweep: what a sandbox takes that is just being made is left to it, however long that lasts', async () => {
  const world = new World();
  world.making = Promise.withResolvers();
  world.things.set('address 1', 'coming');
  const sweeping = world.sweep.sweep(1000, new AbortController().signal);
  await world.clock.advance(60_000);
  world.sandboxes.add('coming');
  world.making.resolve();
  await settle();
  await world.clock.advance(1000);
  await sweeping;
  assert.deepEqual(world.removed, []);
});

test('sweep: what came after the first look may belong to one that began after it', async () => {
  const world = new World();
  world.things.set('address 1', 'dead');
  const sweeping = world.sweep.sweep(1000, new AbortController().signal);
  await settle();
  world.things.set('address 2', 'coming');
  await world.clock.advance(1000);
  await sweeping;
  assert.deepEqual(world.removed, ['address 1']);
});

test('sweep: looks a few times after a crash, then seldom, and goes on when the runtime does not answer', async () => {
  const world = new World();
  await using scope = new Scope();
  scope.spawn('sweep', (signal) => world.sweep.run(signal));
  await world.clock.advance(10_000);
  assert.equal(world.looks, 3, 'a start may be one after a crash');
  await world.clock.advance(50_000);
  assert.equal(world.looks, 3);
  await world.clock.advance(10_000);
  assert.equal(world.looks, 4, 'once a minute');
  world.broken = true;
  world.sweep.soon();
  await world.clock.advance(10_000);
  world.broken = false;
  world.things.set('address 1', 'dead');
  await world.clock.advance(10_000);
  assert.deepEqual(world.removed, ['address 1']);
});

test('sweep: when nothing has crashed, what somebody else may be making has a minute; a crash shortens it', async () => {
  const world = new World();
  await using scope = new Scope();
  scope.spawn('sweep', (signal) => world.sweep.run(signal));
  await world.clock.advance(10_000);
  world.things.set('address 1', 'of another client');
  await world.clock.advance(100_000);
  assert.deepEqual(world.removed, []);
  world.sandboxes.add('of another client');
  await world.clock.advance(30_000);
  assert.deepEqual(world.removed, []);
  world.things.set('address 2', 'dead');
  await world.clock.advance(60_000);
  world.sweep.soon();
  await world.clock.advance(5_000);
  assert.deepEqual(world.removed, ['address 2']);
});
