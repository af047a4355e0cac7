import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Namespace, Pod, Service } from '#api/generated/core-v1.ts';
import { defaultObject } from '#api/defaults/defaults.ts';
import { imageTag } from '#api/defaults/image-tag.ts';
import {
  withBothClusterIps,
  withDefaultServiceAccount,
  withDefaultTolerations,
  withInitialNamespaceStatus,
  withInitialPodStatus,
} from '#api/defaults/initial.ts';
import { canonicalQuantity } from '#api/defaults/shape.ts';
import { validateCreate } from '#api/validation/validation.ts';

/** What a client sends: decoded, but with parts missing that the types promise. */
const given = <T>(object: object): T => object as T;
const podOf = (spec: object): Pod =>
  given({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default' }, spec });
const serviceOf = (spec: object): Service =>
  given({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, spec });

const containerDefaults = {
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  resources: {},
};
const specDefaults = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
  schedulerName: 'default-scheduler',
  enableServiceLinks: true,
};

test('defaults: a minimal pod', () => {
  assert.deepEqual(defaultObject(podOf({ containers: [{ name: 'a', image: 'nginx' }] })).spec, {
    ...specDefaults,
    containers: [{ name: 'a', image: 'nginx', imagePullPolicy: 'Always', ...containerDefaults }],
  });
});

test('defaults: what is given stays', () => {
  const spec = { containers: [], dnsPolicy: 'None', restartPolicy: 'Never', terminationGracePeriodSeconds: 0 };
  const { dnsPolicy, restartPolicy, terminationGracePeriodSeconds } = defaultObject(podOf(spec)).spec;
  assert.deepEqual([dnsPolicy, restartPolicy, terminationGracePeriodSeconds], ['None', 'Never', 0]);
  assert.equal(defaultObject(podOf({ containers: [], enableServiceLinks: false })).spec.enableServiceLinks, false);
});

const tags: readonly (readonly [string, string])[] = [
  ['nginx', 'latest'],
  ['nginx:latest', 'latest'],
  ['nginx:1.2', '1.2'],
  ['localhost:5000/nginx', 'latest'],
  ['localhost:5000/a/b:x', 'x'],
  ['Example.com/nginx', 'latest'],
  [`nginx@sha256:${'a'.repeat(64)}`, ''],
  [`nginx:1@sha256:${'a'.repeat(64)}`, '1'],
  ['NGINX', ''],
  ['', ''],
  ['a b', ''],
];
for (const [image, want] of tags) test(`image tag: ${image}`, () => assert.equal(imageTag(image), want));

test('image tag: a hostile reference takes no time', () => {
  const before = process.cpuUsage();
  for (const part of ['a', 'a-', '-', 'a.', '_', 'a/']) imageTag(`${part.repeat(100_000)}!`);
  for (const part of ['a', 'a-', '-', 'a.', '_', 'a/']) imageTag(`${part.repeat(500)}!`);
  assert.ok(process.cpuUsage(before).user < 1_000_000);
});

const fields: readonly { readonly name: string; readonly container: object; readonly want: object }[] = [
  {
    name: 'a port',
    container: { ports: [{ containerPort: 80 }] },
    want: { ports: [{ containerPort: 80, protocol: 'TCP' }] },
  },
  {
    name: 'a probe',
    container: { livenessProbe: { httpGet: { port: 80 }, periodSeconds: 0 } },
    want: {
      livenessProbe: {
        httpGet: { port: 80, path: '/', scheme: 'HTTP' },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
    },
  },
  {
    name: 'a hook',
    container: { lifecycle: { preStop: { httpGet: { port: 80 } } } },
    want: { lifecycle: { preStop: { httpGet: { port: 80, path: '/', scheme: 'HTTP' } } } },
  },
  {
    name: 'a variable from a field',
    container: { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
    want: { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } } }] },
  },
  {
    name: 'requests from limits',
    container: { resources: { limits: { cpu: '1', memory: '1024Mi' }, requests: { cpu: '0.5' } } },
    want: { resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } } },
  },
  {
    name: 'quantities are rounded up to thousandths',
    container: { resources: { requests: { cpu: '100100u', memory: 'abc' } } },
    want: { resources: { requests: { cpu: '101m', memory: 'abc' } } },
  },
];
for (const { name, container, want } of fields) {
  test(`defaults: ${name}`, () => {
    const [first] = defaultObject(podOf({ containers: [{ name: 'a', image: 'x:1', ...container }] })).spec.containers;
    assert.deepEqual(first, {
      name: 'a',
      image: 'x:1',
      imagePullPolicy: 'IfNotPresent',
      ...containerDefaults,
      ...want,
    });
  });
}

