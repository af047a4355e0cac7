import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { realClock } from '#lib/clock.ts';
import { writeChildRecord } from '#host/child-records.ts';
import { Children, type Child, type ChildExit, type ChildSpec } from '#host/children.ts';
import { boundLogFile, logTail } from '#host/log-file.ts';
import { bootId } from '#host/machine.ts';
import { identityOf, isAlive, signalProcess } from '#host/proc.ts';

const never = new AbortController().signal;

/** A directory of children and a way to make sleepers in it; whatever still runs at the end is ended. */
async function withChildren(body: (base: Place) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'children-'));
  const shell = (name: string, script: string): ChildSpec => ({
    name,
    command: '/bin/sh',
    args: ['-c', script],
    logFile: join(directory, `${name}.log`),
  });
  const children = (): Children => new Children(join(directory, 'records'), realClock);
  try {
    await body({
      directory,
      children,
      shell,
      sleeper: (name) => ({ ...shell(name, 'exec sleep 60'), program: 'sleep' }),
    });
  } finally {
    const last = children();
    for (const name of last.names()) await last.stop(name, 1_000, never);
    rmSync(directory, { recursive: true });
  }
}
interface Place {
  readonly directory: string;
  /** As a new parent would see them. */
  readonly children: () => Children;
  readonly shell: (name: string, script: string) => ChildSpec;
  readonly sleeper: (name: string) => ChildSpec;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !holds();) {
    assert.ok(Date.now() < deadline, `not within 5 s: ${what}`);
    await realClock.sleep(2, never);
  }
}

test('children: a second parent adopts the very process, and can end it', () =>
  withChildren(async ({ children, sleeper }) => {
    const [first, second] = [children(), children()];
    const started = await first.startOrAdopt(sleeper('a'));
    assert.equal(started.adopted, false);
    const adopted = await second.startOrAdopt(sleeper('a'));
    assert.deepEqual(adopted, { ...started, adopted: true });
    await second.stop('a', 1_000, never);
    assert.ok(!isAlive(started));
    assert.deepEqual(await first.waitForExit(started, never), { kind: 'killed', signal: 'SIGTERM' });
    assert.deepEqual(second.names(), []);
    await second.stop('a', 1_000, never);
  }));

test('children: asked for at once by two, it is started once', () =>
  withChildren(async ({ children, sleeper }) => {
    const parent = children();
    const [a, b] = await Promise.all([parent.startOrAdopt(sleeper('a')), parent.startOrAdopt(sleeper('a'))]);
    assert.equal(a.pid, b.pid);
  }));

test('children: one whose start was never written down to the end is found by its mark', () =>
  withChildren(async ({ directory, children, sleeper }) => {
    const started = await children().startOrAdopt(sleeper('a'));
    await until('sh has become sleep', () => readFileSync(`/proc/${started.pid}/comm`, 'utf8') === 'sleep\n');
    writeChildRecord(join(directory, 'records'), 'a', { bootId: bootId(), program: 'sleep' });
    assert.equal(children().find('a')?.pid, started.pid);
  }));

test('children: a recycled pid and one from before a reboot are not taken for the child', () =>
  withChildren(async ({ directory, children }) => {
    const self = identityOf(process.pid)!;
    const records = join(directory, 'records');
    await children().startOrAdopt({ name: 'x', command: '/bin/true', args: [], logFile: join(directory, 'x.log') });
    const record = { bootId: bootId(), program: 'node' };
    writeChildRecord(records, 'x', { ...record, process: { ...self, startTicks: self.startTicks - 1 } });
    assert.equal(children().find('x'), undefined);
    writeChildRecord(records, 'x', { ...record, bootId: 'another', process: self });
    assert.equal(children().find('x'), undefined);
    writeChildRecord(records, 'x', { ...record, process: self });
    assert.equal(children().find('x')?.pid, process.pid, 'the right one is');
    writeChildRecord(records, 'x', record);
  }));

