import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodCondition } from '#api/generated/core-v1.ts';
import { container, facts, node, now, pod, scheduled, at, type Story } from '#api/peapod/why-fixtures.ts';
import { whyGone, whyOf } from '#api/peapod/why.ts';

interface Case extends Story {
  readonly name: string;
  readonly want: string;
  /** Some of what would help; '' for nothing. */
  readonly help: string | RegExp;
  readonly ready?: boolean;
  readonly container?: string;
}

const logs = 'kubectl logs web -n shop -c main';
const nowhere = (reasons: string, total = 1): Story['pod'] =>
  pod({
    spec: { nodeName: undefined },
    status: {
      phase: 'Pending',
      conditions: [
        scheduled(
          'Unschedulable',
          `0/${total} nodes are available: ${reasons}. preemption: 0/${total} nodes are available: ${total} Preemption is not helpful for scheduling.`,
        ),
      ],
    },
  });
const unplaced = (spec: object, conditions: readonly PodCondition[] = []): Story['pod'] =>
  pod({ spec: { nodeName: undefined, ...spec }, status: { phase: 'Pending', conditions } });
const asking = (requests: object, message: string): Story['pod'] =>
  pod({
    spec: { nodeName: undefined, containers: [{ name: 'main', image: 'app:1', resources: { requests } }] },
    status: { phase: 'Pending', conditions: [scheduled('Unschedulable', message)] },
  });
const shortOfCpu =
  '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';

const unplacedCases: readonly Case[] = [
  { name: 'not looked at yet', pod: unplaced({}), want: 'web waits to be looked at by the scheduler', help: '' },
  {
    name: 'more cpu than any node has',
    pod: asking({ cpu: '64' }, shortOfCpu),
    nodes: [node('node1')],
    want: 'web has no node: the only one is short of cpu (64 asked, 2 free at best)',
    help: 'ask for no more than the 2 cpu that the largest node has (resources.requests.cpu), or use a larger machine',
  },
  {
    name: 'cpu that others have',
    pod: asking({ cpu: '1' }, shortOfCpu),
    nodes: [node('node1')],
    pods: [pod({ name: 'other', spec: { containers: [{ name: 'a', resources: { requests: { cpu: '1500m' } } }] } })],
    want: 'web has no node: the only one is short of cpu (1 asked, 500m free at best)',
    help: 'ask for less (resources.requests.cpu), or delete pods that are not needed: it is then placed by itself',
  },
  {
    name: 'nobody has looked at the nodes',
    pod: asking({ memory: '64Gi' }, '0/1 nodes are available: 1 Insufficient memory.'),
    want: 'web has no node: the only one is short of memory (64Gi asked)',
    help: /^ask for less \(resources\.requests\.memory\)/,
  },
  {
    name: 'several nodes, several reasons',
    pod: asking(
      { cpu: '3' },
      '0/4 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s), 1 node(s) were unschedulable. preemption: no.',
    ),
    nodes: [
      node('a'),
      node('b', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }),
      node('c', { unschedulable: true }),
    ],
    want: 'web has no node: none of 4 fits: 1 is short of cpu (3 asked, 2 free at best), 2 are tainted in a way it does not tolerate (gpu=yes:NoSchedule), 1 is closed to new pods (cordoned)',
    help: 'add a toleration for gpu to spec.tolerations, or take the taint off: kubectl taint node b gpu-',
  },
  {
    name: 'cordoned',
    pod: nowhere('1 node(s) were unschedulable'),
    nodes: [node('node1', { unschedulable: true })],
    want: 'web has no node: the only one is closed to new pods (cordoned)',
    help: 'open it again: kubectl uncordon node1',
  },
  {
    name: 'a node that is not ready',
    pod: nowhere('1 node(s) had untolerated taint(s)'),
    nodes: [node('node1', { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] })],
    want: 'web has no node: the only one is not ready (taint node.kubernetes.io/not-ready:NoSchedule)',
    help: 'see what is wrong with it: kubectl describe node node1',
  },
  {
    name: 'a selector',
    pod: pod({
      spec: { nodeName: undefined, nodeSelector: { disk: 'ssd' } },
      status: {
        phase: 'Pending',
        conditions: [
          scheduled(
            'Unschedulable',
            "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: x.",
          ),
        ],
      },
    }),
    nodes: [node('node1')],
    want: 'web has no node: the only one is not what nodeSelector disk=ssd asks for',
    help: 'label a node so (kubectl label node node1 disk=ssd), or change spec.nodeSelector',
  },
  {
    name: 'a host port',
    pod: nowhere("1 node(s) didn't have free ports for the requested pod ports"),
    want: 'web has no node: the only one is where another pod has its host port',
    help: /^choose another hostPort/,
  },
  {
    name: 'a reason nobody has foreseen',
    pod: nowhere('2 node(s) had volume node affinity conflict', 2),
    want: 'web has no node: none of 2 fits: 2 are refused: node(s) had volume node affinity conflict',
    help: /.+/,
  },
  {
    name: 'no nodes at all',
    pod: unplaced({}, [scheduled('Unschedulable', 'no nodes available to schedule pods')]),
    want: 'web has no node: the cluster has none',
    help: /peapod status/,
  },
  {
    name: 'gates',
    pod: unplaced({ schedulingGates: [{ name: 'a/b' }] }, [scheduled('SchedulingGated', 'x')]),
    want: 'web is held back by scheduling gate a/b',
    help: /^who has set it takes it off/,
  },
  {
    name: "another's scheduler",
    pod: unplaced({ schedulerName: 'mine' }),
    want: 'web waits for a scheduler called mine, and none of that name has said anything about it',
    help: /leave out spec\.schedulerName/,
  },
];