const volumes: readonly (readonly [object, object])[] = [
  [{}, { emptyDir: {} }],
  [{ emptyDir: { sizeLimit: '1024Ki' } }, { emptyDir: { sizeLimit: '1Mi' } }],
  [{ secret: { secretName: 's' } }, { secret: { secretName: 's', defaultMode: 0o644 } }],
  [{ configMap: { name: 'c', defaultMode: 0 } }, { configMap: { name: 'c', defaultMode: 0 } }],
  [{ hostPath: { path: '/x' } }, { hostPath: { path: '/x', type: '' } }],
  [
    { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
    { projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }], defaultMode: 0o644 } },
  ],
  [
    { downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name' } }] } },
    {
      downwardAPI: {
        items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } }],
        defaultMode: 0o644,
      },
    },
  ],
];
for (const [source, want] of volumes) {
  test(`defaults: volume ${JSON.stringify(source)}`, () => {
    const pod = defaultObject(podOf({ containers: [], volumes: [{ name: 'v', ...source }] }));
    assert.deepEqual(pod.spec.volumes, [{ name: 'v', ...want }]);
  });
}

test('defaults: on the host network ports are the host’s', () => {
  const pod = defaultObject(
    podOf({ hostNetwork: true, containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 80 }] }] }),
  );
  assert.deepEqual(pod.spec.containers[0]?.ports, [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
});

test('defaults: pod-level requests come from the containers, then from the limits', () => {
  const container = { name: 'a', image: 'x', resources: { requests: { cpu: '200m' } } };
  const pod = defaultObject(podOf({ containers: [container], resources: { limits: { cpu: '1', memory: '1Gi' } } }));
  assert.deepEqual(pod.spec.resources, {
    limits: { cpu: '1', memory: '1Gi' },
    requests: { cpu: '200m', memory: '1Gi' },
  });
});

test('defaults: the old name of the service account is the new one’s twin', () => {
  const { serviceAccount, serviceAccountName } = defaultObject(podOf({ containers: [], serviceAccount: 'x' })).spec;
  assert.deepEqual([serviceAccount, serviceAccountName], ['x', 'x']);
});

const services: readonly (readonly [string, object, object])[] = [
  [
    'a plain one',
    { ports: [{ port: 80 }] },
    {
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
      internalTrafficPolicy: 'Cluster',
    },
  ],
  [
    'a load balancer',
    { type: 'LoadBalancer', sessionAffinity: 'ClientIP' },
    {
      type: 'LoadBalancer',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      externalTrafficPolicy: 'Cluster',
      internalTrafficPolicy: 'Cluster',
      allocateLoadBalancerNodePorts: true,
    },
  ],
  [
    'a name',
    { type: 'ExternalName', externalName: 'a.b', sessionAffinityConfig: {} },
    { type: 'ExternalName', externalName: 'a.b', sessionAffinity: 'None' },
  ],
];
for (const [name, spec, want] of services) {
  test(`defaults: service, ${name}`, () => assert.deepEqual(defaultObject(serviceOf(spec)).spec, want));
}

test('defaults: other kinds', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { a: 'QQ==' }, stringData: { a: 'é', b: '' } };
  assert.deepEqual(defaultObject(secret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {},
    type: 'Opaque',
    data: { a: 'w6k=', b: '' },
  });
  const namespace: Namespace = given({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n', labels: { a: 'b' } },
  });
  assert.deepEqual(defaultObject(namespace).metadata.labels, { a: 'b', 'kubernetes.io/metadata.name': 'n' });
  assert.deepEqual(withInitialNamespaceStatus(namespace).spec, { finalizers: ['kubernetes'] });
  const node = { apiVersion: 'v1', kind: 'Node', metadata: {}, spec: {}, status: { capacity: { cpu: '2.0' } } };
  assert.deepEqual(defaultObject<object & typeof node>(node).status, {
    capacity: { cpu: '2' },
    allocatable: { cpu: '2' },
  });
  const priorityClass = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: {}, value: 5 };
  assert.deepEqual(defaultObject(priorityClass), { ...priorityClass, preemptionPolicy: 'PreemptLowerPriority' });
  const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} };
  assert.equal(defaultObject(other), other);
});

