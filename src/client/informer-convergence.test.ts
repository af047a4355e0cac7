import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ApiError } from '#api/errors.ts';
import { keyOf, type ObjectKey } from '#api/meta.ts';
import { names, start, type World } from '#client/fake-informer-world.ts';
import { FakeServer, type Thing } from '#client/fake-server.ts';
import { settle } from '#lib/fake-clock.ts';

/** What may happen to a server between two looks at the copy. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      node: fc.constantFrom('n1', 'n2'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), name: fc.constantFrom('a', 'b', 'c', 'd') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'drop' as const,
        'end' as const,
        'compact' as const,
        'bookmark' as const,
        'error' as const,
        'reset' as const,
        'away' as const,
        'back' as const,
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(0, 1, 99, 100, 1_000, 31_000) }),
  },
);
async function apply(world: World, action: typeof step extends fc.Arbitrary<infer A> ? A : never): Promise<void> {
  const { server, clock } = world;
  switch (action.kind) {
    case 'put':
      server.put(action.name, action.node);
      return;
    case 'delete':
      return server.delete(action.name);
    case 'drop':
      return server.drop();
    case 'end':
      return server.end();
    case 'compact':
      return server.compact();
    case 'bookmark':
      return server.bookmark();
    case 'error':
      return server.sendError(new ApiError('InternalError', 'no'));
    case 'reset':
      // Only while the copy is far ahead of anything the new server will reach: what a number cannot tell, nobody can.
      if (world.informer.seen !== server.revision) return;
      server.bookmark(1_000);
      await settle();
      if (world.informer.seen === server.revision) server.reset();
      return;
    case 'away':
      server.unreachable = new ApiError('ServiceUnavailable', 'away');
      return server.drop();
    case 'back':
      server.unreachable = undefined;
      return;
    case 'time':
      return clock.advance(action.ms);
  }
}

test('informer: converges to the server under any drops, relists and restarts, and tells a true story', async () => {
  const scenario = fc.tuple(fc.constantFrom('served' as const, 'refused' as const), fc.array(step, { maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(scenario, async ([streaming, steps]) => {
      const server = new FakeServer();
      server.streaming = streaming;
      await using world = start(server);
      const mirror = new Map<ObjectKey, Thing>();
      world.informer.onChange(({ key, before, after }) => {
        assert.equal(mirror.get(key), before, 'before is what was last told');
        if (before && after) assert.equal(before.metadata.uid, after.metadata.uid);
        if (after) mirror.set(key, after);
        else mirror.delete(key);
      });
      for (const action of steps) await apply(world, action);
      server.unreachable = undefined;
      await world.clock.advance(61_000);
      const want = new Map(server.objects.map((object) => [keyOf(object), object]));
      assert.deepEqual(new Map(world.informer.list().map((object) => [keyOf(object), object])), want);
      assert.deepEqual(mirror, want);
      for (const node of ['n1', 'n2'])
        assert.deepEqual(
          names(world.informer.by('byNode', node)),
          names(server.objects.filter(({ spec }) => spec.node === node)),
        );
      assert.ok(
        !world.errors.some(
          (error) => error instanceof assert.AssertionError || (error as Error).cause instanceof assert.AssertionError,
        ),
      );
    }),
    { numRuns: 300 },
  );
});
