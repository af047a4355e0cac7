import { test } from 'node:test';
import { at, begun, check, container, logs, node, pod, runs, type Case } from '#api/peapod/why-fixtures.ts';

const onNode: readonly Case[] = [
  {
    name: 'bound to a node that is not there',
    pod: pod({ spec: { nodeName: 'ghost' }, status: { phase: 'Pending' } }),
    nodes: [node('node1')],
    want: 'web cannot go on: there is no node ghost',
    help: /leave out spec\.nodeName .*\(the nodes are: node1\)/,
  },
  {
    name: 'on a node that is not Ready',
    pod: pod({ status: { phase: 'Pending' } }),
    nodes: [
      node(
        'node1',
        {},
        { status: 'Unknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: at(-120) },
      ),
    ],
    want: 'web cannot go on: node node1 has not been Ready for 2 min: Kubelet stopped posting node status.',
    help: 'see that peapod runs there: kubectl describe node node1',
  },
  {
    name: 'no kubelet has spoken yet',
    pod: pod({ status: { phase: 'Pending' } }),
    want: 'main is being made',
    help: '',
    container: 'main',
  },
  {
    name: 'a volume whose ConfigMap is missing',
    pod: pod({ status: { phase: 'Pending' } }),
    entries: [
      {
        time: at(-65),
        type: 'MountFailed',
        message: 'MountVolume.SetUp failed for volume "conf" : configmap "settings" not found',
      },
      {
        time: at(-5),
        type: 'MountFailed',
        message: 'MountVolume.SetUp failed for volume "conf" : configmap "settings" not found',
      },
    ],
    want: 'web has been without volume conf for 1 min 5 s: there is no ConfigMap settings in namespace shop',
    help: 'create it (kubectl create configmap settings -n shop --from-literal=KEY=VALUE): it is then taken by itself',
  },
  {
    name: 'a volume whose Secret lacks a key',
    pod: pod({ status: { phase: 'Pending' } }),
    entries: [
      {
        time: at(-3),
        type: 'MountFailed',
        message: 'MountVolume.SetUp failed for volume "tls" : references non-existent secret key: tls.key',
      },
    ],
    want: 'web has been without volume tls for 3 s: there is no key tls.key in a Secret it mounts',
    help: /^add the key/,
  },
  {
    name: 'volumes are there by now',
    pod: pod({ status: { phase: 'Pending' } }),
    entries: [
      { time: at(-65), type: 'MountFailed', message: 'x' },
      { time: at(-5), type: 'SandboxCreated', attempt: 0, durationMs: 300 },
    ],
    want: 'main is being made',
    help: '',
    container: 'main',
  },
  {
    name: 'no sandbox',
    pod: pod({ status: { phase: 'Pending' } }),
    entries: [
      {
        time: at(-9),
        type: 'SandboxFailed',
        durationMs: 5,
        message:
          'rpc error: code = Unknown desc = failed to setup network for sandbox "1": plugin type="bridge" failed',
      },
    ],
    want: 'web has been without a sandbox (network and namespaces) for 9 s: failed to setup network for sandbox "1": plugin type="bridge" failed',
    help: /CNI/,
  },
  {
    name: 'its image is on the way',
    pod: pod({
      status: {
        phase: 'Pending',
        conditions: [begun],
        containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })],
      },
    }),
    entries: [{ time: at(-12), type: 'PullStarted', container: 'main', image: 'app:1' }],
    want: 'main waits for its image app:1, which has been on its way for 12 s',
    help: '',
    container: 'main',
  },
];

const initSpec = (extra: object = {}): object => ({ initContainers: [{ name: 'prepare', image: 'i', ...extra }] });
const probing = (probe: object): object => ({ containers: [{ name: 'main', image: 'app:1', ...probe }] });
const probe = (
  kind: 'startup' | 'readiness' | 'liveness',
  transition: 'FirstFailure' | 'ThresholdReached' | 'Ready',
  seconds: number,
  output: string,
) =>
  ({
    time: at(seconds),
    type: 'Probe',
    container: 'main',
    probe: kind,
    transition,
    output,
    run: 1,
    threshold: 3,
    latencyMs: 2,
  }) as const;
const ready = { type: 'Ready', status: 'True', lastTransitionTime: at(-300) } as const;

