/** `peapod simulate` on a cluster of files: the real API server over the memory store, as the command starts it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Simulation } from '#api/peapod/simulation.ts';
import type { SimulateRequest } from '#cli/commands.ts';
import { UserError } from '#cli/user-error.ts';
import { clusterPathsHere } from '#host/data-dir.ts';
import { simulateCommand } from '#main/simulate.ts';

const directory = mkdtempSync(join(tmpdir(), 'peapod-simulate-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;
function file(...objects: readonly object[]): string {
  const path = join(directory, `${++files}.json`);
  writeFileSync(path, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  return path;
}

async function ask(
  request: Partial<SimulateRequest>,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const terminal = { line: (text: string) => void lines.push(text), style: (_: unknown, text: string) => text };
  const whole = {
    files: [],
    replicas: undefined,
    nodes: [],
    schedulerConfig: undefined,
    output: 'text',
    ...request,
  } as const;
  const code = await simulateCommand(clusterPathsHere('none', join(directory, 'none')), whole, terminal);
  return { code, lines };
}

async function answer(request: Partial<SimulateRequest>): Promise<Simulation> {
  const { lines } = await ask({ ...request, output: 'json' });
  return JSON.parse(lines.join('\n')) as Simulation;
}

const node = (name: string, cpu: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { zone: name } },
  status: { allocatable: { cpu, memory: '4Gi' } },
  ...more,
});
const pod = (name: string, cpu: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu } } }], ...spec },
});
const taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }];
const nodes = file(
  node('n1', '2'),
  node('n2', '4'),
  node('n3', '8', { spec: { taints } }),
  pod('old', '3500m', { nodeName: 'n2' }),
);

test('simulate: each replica counts for the next, and the last fits nowhere', async () => {
  const { code, lines } = await ask({ files: [file(pod('web', '1'))], nodes: [nodes], replicas: 3 });
  assert.deepEqual(
    [code, lines],
    [
      1,
      [
        'web-1  n1       1 of 3 nodes fits',
        'web-2  n1       1 of 3 nodes fits',
        'web-3  nowhere  none of 3 fits: 2 are short of cpu (1 asked, 500m free at best), 1 is tainted in a way it does not tolerate (dedicated=db:NoSchedule)',
        '       → ask for less (resources.requests.cpu), or delete pods that are not needed: it is then placed by itself',
        '       nearest: n3: tainted dedicated=db:NoSchedule',
        '                n2: short of cpu by 500m (1 asked, 500m of 4 free)',
        '                n1: short of cpu by 1 (1 asked, 0 of 2 free)',
        '       evicting pods of lower priority would not help',
        '2 of 3 pods fit',
      ],
    ],
  );
});

test('simulate: all fit', async () => {
  const { code, lines } = await ask({ files: [file(pod('web', '1'))], nodes: [nodes] });
  assert.deepEqual([code, lines], [0, ['web  n1  1 of 3 nodes fits', 'it fits']]);
});

test('simulate: what fits nowhere for the same reason is told once', async () => {
  const { lines } = await ask({ files: [file(pod('web', '9'))], nodes: [nodes], replicas: 2 });
  assert.equal(lines.at(-2), 'web-2  nowhere  as web-1');
});

test('simulate: pods are defaulted and admitted: a class gives the priority by which others go', async () => {
  const high = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high' }, value: 1000 };
  const wanted = file(pod('vip', '4', { priorityClassName: 'high' }));
  const { pods } = await answer({ files: [wanted], nodes: [nodes, file(high)] });
  assert.deepEqual(pods[0]?.impasse?.eviction, {
    kind: 'helps',
    node: 'n2',
    victims: [{ namespace: 'default', name: 'old', priority: 0 }],
    violations: 0,
  });
});

test('simulate: a cluster as kubectl prints it', async () => {
  const printed = { resourceVersion: '7', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 };
  const own = { ...printed, namespace: 'shop', labels: { app: 'db' } };
  const cluster = file(
    { ...node('n1', '2'), metadata: { name: 'n1', ...printed } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', ...printed } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default', ...printed },
      spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 443 }] },
    },
    {
      ...pod('low', '1', { nodeName: 'n1', priority: 5, priorityClassName: 'unknown-here' }, own),
      status: { phase: 'Running' },
    },
    { ...pod('done', '2', { nodeName: 'n1' }, own), status: { phase: 'Succeeded' } },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'db', namespace: 'shop' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'db' } } },
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high' }, value: 9 },
  );
  const wanted = file(
    pod('a', '1', {}, { namespace: 'new' }),
    pod('b', '1', { priorityClassName: 'high' }, { namespace: 'new' }),
  );
  const { pods, fits } = await answer({ files: [wanted], nodes: [cluster] });
  assert.equal(fits, false);
  assert.deepEqual(
    pods.map((one) => one.node),
    ['n1', undefined],
  );
  const eviction = pods[1]?.impasse?.eviction;
  assert.deepEqual(eviction?.kind === 'helps' && [eviction.victims.map(({ name }) => name), eviction.violations], [
    ['a'],
    0,
  ]);
});

test("simulate: by the scheduler's configuration", async () => {
  const configuration = join(directory, 'config.json');
  const profile = { schedulerName: 'own', plugins: { filter: { disabled: [{ name: 'TaintToleration' }] } } };
  const version = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' };
  writeFileSync(configuration, JSON.stringify({ ...version, profiles: [profile] }));
  const wanted = file(pod('web', '5', { schedulerName: 'own' }), pod('other', '1'));
  const { pods } = await answer({ files: [wanted], nodes: [nodes], schedulerConfig: configuration });
  assert.deepEqual(
    pods.map(({ node: where }) => where),
    ['n3', undefined],
  );
  assert.equal(pods[1]?.sentence, 'other asks for scheduler default-scheduler, and here there is own');
});

test('simulate: the pods that a workload makes', async () => {
  const { metadata: _, ...template } = pod('any', '500m');
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { replicas: 2, template: { metadata: { labels: { app: 'web' } }, spec: template.spec } },
  };
  const { pods } = await answer({ files: [file(deployment)], nodes: [nodes] });
  assert.deepEqual(
    pods.map((one) => [one.pod.namespace, one.pod.name, one.outcome]),
    [
      ['shop', 'web-1', 'placed'],
      ['shop', 'web-2', 'placed'],
    ],
  );
  assert.equal((await answer({ files: [file(deployment)], nodes: [nodes], replicas: 3 })).pods.length, 3);
  const none = { ...deployment, spec: { ...deployment.spec, replicas: 0 } };
  await assert.rejects(ask({ files: [file(none)], nodes: [nodes] }), /there is no pod in these manifests/);
});

const refused: readonly { name: string; request: Partial<SimulateRequest>; want: RegExp }[] = [
  {
    name: 'another kind',
    request: { files: [file({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } })] },
    want: /json:1: only Pods, Deployments, .* are placed, this is Service \(v1\)/,
  },
  {
    name: 'a workload without a template',
    request: { files: [file({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } })] },
    want: /json:1: Pod "a" is invalid: spec\.containers: Required value/,
  },
  {
    name: 'a workload that asks for half a pod',
    request: {
      files: [file({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' }, spec: { parallelism: 0.5 } })],
    },
    want: /spec\.parallelism must be a number of pods, this is 0\.5/,
  },
  { name: 'no pod', request: { files: [file()] }, want: /^there is no pod in these manifests$/ },
  {
    name: 'a field nobody knows',
    request: { files: [file(pod('a', '1', { nodename: 'x' }))] },
    want: /unknown field "spec\.nodename"/,
  },
  {
    name: 'an invalid pod',
    request: { files: [file(pod('a', '-1'))] },
    want: /Pod "a" is invalid: spec\.containers\[0\]\.resources\.requests\[cpu\]: Invalid value: "-1"/,
  },
  {
    name: 'a class there is not',
    request: { files: [file(pod('a', '1', { priorityClassName: 'high' }))] },
    want: /no PriorityClass with name high was found/,
  },
  {
    name: 'a pod twice',
    request: { files: [file(pod('a', '1'), pod('a', '1'))] },
    want: /pod default\/a stands there twice/,
  },
  {
    name: 'a cluster with an invalid node',
    request: { files: [file(pod('a', '1'))], nodes: [file(node('N', '1'))] },
    want: /Node "N" is invalid: metadata\.name/,
  },
];

for (const { name, request, want } of refused) {
  test(`simulate: refuses ${name}`, async () => {
    await assert.rejects(ask({ nodes: [nodes], ...request }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, want);
      assert.equal(error.exitCode, 2);
      return true;
    });
  });
}
