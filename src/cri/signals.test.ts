import assert from 'node:assert/strict';
import test from 'node:test';
import { signalNumber } from '#cri/signals.ts';

for (const [name, want] of [
  ['SIGTERM', 15],
  ['SIGUSR1', 10],
  ['SIGCLD', 17],
  ['SIGPOLL', 29],
  ['SIGIOT', 6],
  ['SIGRTMIN', 34],
  ['SIGRTMIN+15', 49],
  ['SIGRTMAX-14', 50],
  ['SIGRTMAX', 64],
  ['SIGRTMAX+1', undefined],
  ['SIGRTMIN-1', undefined],
  ['RUNTIME_DEFAULT', undefined],
  ['15', undefined],
  ['', undefined],
] as const) {
  test(`signalNumber: ${name === '' ? 'nothing' : name}`, () => assert.equal(signalNumber(name), want));
}