test('initial: a pod is Pending, with its class of service', () => {
  assert.deepEqual(withInitialPodStatus(podOf({ containers: [] })).status, {
    phase: 'Pending',
    qosClass: 'BestEffort',
  });
  const gated = withInitialPodStatus(podOf({ containers: [], schedulingGates: [{ name: 'a' }] }));
  assert.equal(gated.status?.conditions?.[0]?.reason, 'SchedulingGated');
});

test('initial: tolerations for nodes that are gone, unless there are some', () => {
  const pod = withDefaultTolerations(podOf({ containers: [] }));
  assert.deepEqual(
    pod.spec.tolerations,
    ['not-ready', 'unreachable'].map((name) => ({
      key: `node.kubernetes.io/${name}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    })),
  );
  assert.equal(withDefaultTolerations(pod), pod);
  const all = podOf({ containers: [], tolerations: [{ operator: 'Exists' }] });
  assert.equal(withDefaultTolerations(all), all);
  const other = podOf({ containers: [], tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }] });
  assert.equal(withDefaultTolerations(other).spec.tolerations?.length, 3);
});

test('initial: the service account and the cluster addresses', () => {
  const pod = withDefaultServiceAccount(podOf({ containers: [] }));
  assert.equal(pod.spec.serviceAccountName, 'default');
  assert.equal(withDefaultServiceAccount(pod), pod);
  assert.deepEqual(withBothClusterIps(serviceOf({ clusterIP: 'None' })).spec.clusterIPs, ['None']);
});

test('defaults: complete objects come back as they are', () => {
  for (const object of [
    podOf({ containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 1 }] }] }),
    serviceOf({}),
  ]) {
    const once = defaultObject(object);
    assert.notEqual(once, object);
    assert.equal(defaultObject(once), once);
  }
});

const port = fc.record({ containerPort: fc.integer({ min: 1, max: 65_535 }) });
const container = fc.record(
  {
    image: fc.constantFrom('nginx', 'nginx:1', 'a/b@sha256:' + 'a'.repeat(64)),
    ports: fc.array(port, { maxLength: 2 }),
    env: fc.array(fc.record({ name: fc.constantFrom('A', 'B'), value: fc.string() }), { maxLength: 2 }),
    resources: fc.record({ limits: fc.constantFrom({}, { cpu: '1.5' }, { memory: '1024Mi', cpu: '2' }) }),
    readinessProbe: fc.constantFrom({ tcpSocket: { port: 1 } }, { exec: { command: ['a'] } }, { grpc: { port: 9 } }),
    lifecycle: fc.constantFrom({ preStop: { sleep: { seconds: 3 } } }, {}),
  },
  { requiredKeys: ['image'] },
);
const spec = fc.record(
  {
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    restartPolicy: fc.constantFrom('Always', 'Never', 'OnFailure'),
    volumes: fc.constantFrom([], [{ name: 'v' }], [{ name: 's', secret: { secretName: 'x' } }]),
    hostNetwork: fc.constant(false),
  },
  { requiredKeys: ['containers'] },
);

test('defaults: idempotent, nothing given is changed in place, and the result is valid', () => {
  fc.assert(
    fc.property(spec, ({ containers, ...others }) => {
      const named = containers.map((each, index) => ({ name: `c${index}`, ...each }));
      const pod = podOf({ ...others, containers: named });
      const before = JSON.stringify(pod);
      const once = defaultObject(pod);
      assert.equal(JSON.stringify(pod), before);
      assert.equal(defaultObject(once), once);
      assert.deepEqual(validateCreate(once), []);
    }),
    { numRuns: 500 },
  );
});

test('defaults: a quantity that is none is left for validation', () => {
  assert.equal(canonicalQuantity('x'), 'x');
  assert.equal(canonicalQuantity('1000m'), '1');
});
