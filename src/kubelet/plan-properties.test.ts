import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerId, SandboxId } from '#cri/runtime.ts';
import { aContainer, aPod, aSandbox, created, exited, found, observed, present, running } from '#kubelet/fixtures.ts';
import { annotations, type ImageState, type Observed, type PodContainer } from '#kubelet/observed.ts';
import { type Action, type Desired, planPod } from '#kubelet/plan.ts';
import { statusOf } from '#kubelet/status.ts';

/** A node in miniature: does what it is told, sometimes fails, and checks what must never happen. */
class World {
  observed: Observed = observed({ images: new Map(), files: 'absent' });
  #made = 0;

  constructor(private_: { readonly fails: () => boolean }) {
    this.fails = private_.fails;
  }
  readonly fails: () => boolean;

  act(action: Action, now: number): void {
    const o = this.observed;
    const set = (over: Partial<Observed>): void => void (this.observed = { ...o, ...over });
    if (this.fails()) {
      const before = o.failures.get(action.key);
      const failure = { reason: 'Failed', message: '', count: (before?.count ?? 0) + 1, at: now };
      return set({ failures: new Map([...o.failures, [action.key, failure]]) });
    }
    const change = (id: ContainerId, state: PodContainer['state']): void =>
      set({ containers: o.containers.map((one) => (one.id === id ? { ...one, state } : one)) });
    switch (action.kind) {
      case 'prepare-files':
        return set({ files: 'ready' });
      case 'pull-image':
        return set({
          images: new Map(o.images).set(action.container.image!, { ...present, pulledAt: now } as ImageState),
        });
      case 'create-sandbox':
        assert.equal(o.sandboxes.filter((one) => one.state === 'ready').length, 0, 'two living sandboxes');
        return set({ sandboxes: [...o.sandboxes, aSandbox(action.attempt, { id: `s${this.#made++}` as SandboxId })] });
      case 'create-container': {
        const { container, attempt, sandbox, restartDelayMs } = action;
        assert.ok(
          !o.containers.some((one) => one.name === container.name && one.state.kind !== 'exited'),
          `two copies of ${container.name}`,
        );
        assert.ok(
          !o.containers.some((one) => one.name === container.name && one.attempt === attempt),
          'an attempt used twice',
        );
        assert.ok(
          o.sandboxes.some((one) => one.id === sandbox && one.state === 'ready'),
          'a container without a sandbox',
        );
        const made = found(container.name, created, {
          id: `c${this.#made++}` as ContainerId,
          attempt,
          sandbox,
          restartDelayMs,
        });
        return set({
          containers: [
            ...o.containers,
            { ...made, annotations: { ...made.annotations, [annotations.image]: container.image! } },
          ],
        });
      }
      case 'start-container':
        return set({
          containers: o.containers.map((one) =>
            one.id === action.id ? { ...one, state: action.name === 'init' ? exited(0, now, now) : running(now) } : one,
          ),
          probes: new Map(o.probes).set(action.id, { startup: 'success', liveness: 'success', readiness: 'success' }),
        });
      case 'stop-container':
        assert.ok(
          action.final || Object.values(o.probes.get(action.id) ?? {}).includes('failure'),
          'stopped for nothing',
        );
        assert.ok(
          action.name !== 'side' || !action.final || now > action.deadlineAt || !o.containers.some(isMainAndRuns),
          'a sidecar stopped before the others',
        );
        return change(action.id, exited(137, now));
      case 'run-pre-stop':
        assert.ok(!o.hooked.has(action.id), 'a hook run twice');
        return set({ hooked: new Set([...o.hooked, action.id]) });
      case 'remove-container':
        return set({ containers: o.containers.filter((one) => one.id !== action.id) });
      case 'stop-sandbox':
      case 'remove-sandbox': {
        const alive = o.sandboxes.find((one) => one.id === action.id)?.state === 'ready';
        const inside = o.containers.filter((one) => one.sandbox === action.id);
        assert.ok(
          !alive || inside.every((one) => one.state.kind !== 'running'),
          'a sandbox taken from under a container',
        );
        if (action.kind === 'stop-sandbox')
          return set({
            stopped: new Set([...o.stopped, action.id]),
            sandboxes: o.sandboxes.map((one) => (one.id === action.id ? { ...one, state: 'not-ready' } : one)),
          });
        return set({
          sandboxes: o.sandboxes.filter((one) => one.id !== action.id),
          containers: o.containers.filter((one) => one.sandbox !== action.id),
        });
      }
      case 'clean-up':
        return set({ files: action.logs === 'keep' ? 'logs' : 'absent' });
      case 'delete-object':
        return set({ previous: undefined });
    }
  }

