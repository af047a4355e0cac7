/**
 * Who lives on the node while it is killed again and again. Every container writes a line to a file of its own as its
 * first act: that file, and not the cluster, is what says how often it was started.
 */
import type { Container, PodSpec, Probe, VolumeMount } from '#api/generated/core-v1.ts';
import type { PodManifest } from '#test/bench/cluster.ts';
import { shell, testserver } from '#test/e2e/support/pod-watch.ts';

export interface Part {
  readonly name: string;
  readonly spec: PodSpec;
  /** Where it ends up if nobody deletes it. `restless`: its containers come and go by themselves. */
  readonly fate: 'runs' | 'succeeds' | 'fails' | 'restless';
}

export function manifestOf({ name, spec }: Part, witness: string): PodManifest {
  const volumes = [...(spec.volumes ?? []), { name: 'witness', hostPath: { path: witness } }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { ...spec, volumes } };
}

const witnessMount = { name: 'witness', mountPath: '/w' };
const volume = (name: string): VolumeMount => ({ name, mountPath: `/${name}` });

type More = Partial<Container> & { readonly mounts?: readonly VolumeMount[] };

/** A container that tells of its start, then runs the script. */
const told = (name: string, script: string, { mounts = [], ...more }: More = {}): Container =>
  shell(name, `echo started >> /w/$HOSTNAME.${name}; ${script}`, { volumeMounts: [witnessMount, ...mounts], ...more });

const REST = 'trap "exit 0" TERM; sleep 100000 & wait $!';
const rest = (name = 'c', more: More = {}): Container => told(name, REST, more);
const quick = { terminationGracePeriodSeconds: 2 };
const always = { restartPolicy: 'Always' } as const;
const exec = (script: string): Pick<Probe, 'exec'> => ({ exec: { command: ['sh', '-c', script] } });

const http = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 };

/** There from before the first round to after the last. */
export const company: readonly Part[] = [
  { name: 'plain', fate: 'runs', spec: { ...quick, containers: [rest('a'), rest('b')] } },
  {
    name: 'probed',
    fate: 'runs',
    spec: {
      ...quick,
      containers: [
        rest('exec', { livenessProbe: { ...exec('true'), periodSeconds: 2, timeoutSeconds: 10, failureThreshold: 2 } }),
        testserver('http', [], {
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 60 },
          livenessProbe: { ...http, failureThreshold: 3 },
          readinessProbe: http,
        }),
      ],
    },
  },
  {
    name: 'sided',
    fate: 'runs',
    spec: {
      ...quick,
      initContainers: [told('first', 'exit 0'), rest('side', always), told('second', 'exit 0')],
      containers: [rest('main')],
    },
  },
  {
    name: 'filed',
    fate: 'runs',
    spec: {
      ...quick,
      containers: [rest('c', { mounts: [volume('config'), volume('secret'), volume('memory'), volume('disk')] })],
      volumes: [
        { name: 'config', configMap: { name: 'words' } },
        { name: 'secret', secret: { secretName: 'words' } },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'disk', emptyDir: {} },
      ],
    },
  },
  { name: 'once', fate: 'runs', spec: { ...quick, restartPolicy: 'Never', containers: [rest()] } },
  {
    name: 'hooked',
    fate: 'runs',
    spec: {
      ...quick,
      containers: [rest('c', { lifecycle: { postStart: exec('sleep 0.1'), preStop: exec('sleep 0.1') } })],
    },
  },
  { name: 'loop-always', fate: 'restless', spec: { ...quick, containers: [told('c', 'sleep 0.5'), rest('rests')] } },
  {
    name: 'loop-failing',
    fate: 'restless',
    spec: { ...quick, restartPolicy: 'OnFailure', containers: [told('c', 'sleep 0.3; exit 3')] },
  },
  {
    name: 'loop-side',
    fate: 'restless',
    spec: { ...quick, initContainers: [told('side', 'sleep 0.4; exit 1', always)], containers: [rest('main')] },
  },
  { name: 'done', fate: 'succeeds', spec: { restartPolicy: 'Never', containers: [told('c', 'exit 0')] } },
  { name: 'failed', fate: 'fails', spec: { restartPolicy: 'Never', containers: [told('c', 'exit 3')] } },
  { name: 'finished', fate: 'succeeds', spec: { restartPolicy: 'OnFailure', containers: [told('c', 'exit 0')] } },
];

/** Made in one round and deleted in the next. */
export const visitors = (round: number): readonly Part[] => [
  { name: `new-${round}`, fate: 'runs', spec: { ...quick, containers: [rest()] } },
  {
    name: `job-${round}`,
    fate: 'succeeds',
    spec: { ...quick, restartPolicy: 'Never', containers: [told('c', 'sleep 0.3')] },
  },
  {
    name: `init-${round}`,
    fate: 'runs',
    spec: { ...quick, initContainers: [told('one', 'sleep 0.2'), told('two', 'sleep 0.1')], containers: [rest()] },
  },
  {
    name: `slow-${round}`,
    fate: 'runs',
    spec: {
      terminationGracePeriodSeconds: 4,
      containers: [
        told('c', 'trap "sleep 0.4; exit 0" TERM; sleep 100000 & wait $!', {
          lifecycle: { preStop: exec('sleep 0.4') },
        }),
      ],
    },
  },
  {
    name: `pull-${round}`,
    fate: 'runs',
    spec: { ...quick, containers: [rest('c', { image: imageToPull(round) })] },
  },
  {
    name: `sided-${round}`,
    fate: 'succeeds',
    spec: {
      ...quick,
      restartPolicy: 'Never',
      initContainers: [rest('side', always)],
      containers: [told('main', 'sleep 0.3', { mounts: [volume('memory')] })],
      volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }],
    },
  },
  {
    name: `again-${round}`,
    fate: 'succeeds',
    spec: {
      ...quick,
      restartPolicy: 'OnFailure',
      containers: [told('c', 'test -e /disk/been && exit 0; touch /disk/been; exit 1', { mounts: [volume('disk')] })],
      volumes: [{ name: 'disk', emptyDir: {} }],
    },
  },
];

/** Made and deleted in the same round. */
export const passer = (round: number): Part => ({
  name: `brief-${round}`,
  fate: 'runs',
  spec: { ...quick, initContainers: [told('first', 'sleep 0.1')], containers: [rest()] },
});

export const imageToPull = (round: number): string => (round % 2 === 0 ? 'nginx' : 'mysql');