const upCases: readonly Case[] = [
  {
    name: 'an init container runs',
    pod: pod({
      spec: initSpec(),
      status: {
        phase: 'Pending',
        conditions: [begun],
        initContainerStatuses: [container({ running: { startedAt: at(-90) } }, { name: 'prepare' })],
        containerStatuses: [container({ waiting: { reason: 'PodInitializing' } })],
      },
    }),
    want: 'init container prepare has been running for 1 min 30 s, and the containers after it wait until it has ended well',
    help: 'if it should be through by now: kubectl logs web -n shop -c prepare',
    container: 'prepare',
  },
  {
    name: 'an init container fails',
    pod: pod({
      spec: initSpec(),
      status: {
        phase: 'Pending',
        conditions: [begun],
        initContainerStatuses: [
          container({ terminated: { exitCode: 2, reason: 'Error', message: 'no database' } }, { name: 'prepare' }),
        ],
      },
    }),
    want: 'init container prepare has crashed once, exit 2, last said: no database; it is being started again',
    help: /-c prepare$/,
    container: 'prepare',
  },
  {
    name: 'a sidecar has not started',
    pod: pod({
      spec: initSpec({ restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 9 } } }),
      status: {
        phase: 'Pending',
        conditions: [begun],
        initContainerStatuses: [container({ running: { startedAt: at(-4) } }, { name: 'prepare', started: false })],
      },
    }),
    want: "sidecar prepare's startup probe has not answered yet, 4 s after it started",
    help: '',
    container: 'prepare',
  },
  {
    name: 'startup probe not through',
    pod: pod({
      spec: probing({ startupProbe: { exec: { command: ['test', '-f', '/up'] } } }),
      status: runs({ started: false }),
    }),
    entries: [probe('startup', 'FirstFailure', -58, 'nothing there')],
    want: "main's startup probe has been failing for 58 s: nothing there",
    help: `make \`test -f /up\` exit 0 in it within 1 s, or correct its startupProbe; what it is busy with: ${logs}`,
    container: 'main',
  },
  {
    name: 'readiness fails',
    pod: pod({ spec: probing({ readinessProbe: { httpGet: { path: '/ready', port: 8080 } } }), status: runs() }),
    entries: [
      probe('readiness', 'Ready', -59, ''),
      probe('readiness', 'FirstFailure', -15, 'a'),
      probe('readiness', 'ThresholdReached', -12, 'HTTP probe failed with statuscode: 503'),
    ],
    want: "main's readiness probe has been failing for 15 s: HTTP probe failed with statuscode: 503",
    help: `make http :8080/ready answer 200 to 399 within 1 s, or correct its readinessProbe; what it is busy with: ${logs}`,
    container: 'main',
  },
  {
    name: 'liveness has failed, and it is being stopped',
    pod: pod({ spec: probing({ livenessProbe: { tcpSocket: { port: 7 } }, readinessProbe: {} }), status: runs() }),
    entries: [
      probe('readiness', 'FirstFailure', -9, 'a'),
      probe('liveness', 'ThresholdReached', -3, 'connection refused'),
      { time: at(-3), type: 'Killing', container: 'main', message: 'x', deadline: at(27) },
    ],
    want: 'main is being stopped because its liveness probe failed: connection refused',
    help: `make it listen on :7, or correct its livenessProbe; what it is busy with: ${logs}`,
    container: 'main',
  },
  {
    name: 'it runs again after its liveness had failed',
    pod: pod({ spec: probing({ livenessProbe: {}, readinessProbe: {} }), status: runs({ restartCount: 2 }) }),
    entries: [
      probe('liveness', 'ThresholdReached', -63, 'connection refused'),
      { time: at(-63), type: 'Killing', container: 'main', message: 'x', deadline: at(27) },
      {
        time: at(-62),
        type: 'ContainerExited',
        container: 'main',
        attempt: 1,
        exitCode: 0,
        reason: 'Completed',
        logTail: [],
      },
      { time: at(-60), type: 'ContainerStarted', container: 'main', attempt: 2 },
      probe('readiness', 'FirstFailure', -9, 'not yet'),
    ],
    want: "main's readiness probe has been failing for 9 s, after 2 restarts (its liveness probe had failed): not yet",
    help: /.+/,
    container: 'main',
  },
  {
    name: 'readiness has not been asked',
    pod: pod({
      spec: probing({ readinessProbe: { tcpSocket: { port: 1 }, initialDelaySeconds: 90 } }),
      status: runs({ restartCount: 2 }),
    }),
    want: "main's readiness probe has not succeeded yet, 1 min after it started, after 2 restarts; it is first asked in 30 s (initialDelaySeconds)",
    help: '',
    container: 'main',
  },
  {
    name: 'a readiness gate',
    pod: pod({ spec: { readinessGates: [{ conditionType: 'lb/up' }] }, status: runs({ ready: true }) }),
    want: 'web has all its containers ready and waits for readiness gate lb/up',
    help: /must set it to True/,
  },
  {
    name: 'all is well',
    pod: pod({ status: { ...runs({ ready: true }), conditions: [begun, ready] } }),
    want: 'web has been ready for 5 min',
    help: '',
    ready: true,
  },
  {
    name: 'ready between two crashes',
    pod: pod({
      status: {
        ...runs({ ready: true, restartCount: 2, lastState: { terminated: { exitCode: 1, finishedAt: at(-61) } } }),
        conditions: [begun, ready],
      },
    }),
    entries: [
      {
        time: at(-61),
        type: 'ContainerExited',
        container: 'main',
        attempt: 1,
        exitCode: 1,
        reason: 'Error',
        logTail: ['oops'],
      },
    ],
    want: 'web has been ready for 5 min, after 2 restarts of main, the last 1 min 1 s ago: exit 1, last said: oops',
    help: '',
    ready: true,
  },
  {
    name: 'ready, and a probe begins to fail',
    pod: pod({
      spec: probing({ livenessProbe: {} }),
      status: { ...runs({ ready: true }), conditions: [begun, ready] },
    }),
    entries: [probe('liveness', 'FirstFailure', -1, 'slow')],
    want: "web has been ready for 5 min, but main's liveness probe has begun to fail: slow",
    help: '',
    ready: true,
  },
];

check(test, [...onNode, ...upCases]);
