import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerConfig, SandboxConfig, StringMap } from '#cri/config.ts';
import { PREFIX, refuseStrangers, scriptedBehaviour, scriptedPull } from '#cri/simulated/script.ts';
import { parseBytes, parseDuration, parseLine, parseTimeline, ScriptMistake } from '#cri/simulated/script-values.ts';

const prefixed = (annotations: StringMap): StringMap =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [PREFIX + key, value]));
const behaviour = (pod: StringMap, { own = {}, attempt = 0 }: { own?: StringMap; attempt?: number } = {}) =>
  scriptedBehaviour(
    { name: 'web', attempt, annotations: prefixed(own) } as unknown as ContainerConfig,
    { annotations: { ...prefixed(pod), 'example.com/other': 'x' } } as unknown as SandboxConfig,
  );

test('scripts: without one a container runs for ever', () => {
  const { run, output, memory, answer } = behaviour({});
  assert.deepEqual([run, output, memory, answer], [{ kind: 'forever' }, [], undefined, undefined]);
});

test('scripts: what is said of one container goes before what is said of all, and its own before both', () => {
  const code = (pod: StringMap, own = {}): unknown => {
    const { run } = behaviour(pod, { own });
    return run.kind === 'exits' ? run.code : run.kind;
  };
  assert.equal(code({ 'exit-code': '1' }), 1);
  assert.equal(code({ 'exit-code': '1', 'web.exit-code': '2' }), 2);
  assert.equal(code({ 'exit-code': '1', 'side.exit-code': '2' }), 1);
  assert.equal(code({ 'web.exit-code': '2' }, { 'exit-code': '3' }), 3);
});

test('scripts: an exit code for each attempt, the last one for all that follow', () => {
  const kinds = [0, 1, 2, 3].map((attempt) => {
    const { run } = behaviour({ 'web.exit-code': '1 137 never' }, { attempt });
    return run.kind === 'exits' ? run.code : run.kind;
  });
  assert.deepEqual(kinds, [1, 137, 'forever', 'forever']);
});

test('scripts: lines come at their time, on their stream', () => {
  const lines = {
    hello: { atMs: 0, stream: 'stdout', text: 'hello' },
    '5s: warm': { atMs: 5000, stream: 'stdout', text: 'warm' },
    'every 1m30s: tick': { atMs: 90_000, everyMs: 90_000, stream: 'stdout', text: 'tick' },
    'stderr: bad': { atMs: 0, stream: 'stderr', text: 'bad' },
    '250ms stderr: late': { atMs: 250, stream: 'stderr', text: 'late' },
    'at 5: no time': { atMs: 0, stream: 'stdout', text: 'at 5: no time' },
    '': { atMs: 0, stream: 'stdout', text: '' },
  };
  for (const [line, want] of Object.entries(lines)) assert.deepEqual(parseLine(line), want, line);
  assert.deepEqual(
    behaviour({ log: 'one\n2s: two\n' }).output.map((line) => (typeof line === 'string' ? line : line.text)),
    ['one', 'two'],
  );
});

test('scripts: times and sizes', () => {
  assert.deepEqual(['7', '250ms', '5s', '1m30s', '2h'].map(parseDuration), [7, 250, 5000, 90_000, 7_200_000]);
  assert.deepEqual(['10', '64Mi', '1.5Ki', '2G'].map(parseBytes), [10, 64 * 2 ** 20, 1536, 2e9]);
  assert.deepEqual(parseTimeline('64 5s:1Ki 1m:0', parseBytes), [
    { at: 0, value: 64 },
    { at: 5000, value: 1024 },
    { at: 60_000, value: 0 },
  ]);
});

test('scripts: answers change with time; what is not listed is nobody’s', () => {
  const { answer } = behaviour({ answers: '{"http:8080/ready":"fail 5s:ok 9000:hang","exec:cat /a b":"fail"}' });
  const asked = [0, 4999, 5000, 9000].map((at) => answer?.('http:8080/ready', at));
  assert.deepEqual(asked, ['fail', 'fail', 'ok', 'hang']);
  assert.equal(answer?.('exec:cat /a b', 0), 'fail');
  assert.equal(answer?.('tcp:80', 0), undefined);
});

test('scripts: mistakes are told, with what to write', () => {
  const table: readonly (readonly [StringMap, RegExp])[] = [
    [
      { 'web.exit-cod': '1' },
      /^annotation "simulated\.peapod\.dev\/web\.exit-cod": there is no "exit-cod"; write one of exit-code, /,
    ],
    [{ 'exit-cod': '1' }, /there is no "exit-cod"; write one of .*pull-error/],
    [{ 'web.pull-error': 'x' }, /there is no "pull-error"; write one of [^,]/],
    [
      { 'web.exit-code': 'one' },
      /^annotation "simulated\.peapod\.dev\/web\.exit-code": "one" is no exit code: write 0 to 255, or never/,
    ],
    [{ 'exit-code': '256' }, /"256" is no exit code/],
    [{ 'exit-code': '1', 'exit-after': 'soon' }, /"soon" is no time: write 250ms, 5s or 1m30s/],
    [{ 'stop-after': '1.5s' }, /"1\.5s" is no time/],
    [{ memory: 'lots' }, /"lots" is no size: write 64Mi/],
    [{ memory: '1Mi 5s:2Mi 5s:3Mi' }, /goes back in time/],
    [{ log: 'every 1ms: x' }, /is too often: write every 100ms or more/],
    [{ answers: 'ok' }, /this is no JSON object: write \{"http:8080\/ready"/],
    [{ answers: '["tcp:80"]' }, /this is no JSON object/],
    [{ answers: '{"http:ready":"ok"}' }, /"http:ready" is no question: write http:PORT\/PATH/],
    [{ answers: '{"tcp:80":"yes"}' }, /"yes" is no answer: write ok, fail or hang/],
    [{ answers: '{"tcp:80":"ok later:fail"}' }, /"later" is no time/],
  ];
  for (const [annotations, message] of table) {
    assert.throws(
      () => behaviour(annotations),
      (error) => error instanceof ScriptMistake && message.test(error.message),
      JSON.stringify(annotations),
    );
  }
  assert.doesNotThrow(() => behaviour({ 'side.exit-cod': '1' }), 'that is for side to say');
  for (const [annotations, message] of [
    [{ 'pull-error': 'x', 'pull-error-reason': 'Nope' }, /"Nope" is no reason: write one of ErrImagePull, /],
    [{ 'pull-error': 'x', 'pull-error-times': 'twice' }, /"twice" is no number/],
  ] as const) {
    assert.throws(() => scriptedPull(prefixed(annotations)), message);
  }
  assert.throws(
    () => refuseStrangers(prefixed({ log: 'x', 'web.log': 'x', 'wbe.log': 'x' }), ['web', 'side']),
    /annotation "simulated\.peapod\.dev\/wbe\.log": the pod has no container "wbe", only web, side$/,
  );
});
