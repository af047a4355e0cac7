import type { ContainerState, ContainerStatus, Node, Pod, PodCondition, PodStatus } from '#api/generated/core-v1.ts';
import type { EntryBody } from '#api/peapod/pod-timeline.ts';
import { whyOf, type WhyRequest } from '#api/peapod/why.ts';

/** Pods and timelines for the tests of why a pod is not ready. */
export const now = Date.parse('2026-01-02T03:04:00Z');

/** So many seconds from now. */
export const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

export interface Story {
  readonly pod: Pod;
  readonly nodes?: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly entries?: readonly ({ readonly time: string } & EntryBody)[];
}

export const facts = ({ pod: subject, nodes, pods = [], entries = [] }: Story): WhyRequest => ({
  pod: subject,
  cluster: nodes && { nodes, pods },
  entries: entries.map((entry) => ({ ...entry, source: { component: 'kubelet' } })),
  now,
});

interface PodParts {
  readonly name?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: PodStatus | undefined;
}

/** On node1, with one container `main` of image app:1, unless said otherwise. */
export function pod({ name = 'web', metadata = {}, spec = {}, status = {} }: PodParts): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: at(-600),
      ...metadata,
    } as never,
    spec: { nodeName: 'node1', restartPolicy: 'Always', containers: [{ name: 'main', image: 'app:1' }], ...spec },
    status,
  };
}

export const container = (state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'main',
  state,
  lastState: {},
  ready: false,
  restartCount: 0,
  image: 'app:1',
  imageID: '',
  ...more,
});

export const scheduled = (reason: string, message: string): PodCondition => ({
  type: 'PodScheduled',
  status: 'False',
  reason,
  message,
});

export const node = (name: string, spec: object = {}, ready: Partial<PodCondition> = { status: 'True' }): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: at(-6000) } as never,
  spec,
  status: {
    allocatable: { cpu: '2', memory: '8Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True', ...ready }],
  },
});

export interface Case extends Story {
  readonly name: string;
  readonly want: string;
  /** '' for nothing. */
  readonly help: string | RegExp;
  readonly ready?: boolean;
  readonly container?: string;
}

/** A case without what is expected of it. */
export type Given = Omit<Case, 'name' | 'want' | 'help'>;

/** Makes a test of each. The runner is handed in: this layer may import none, and only tests do. */
export function check(test: (name: string, run: () => void) => unknown, cases: readonly Case[]): void {
  for (const { name, want, help, ready = false, container: about, ...story } of cases) {
    test(`why: ${name}`, () => {
      const said = whyOf(facts(story));
      differs('sentence', said.sentence, want);
      if (typeof help === 'string' || !help.test(said.help)) differs('help', said.help, String(help));
      differs('ready', String(said.ready), String(ready));
      differs('container', String(said.container), String(about));
    });
  }
}

function differs(what: string, actual: string, want: string): void {
  if (actual !== want) throw new Error(`${what}:\n  said: ${actual}\n  want: ${want}`);
}

export const logs = 'kubectl logs web -n shop -c main';
/** Its sandbox is there. */
export const begun = { type: 'PodReadyToStartContainers', status: 'True' } as const;
/** What runc says first, as containerd 1.6 passes it on. */
export const runc =
  'rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process:';

/** A status in which `main` runs since a minute, and has passed its startup probe. */
export const runs = (more: object = {}): Story['pod']['status'] => ({
  phase: 'Running',
  conditions: [begun],
  containerStatuses: [container({ running: { startedAt: at(-60) } }, { started: true, ...more })],
});
