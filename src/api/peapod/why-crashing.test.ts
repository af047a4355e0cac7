import { test } from 'node:test';
import {
  at,
  begun,
  check,
  container,
  logs,
  pod,
  runc,
  type Case,
  type Given,
  type Story,
} from '#api/peapod/why-fixtures.ts';

const exited = (exitCode: number, logTail: readonly string[]): NonNullable<Story['entries']>[number] => ({
  time: at(-2),
  type: 'ContainerExited',
  container: 'main',
  attempt: 3,
  exitCode,
  reason: 'Error',
  logTail,
});

const backOff = 'back-off 40s restarting failed container=main pod=web_shop(u)';
const crashing = (
  ended: object,
  more: { readonly tail?: readonly string[]; readonly spec?: object; readonly entries?: Story['entries'] } = {},
): Given => ({
  pod: pod({
    spec: more.spec ?? {},
    status: {
      phase: 'Running',
      conditions: [begun],
      containerStatuses: [
        container(
          { waiting: { reason: 'CrashLoopBackOff', message: backOff } },
          {
            restartCount: 3,
            lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: at(-2), ...ended } },
          },
        ),
      ],
    },
  }),
  entries: more.entries ?? (more.tail ? [exited(1, more.tail)] : []),
  container: 'main',
});

const waitsAgain: Given = {
  pod: pod({
    status: {
      phase: 'Running',
      conditions: [begun],
      containerStatuses: [
        container(
          { waiting: { reason: 'ContainerCreating' } },
          { restartCount: 3, lastState: { terminated: { exitCode: 1, message: 'oops', finishedAt: at(-2) } } },
        ),
      ],
    },
  }),
  container: 'main',
};

