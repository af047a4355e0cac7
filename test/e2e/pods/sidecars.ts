/** Sidecars (init containers with restartPolicy Always): the order in which they begin and end. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { until } from '#test/e2e/support/cluster.ts';
import { containerOf, isReady, shell } from '#test/e2e/support/pod-watch.ts';

export const sidecarStories: readonly Story[] = [
  ['sidecars begin in turn, live as long as the others, and end in turn', inTurn],
  ['sidecars of a deleted pod end after the others, their hooks at once', deleted],
];

/** Containers write in one file, on the host, what happens to them. */
function journal(t: TestContext): {
  readonly volumes: readonly object[];
  readonly lines: () => readonly string[];
  container(name: string, script: string, more?: object): object;
} {
  const folder = mkdtempSync(join(tmpdir(), 'peapod-e2e-sidecars-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'journal');
  return {
    volumes: [{ name: 'journal', hostPath: { path: folder } }],
    lines: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
    container: (name, script, more = {}) =>
      shell(name, `say() { echo "$1 ${name}" >> /journal/journal; }; ${script}`, {
        volumeMounts: [{ name: 'journal', mountPath: '/journal' }],
        ...more,
      }),
  };
}

/** It has begun when it can be told to end. */
const lives = 'trap "sleep 1; say ends; exit 0" TERM; say begins; while :; do sleep 1 & wait $!; done';
const always = { restartPolicy: 'Always' };

async function inTurn({ pods, create, remove }: Stage, t: TestContext): Promise<void> {
  const { volumes, lines, container } = journal(t);
  const startupProbe = { exec: { command: ['test', '-e', '/tmp/started'] }, periodSeconds: 1, failureThreshold: 60 };
  await create('in-turn', {
    restartPolicy: 'Never',
    volumes,
    initContainers: [
      container('slow', `(sleep 2; say started; touch /tmp/started) & ${lives}`, { ...always, startupProbe }),
      container('init', 'say begins'),
      container('second', lives, always),
    ],
    containers: [container('main', 'say begins; sleep 1; say ends')],
  });
  const running = await pods.went('in-turn', 'running and ready', isReady);
  assert.deepEqual(containerOf(running, 'slow')?.started, true);
  const { status } = await pods.ended('in-turn');
  assert.equal(status?.phase, 'Succeeded');
  assert.deepEqual(lines(), [
    'begins slow',
    'started slow',
    'begins init',
    'begins second',
    'begins main',
    'ends main',
    'ends second',
    'ends slow',
  ]);
  assert.deepEqual(
    status!.initContainerStatuses!.map(({ state }) => state?.terminated?.exitCode),
    [0, 0, 0],
  );
  await remove('in-turn');
}

async function deleted({ cluster, pods, create }: Stage, t: TestContext): Promise<void> {
  const { volumes, lines, container } = journal(t);
  const lifecycle = { preStop: { exec: { command: ['sh', '-c', 'echo "hook of second" >> /journal/journal'] } } };
  await create('in-turn-deleted', {
    volumes,
    initContainers: [container('first', lives, always), container('second', lives, { ...always, lifecycle })],
    containers: [container('main', lives.replace('sleep 1', 'sleep 3'))],
  });
  await until(
    'all have begun',
    async () => lines().length,
    (count) => count === 3,
  );
  await pods.running('in-turn-deleted');
  await cluster.ok('delete', 'pod', 'in-turn-deleted', '--timeout=40s');
  assert.deepEqual(lines().slice(3), ['hook of second', 'ends main', 'ends second', 'ends first']);
}