  /** Something a node does by itself: a crash, a lost sandbox, a reboot. */
  misfortune(rand: () => number, now: number): void {
    const o = this.observed;
    const dead = (one: PodContainer): PodContainer =>
      one.state.kind === 'running' ? { ...one, state: exited(137, now) } : one;
    const kind = Math.floor(rand() * 4);
    const [probed] = o.containers.filter((one) => one.state.kind === 'running');
    if (kind === 3 && probed) {
      const failing =
        rand() < 0.5 ? { startup: 'failure' as const } : { startup: 'success' as const, liveness: 'failure' as const };
      this.observed = { ...o, probes: new Map(o.probes).set(probed.id, failing) };
    }
    if (kind === 0) this.observed = { ...o, containers: o.containers.map(dead) };
    if (kind === 1)
      this.observed = {
        ...o,
        sandboxes: o.sandboxes.map((one) => ({ ...one, state: 'not-ready', addresses: [] })),
        containers: o.containers.map(dead),
      };
    if (kind === 2)
      this.observed = { ...o, sandboxes: [], containers: [], files: 'absent', failures: new Map(), stopped: new Set() };
  }
}

const isMainAndRuns = ({ name, state }: PodContainer): boolean => ['a', 'b'].includes(name) && state.kind === 'running';

const random = (seed: number) => (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
const context = { course: { kind: 'running' }, node: { addresses: ['127.0.0.1'], runtimeName: 'test' } } as const;

test('planPod: from any state a flaky node can reach, the pod comes up, counts on, and then goes away completely', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const rand = random(seed);
    let chaos = 0.3;
    const world = new World({ fails: () => rand() < chaos });
    const probes = { startupProbe: {}, livenessProbe: {} };
    const main = [aContainer('a', probes), aContainer('b', probes)];
    const lifecycle = { preStop: { sleep: { seconds: 1 } } };
    const side = aContainer('side', { restartPolicy: 'Always', lifecycle });
    const pod = aPod({ initContainers: [aContainer('init'), side], containers: main });
    let now = 0;
    const drive = (desired: Desired): void => {
      for (let n = 0; n < 600; n++) {
        const course = desired.kind === 'terminate' ? ({ kind: 'ending' } as const) : context.course;
        const status = statusOf({ ...context, pod, course }, world.observed, now);
        const ended = status.phase === 'Failed' || status.phase === 'Succeeded';
        const before = new Map(world.observed.previous?.containerStatuses?.map((one) => [one.name, one.restartCount]));
        for (const one of status.containerStatuses ?? []) {
          assert.ok(
            one.restartCount >= (before.get(one.name) ?? 0),
            `seed ${seed}: restartCount of ${one.name} went back`,
          );
        }
        world.observed = { ...world.observed, previous: status, terminalReported: ended };
        const plan = planPod(desired, world.observed, now);
        if (plan.actions.length === 0 && plan.wakeAt === undefined) return;
        now = plan.actions.length > 0 ? now + 1 : plan.wakeAt!;
        for (const action of plan.actions) world.act(action, now);
        if (plan.actions.some(({ kind }) => kind === 'delete-object') && chaos === 0) return;
        if (chaos > 0 && rand() < 0.1) world.misfortune(rand, now);
        if (chaos > 0 && n > 60) return;
      }
      assert.fail(`seed ${seed}: did not settle`);
    };
    drive({ kind: 'run', pod });
    chaos = 0;
    drive({ kind: 'run', pod });
    const alive = world.observed.containers.filter((one) => one.state.kind === 'running').map(({ name }) => name);
    assert.deepEqual(alive.toSorted(), ['a', 'b', 'side'], `seed ${seed}: not running`);
    drive({ kind: 'terminate', pod, deadlineAt: now + 1000, cause: 'deleted' });
    const { sandboxes, containers, files } = world.observed;
    assert.deepEqual([sandboxes, containers, files], [[], [], 'absent'], `seed ${seed}: something was left behind`);
  }
});