const begun = { type: 'PodReadyToStartContainers', status: 'True' } as const;
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
    want: 'web cannot go on: node node1 is not Ready since 2 min: Kubelet stopped posting node status.',
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
    want: 'web gets no volume conf, since 1 min 5 s: there is no ConfigMap settings in namespace shop',
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
    want: 'web gets no volume tls, since 3 s: there is no key tls.key in a Secret it mounts',
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
    want: 'web gets no sandbox (network and namespaces), since 9 s: failed to setup network for sandbox "1": plugin type="bridge" failed',
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
    want: 'main waits for its image app:1, which is being pulled since 12 s',
    help: '',
    container: 'main',
  },
];

const pullBackOff = (message: string, more: Partial<Case> = {}): Omit<Case, 'name' | 'want' | 'help'> => ({
  pod: pod({
    status: {
      phase: 'Pending',
      conditions: [begun],
      containerStatuses: [
        container({
          waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "app:1": ErrImagePull: ${message}` },
        }),
      ],
    },
  }),
  entries: [{ time: at(-2), type: 'BackOff', container: 'main', reason: 'ImagePullBackOff', until: at(18) }],
  container: 'main',
  ...more,
});
const waits = (reason: string, message: string, spec: object = {}): Omit<Case, 'name' | 'want' | 'help'> => ({
  pod: pod({
    spec,
    status: { phase: 'Pending', conditions: [begun], containerStatuses: [container({ waiting: { reason, message } })] },
  }),
  container: 'main',
});
const resolve =
  'rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/library/app:1": failed to resolve reference "docker.io/library/app:1":';
const create =
  'rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process:';

const makingCases: readonly Case[] = [
  {
    name: 'an image that does not exist',
    ...pullBackOff(`${resolve} docker.io/library/app:1: not found`),
    want: 'main cannot be made: image app:1 does not exist; next try in 18 s',
    help: 'check its name and tag, or bring it here with `peapod image load`',
  },
  {
    name: 'a registry that is down',
    ...pullBackOff(
      `${resolve} failed to do request: Head "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused`,
    ),
    want: 'main cannot be made: the registry of image app:1 cannot be reached (connection refused); next try in 18 s',
    help: /see that it runs/,
  },
  {
    name: 'a registry that answers 503, the pull being tried now',
    ...pullBackOff(`${resolve} unexpected status from HEAD request to http://r/v2/: 503 Service Unavailable`, {
      entries: [],
    }),
    want: 'main cannot be made: the registry of image app:1 cannot be reached (503 Service Unavailable)',
    help: /see that it runs/,
  },
  {
    name: 'a private image',
    ...pullBackOff(`${resolve} pull access denied, repository does not exist or may require authorization`),
    want: 'main cannot be made: the registry does not give out image app:1: there is none of that name, or one has to log in; next try in 18 s',
    help: /imagePullSecrets/,
  },
  {
    name: 'just failed',
    ...waits('ErrImagePull', `${resolve} docker.io/library/app:1: not found`),
    want: 'main cannot be made: image app:1 does not exist',
    help: /check its name/,
  },
  {
    name: 'another processor',
    ...waits('ErrImagePull', 'no match for platform in manifest: not found'),
    want: "main cannot be made: image app:1 is not made for this node's processor",
    help: /built for it/,
  },
  {
    name: 'a bad name',
    ...waits('InvalidImageName', 'x'),
    want: 'main cannot be made: "app:1" is not the name of an image',
    help: /^correct it/,
  },
  {
    name: 'never pulled',
    ...waits('ErrImageNeverPull', 'x'),
    want: 'main cannot be made: image app:1 is not on the node, and imagePullPolicy Never says not to fetch it',
    help: /peapod image pull app:1/,
  },
  {
    name: 'a missing secret',
    ...waits('CreateContainerConfigError', 'secret "db" not found'),
    want: 'main cannot be made: there is no Secret db in namespace shop',
    help: 'create it (kubectl create secret generic db -n shop --from-literal=KEY=VALUE): it is then taken by itself',
  },
  {
    name: 'a missing key',
    ...waits('CreateContainerConfigError', "couldn't find key password in Secret shop/db"),
    want: 'main cannot be made: there is no key password in Secret shop/db',
    help: /^add the key/,
  },
  {
    name: 'root',
    ...waits('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root (pod: …)'),
    want: 'main cannot be made: it must not run as root (runAsNonRoot), and its image does',
    help: /runAsUser/,
  },
  {
    name: 'a command that is not there',
    ...waits('RunContainerError', `${create} exec: "serve": executable file not found in $PATH: unknown`),
    want: 'main cannot be started: image app:1 has no program serve',
    help: /first word of its command/,
  },
  {
    name: 'a file that is not there',
    ...waits('CreateContainerError', `${create} exec: "/app/run": stat /app/run: no such file or directory: unknown`),
    want: 'main cannot be started: there is no /app/run in image app:1 (or the interpreter it names is missing)',
    help: /correct its command/,
  },
  {
    name: 'not executable',
    ...waits('RunContainerError', `${create} exec: "/etc/passwd": permission denied: unknown`),
    want: 'main cannot be started: /etc/passwd must not be executed',
    help: /make the file executable/,
  },
  {
    name: 'a hook',
    ...waits('PostStartHookError', 'exit status 3'),
    entries: [
      {
        time: at(-1),
        type: 'HookFailed',
        container: 'main',
        hook: 'postStart',
        message: 'command "false" exited with 1',
      },
    ],
    want: 'main was stopped because its postStart hook failed: command "false" exited with 1',
    help: /lifecycle\.postStart/,
  },
  {
    name: 'a reason nobody has foreseen',
    ...waits('Pondering', 'hm'),
    want: 'main waits: Pondering: hm',
    help: 'kubectl describe pod web -n shop',
  },
];

const backOff = 'back-off 40s restarting failed container=main pod=web_shop(u)';
const crashing = (
  ended: object,
  more: { readonly tail?: readonly string[]; readonly spec?: object; readonly entries?: Story['entries'] } = {},
): Omit<Case, 'name' | 'want' | 'help'> => ({
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
  entries:
    more.entries ??
    (more.tail
      ? [
          {
            time: at(-2),
            type: 'ContainerExited',
            container: 'main',
            attempt: 3,
            exitCode: 1,
            reason: 'Error',
            logTail: more.tail,
          },
        ]
      : []),
  container: 'main',
});

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
      message: `${create} exec: "serve": executable file not found in $PATH: unknown`,
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
          {
            time: at(-2),
            type: 'ContainerExited',
            container: 'main',
            attempt: 3,
            exitCode: 137,
            reason: 'Error',
            logTail: ['bye'],
          },
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

const initSpec = (extra: object = {}): object => ({ initContainers: [{ name: 'prepare', image: 'i', ...extra }] });
const probing = (probe: object): object => ({ containers: [{ name: 'main', image: 'app:1', ...probe }] });
const runs = (more: object = {}): Story['pod']['status'] => ({
  phase: 'Running',
  conditions: [begun],
  containerStatuses: [container({ running: { startedAt: at(-60) } }, { started: true, ...more })],
});
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
    want: 'init container prepare runs since 1 min 30 s, and the containers after it wait until it has ended well',
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
    want: 'init container prepare has crashed once, exit 2, last said: no database; it is started again at once',
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
    want: "main's startup probe has not succeeded yet since 58 s: nothing there",
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
    want: "main's readiness probe fails since 15 s: HTTP probe failed with statuscode: 503",
    help: `make http :8080/ready answer 200 to 399 within 1 s, or correct its readinessProbe; what it is busy with: ${logs}`,
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
    want: 'web is ready since 5 min',
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
    want: 'web is ready since 5 min, after 2 restarts of main, the last 1 min 1 s ago: exit 1, last said: oops',
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
    want: "web is ready since 5 min, but main's liveness probe has begun to fail: slow",
    help: '',
    ready: true,
  },
];

const ended = (containers: readonly object[], status: object, spec: object = {}): Story['pod'] =>
  pod({
    spec: { restartPolicy: 'Never', ...spec },
    status: { phase: 'Failed', containerStatuses: containers as never, ...status },
  });
const deleted = (metadata: object, status: Story['pod']['status'], spec: object = {}): Story['pod'] =>
  pod({ metadata: { deletionTimestamp: at(20), deletionGracePeriodSeconds: 30, ...metadata }, status, spec });

const endCases: readonly Case[] = [
  {
    name: 'done',
    pod: pod({
      spec: { restartPolicy: 'Never' },
      status: {
        phase: 'Succeeded',
        containerStatuses: [container({ terminated: { exitCode: 0, finishedAt: at(-7200) } })],
      },
    }),
    want: 'web has done its work 2 h ago: its container has ended with exit 0, nothing is wrong',
    help: '',
  },
  {
    name: 'refused by the kubelet',
    pod: ended([], { reason: 'OutOfcpu', message: "Pod was rejected: Node didn't have enough resource: cpu" }),
    want: "web was refused by node node1 (OutOfcpu): Pod was rejected: Node didn't have enough resource: cpu",
    help: /^the scheduler does not send a pod where there is no room/,
  },
  {
    name: 'its deadline',
    pod: ended([], { reason: 'DeadlineExceeded' }, { activeDeadlineSeconds: 30 }),
    want: 'web was ended because it ran longer than it may (activeDeadlineSeconds: 30)',
    help: /^give it more time/,
  },
  {
    name: 'evicted',
    pod: ended([], { reason: 'Evicted', message: 'The node was low on resource: memory.' }),
    want: 'web was evicted from node node1: The node was low on resource: memory.',
    help: /^make room/,
  },
  {
    name: 'exit codes',
    pod: ended([container({ terminated: { exitCode: 7, reason: 'Error', message: 'bad input' } })], {}),
    want: 'web has failed for good: main ended, exit 7, last said: bad input',
    help: `all it said: ${logs}; it is not started again (restartPolicy Never)`,
  },
  {
    name: 'ending',
    pod: deleted({}, runs({ ready: true }), {
      containers: [{ name: 'main', lifecycle: { preStop: { sleep: { seconds: 9 } } } }],
    }),
    entries: [{ time: at(-10), type: 'DeletionAsked', by: { user: 'ada' }, graceSeconds: 30 }],
    want: 'web is being deleted since 10 s by ada; main still runs (main: after the preStop hook), and has 20 s left to end by itself',
    help: 'to end it at once: kubectl delete pod web -n shop --grace-period=0 --force',
  },
  {
    name: 'kept by a finalizer',
    pod: deleted(
      { finalizers: ['x/y'] },
      { phase: 'Running', containerStatuses: [container({ terminated: { exitCode: 0 } })] },
    ),
    want: 'web is being deleted since 10 s; all else is done, and finalizer x/y keeps it',
    help: /kubectl patch pod web -n shop --type merge/,
  },
  {
    name: 'its node is gone',
    pod: deleted({}, runs()),
    nodes: [node('other')],
    want: 'web is being deleted since 10 s, and nobody can stop its containers: there is no node node1',
    help: /--force$/,
  },
  {
    name: 'overdue',
    pod: deleted({ deletionTimestamp: at(-5) }, runs()),
    want: 'web is being deleted since 35 s; main still runs, 5 s after it should have been killed',
    help: /kubectl describe/,
  },
];

for (const { name, want, help, ready: isReady = false, container: about, ...story } of [
  ...unplacedCases,
  ...onNode,
  ...makingCases,
  ...crashCases,
  ...upCases,
  ...endCases,
]) {
  test(`why: ${name}`, () => {
    const said = whyOf(facts(story));
    assert.equal(said.sentence, want);
    if (typeof help === 'string') assert.equal(said.help, help);
    else assert.match(said.help, help);
    assert.equal(said.ready, isReady);
    assert.equal(said.container, about);
  });
}

test('why: a pod that is gone', () => {
  const source = { component: 'apiserver' } as const;
  const by = { user: 'ada' };
  const said = whyGone(
    'web',
    [
      { source, time: at(-70), type: 'DeletionAsked', by, graceSeconds: 30 },
      { source, time: at(-60), type: 'Gone', by: { user: 'system:node:node1' } },
    ],
    now,
  );
  assert.deepEqual(said, {
    ready: false,
    sentence: 'web is gone since 1 min: ada deleted it',
    help: 'create it again if it should be there',
  });
});
