import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { Uid } from '#api/meta.ts';
import type { ContainerStats } from '#cri/runtime.ts';
import { StorageWatch, type StorageWatchDeps } from '#kubelet/eviction/storage-watch.ts';
import { aContainer, aPod } from '#kubelet/fixtures.ts';
import { FakeClock } from '#lib/fake-clock.ts';
import { Scope } from '#lib/scope.ts';

const Mi = 2 ** 20;
const named = (uid: string, spec: Partial<PodSpec>, over: Partial<Pod> = {}): Pod => {
  const pod = aPod(spec);
  return { ...pod, ...over, metadata: { ...pod.metadata, ...over.metadata, uid: uid as Uid, name: uid } };
};
const emptyDir = { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] };
const limited = { containers: [aContainer('main', { resources: { limits: { 'ephemeral-storage': '1Mi' } } })] };

interface World {
  readonly clock: FakeClock;
  readonly asked: string[];
  readonly evicted: string[];
  readonly troubles: string[];
  readonly scope: Scope;
}

/** `use` of a volume or log by `UID/NAME`: bytes, or a failure, or a walk that does not end. */
function watching(pods: readonly Pod[], use: Readonly<Record<string, number | 'fails' | 'lasts'>>): World {
  const clock = new FakeClock();
  const world: World = { clock, asked: [], evicted: [], troubles: [], scope: new Scope() };
  const deps: StorageWatchDeps = {
    clock,
    pods: {
      list: () => pods,
      onChange(listener) {
        for (const after of pods) listener({ key: after.metadata.uid, before: undefined, after } as never);
        return { [Symbol.dispose]() {} };
      },
    },
    stats: {
      sandboxes: async () => [],
      async containers({ labels }) {
        world.asked.push(`stats ${Object.values(labels ?? {}).join()}`);
        const attempt = (n: number, usedBytes: number): unknown => ({
          name: 'main',
          attempt: n,
          writableLayer: { usedBytes },
        });
        return [attempt(1, 600_000), attempt(0, 5 * Mi)] as readonly ContainerStats[];
      },
    },
    files: {
      state: (uid: string) => (uid === 'absent' ? 'absent' : 'ready'),
      async diskUse(
        { metadata }: Pod,
        of: { volume?: string; container?: string },
        _enough: number,
        signal: AbortSignal,
      ) {
        const what = `${metadata.uid}/${of.volume ?? of.container}`;
        world.asked.push(what);
        const found = use[what] ?? 0;
        if (found === 'fails') throw new Error('disk on fire');
        if (found === 'lasts') await clock.sleep(Infinity, signal);
        return Number(found);
      },
    } as unknown as StorageWatchDeps['files'],
    workers: { evict: (uid, message) => world.evicted.push(`${uid}: ${message}`) },
    log: (message, error) => world.troubles.push(`${message}: ${String(error)}`),
  };
  world.scope.spawn('watch', (signal) => new StorageWatch(deps).run(signal));
  return world;
}

test('storage watch: only what is limited, of pods that live, is measured, every ten seconds', async () => {
  const { clock, asked, scope } = watching(
    [
      named('free', { volumes: [{ name: 'v', emptyDir: {} }] }),
      named('absent', emptyDir),
      named('over', emptyDir, { status: { phase: 'Failed' } }),
      named('going', emptyDir, { metadata: { ...aPod().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      named('volume', emptyDir),
    ],
    {},
  );
  await clock.advance(9999);
  assert.deepEqual(asked, []);
  await clock.advance(25_001);
  assert.deepEqual(asked, ['volume/v', 'volume/v', 'volume/v']);
  await scope[Symbol.asyncDispose]();
  assert.equal(clock.sleeping, 0);
});

test('storage watch: of a container the newest attempt and the logs count', async () => {
  const { clock, asked, evicted, scope } = watching([named('fits', limited), named('talks', limited)], {
    'fits/main': 400_000,
    'talks/main': 500_000,
  });
  await clock.advance(10_000);
  assert.deepEqual(asked.toSorted(), ['fits/main', 'stats fits', 'stats talks', 'talks/main']);
  assert.deepEqual(evicted, ['talks: Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ']);
  await scope[Symbol.asyncDispose]();
});

test('storage watch: one that cannot be measured, or takes for ever, does not hold up the others', async () => {
  const { clock, evicted, troubles, scope } = watching(
    ['slow', 'broken', 'full'].map((uid) => named(uid, emptyDir)),
    { 'slow/v': 'lasts', 'broken/v': 'fails', 'full/v': 2 * Mi },
  );
  await clock.advance(20_000);
  const message = 'full: Usage of EmptyDir volume "v" exceeds the limit "1Mi". ';
  assert.deepEqual(evicted, [message, message]);
  const trouble = 'measuring what pod default/broken keeps on disk failed: Error: disk on fire';
  assert.deepEqual(troubles, [trouble, trouble]);
  await scope[Symbol.asyncDispose]();
});