test('children: SIGKILL follows when SIGTERM is ignored', () =>
  withChildren(async ({ directory, children, shell }) => {
    const parent = children();
    const child = await parent.startOrAdopt(shell('deaf', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'));
    await until('the trap is set', () => logTail(join(directory, 'deaf.log'), 1) === 'ready');
    await parent.stop('deaf', 50, never);
    assert.deepEqual(await parent.waitForExit(child, never), { kind: 'killed', signal: 'SIGKILL' });
  }));

for (const adopted of [false, true]) {
  test(`keepRunning: a child that dies is started again within 100 ms (${adopted ? 'adopted' : 'our own'})`, () =>
    withChildren(async ({ children, sleeper }) => {
      if (adopted) await children().startOrAdopt(sleeper('a'));
      const [parent, seen, ends]: [Children, Child[], ChildExit[]] = [children(), [], []];
      const done = parent.keepRunning(
        sleeper('a'),
        { started: (child) => seen.push(child), ended: (_, exit) => ends.push(exit) },
        never,
      );
      await until('it runs', () => seen.length === 1);
      assert.equal(seen[0]!.adopted, adopted);
      const killedAt = performance.now();
      signalProcess(seen[0]!, 'SIGKILL');
      await until('it runs again', () => seen.length === 2);
      // Twice the promise, for a busy machine; waiting for the first back-off would already be over.
      assert.ok(performance.now() - killedAt < 200, `${performance.now() - killedAt} ms`);
      assert.deepEqual(ends, [adopted ? { kind: 'gone' } : { kind: 'killed', signal: 'SIGKILL' }]);
      assert.ok(isAlive(seen[1]!));
      await parent.stop('a', 1_000, never);
      await done;
      assert.ok(!isAlive(seen[1]!), 'stopping ends the supervision, so nobody starts it again');
    }));
}

test('keepRunning: one that keeps dying is started ever more slowly', () =>
  withChildren(async ({ children, shell }) => {
    const delays: number[] = [];
    const controller = new AbortController();
    const ended = (_: Child, __: ChildExit, delayMs: number): void => {
      delays.push(delayMs);
      if (delays.length === 3) controller.abort(new Error('seen enough'));
    };
    await assert.rejects(children().keepRunning(shell('x', 'exit 1'), { ended }, controller.signal), /seen enough/);
    assert.deepEqual(delays, [0, 100, 200]);
  }));

test('keepRunning: cancelled, it leaves the child alone', () =>
  withChildren(async ({ children, sleeper }) => {
    const controller = new AbortController();
    const [parent, seen]: [Children, Child[]] = [children(), []];
    const done = parent.keepRunning(sleeper('a'), { started: (child) => seen.push(child) }, controller.signal);
    await until('it runs', () => seen.length === 1);
    controller.abort(new Error('bye'));
    await assert.rejects(done, /bye/);
    assert.ok(isAlive(seen[0]!));
  }));

test('keepRunning: a program that is missing is reported and tried again', () =>
  withChildren(async ({ directory, children }) => {
    const controller = new AbortController();
    const spec = { name: 'x', command: '/no/such/program', args: [], logFile: join(directory, 'x.log') };
    const failures: unknown[] = [];
    const failed = (error: unknown): void => {
      failures.push(error);
      if (failures.length === 2) controller.abort(new Error('seen enough'));
    };
    await assert.rejects(children().keepRunning(spec, { failed }, controller.signal), /seen enough/);
    assert.match(String(failures[0]), /cannot start \/no\/such\/program/);
  }));

test('boundLogFile: past its bound it begins anew, keeping the last part once', () => {
  const directory = mkdtempSync(join(tmpdir(), 'log-'));
  try {
    const file = join(directory, 'x.log');
    boundLogFile(file, 10);
    writeFileSync(file, 'short\n');
    boundLogFile(file, 10);
    assert.equal(statSync(file).size, 6);
    writeFileSync(file, 'longer than ten\nlast\n');
    assert.equal(logTail(file, 1), 'last');
    boundLogFile(file, 10);
    assert.equal(statSync(file).size, 0);
    assert.equal(logTail(`${file}.1`, 2), 'longer than ten\nlast');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