const crashCases: readonly Case[] = [
  {
    name: 'crashing, with last words',
    ...crashing({}, { tail: ['starting', 'Access denied for user', ''] }),
    want: 'main has crashed 4 times, exit 1, last said: Access denied for user; next try in 38 s',
    help: `mend what it complains of; all it said: ${logs}`,
  },
  {
    name: 'the line that tells is not the last',
    ...crashing({}, { tail: ['Error: no such table', '    at run (db.js:3)', 'Node.js v26'] }),
    want: 'main has crashed 4 times, exit 1, last said: Error: no such table; next try in 38 s',
    help: /.+/,
  },
  {
    name: 'being made again after a crash',
    ...waitsAgain,
    want: 'main has crashed 4 times, exit 1, last said: oops; it is being started again',
    help: /.+/,
  },
  {
    name: 'stopped for its hook',
    ...crashing(
      { exitCode: 137 },
      {
        entries: [
          {
            time: at(-40),
            type: 'HookFailed',
            container: 'main',
            hook: 'postStart',
            message: "'cat /x' exited with 1",
          },
          { time: at(-40), type: 'Killing', container: 'main', message: 'FailedPostStartHook', deadline: at(-10) },
          exited(137, []),
        ],
      },
    ),
    want: "main was stopped 4 times because its postStart hook failed: 'cat /x' exited with 1; next try in 38 s",
    help: /lifecycle\.postStart/,
  },
  {
    name: 'a termination message',
    ...crashing({ message: 'disk full\n' }, { tail: ['hello'] }),
    want: 'main has crashed 4 times, exit 1, last said: disk full; next try in 38 s',
    help: /.+/,
  },
  {
    name: 'crashing in silence, and the timeline knows when better',
    ...crashing(
      {},
      { entries: [{ time: at(-2), type: 'BackOff', container: 'main', reason: 'CrashLoopBackOff', until: at(7) }] },
    ),
    want: 'main has crashed 4 times, exit 1, without a word; next try in 7 s',
    help: /.+/,
  },
  {
    name: 'out of memory',
    ...crashing(
      { exitCode: 137, reason: 'OOMKilled' },
      { spec: { containers: [{ name: 'main', image: 'app:1', resources: { limits: { memory: '64Mi' } } }] } },
    ),
    want: 'main has crashed 4 times, out of memory (its limit is 64Mi), without a word; next try in 38 s',
    help: /^raise resources\.limits\.memory/,
  },
  {
    name: 'a signal',
    ...crashing({ exitCode: 139 }, { tail: ['about to'] }),
    want: 'main has crashed 4 times, killed by SIGSEGV (exit 139), last said: about to; next try in 38 s',
    help: /fault/,
  },
  {
    name: 'a command not found by the shell',
    ...crashing({ exitCode: 127 }, { tail: ['sh: nosuch: not found'] }),
    want: 'main has crashed 4 times, exit 127, last said: sh: nosuch: not found; next try in 38 s',
    help: /^a command was not found/,
  },
  {
    name: 'a program that ends where it should run on',
    ...crashing({ exitCode: 0, reason: 'Completed' }),
    want: 'main has ended 4 times by itself (exit 0), and is to run for ever (restartPolicy Always); next try in 38 s',
    help: /^give it a command that keeps running/,
  },
  {
    name: 'never begun',
    ...crashing({
      exitCode: 128,
      reason: 'StartError',
      message: `${runc} exec: "serve": executable file not found in $PATH: unknown`,
    }),
    want: 'main cannot be started: image app:1 has no program serve; next try in 38 s',
    help: /first word/,
  },
  {
    name: 'killed by its liveness probe',
    ...crashing(
      { exitCode: 137 },
      {
        spec: {
          containers: [
            {
              name: 'main',
              image: 'app:1',
              livenessProbe: { httpGet: { path: '/live', port: 8080 }, timeoutSeconds: 2 },
            },
          ],
        },
        entries: [
          {
            time: at(-9),
            type: 'Probe',
            container: 'main',
            probe: 'liveness',
            transition: 'FirstFailure',
            output: 'first',
            run: 1,
            threshold: 2,
            latencyMs: 3,
          },
          {
            time: at(-8),
            type: 'Probe',
            container: 'main',
            probe: 'liveness',
            transition: 'ThresholdReached',
            output: 'statuscode: 503',
            run: 2,
            threshold: 2,
            latencyMs: 3,
          },
          { time: at(-8), type: 'Killing', container: 'main', message: 'x', deadline: at(22) },
          exited(137, ['bye']),
        ],
      },
    ),
    want: 'main was killed 4 times because its liveness probe failed: statuscode: 503; next try in 38 s',
    help: `make http :8080/live answer 200 to 399 within 2 s, or correct its livenessProbe; what it is busy with: ${logs}`,
  },
  {
    name: 'failed beside one that runs, and not to be started again',
    pod: pod({
      spec: { restartPolicy: 'Never', containers: [{ name: 'main' }, { name: 'side' }] },
      status: {
        phase: 'Running',
        conditions: [begun],
        containerStatuses: [
          container({ terminated: { exitCode: 3, reason: 'Error' } }),
          container({ running: { startedAt: at(-9) } }, { name: 'side', ready: true }),
        ],
      },
    }),
    want: 'main has crashed once, exit 3, without a word; it is not started again (restartPolicy Never)',
    help: /.+/,
    container: 'main',
  },
  {
    name: 'several are in trouble: what does not mend itself first',
    pod: pod({
      spec: {
        containers: [
          { name: 'main', image: 'app:1' },
          { name: 'b', image: 'B B' },
          { name: 'c', image: 'c' },
        ],
      },
      status: {
        phase: 'Pending',
        conditions: [begun],
        containerStatuses: [
          container({ waiting: { reason: 'ErrImagePull', message: 'not found' } }),
          container({ waiting: { reason: 'InvalidImageName' } }, { name: 'b' }),
          container({ waiting: { reason: 'ContainerCreating' } }, { name: 'c' }),
        ],
      },
    }),
    want: 'b cannot be made: "B B" is not the name of an image (not well either: main)',
    help: /.+/,
    container: 'b',
  },
];

check(test, crashCases);
