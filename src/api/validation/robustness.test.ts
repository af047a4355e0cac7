import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { canonicalObject } from '#api/canonical.ts';
import { kindFacts } from '#api/fact-table.ts';
import { defaultObject } from '#api/defaults/defaults.ts';
import { withDefaultServiceAccount, withDefaultTolerations, withInitialPodStatus } from '#api/defaults/initial.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { invalid } from '#api/field-error.ts';
import { mangle, pathsOf, without } from '#api/validation/mangled.ts';
import { validateCreate, validateUpdate } from '#api/validation/validation.ts';

/** A pod that uses much of the API at once, and is right. */
const given: unknown = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'default',
    resourceVersion: '1',
    labels: { app: 'web' },
    annotations: { a: 'b' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', controller: true }],
    finalizers: ['a/b'],
    managedFields: [{ manager: 'kubectl', operation: 'Update', fieldsType: 'FieldsV1' }],
  },
  spec: {
    containers: [
      {
        name: 'a',
        image: 'nginx:1',
        ports: [{ name: 'http', containerPort: 80 }],
        env: [
          { name: 'A', value: '$(B)' },
          { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'D', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ],
        envFrom: [{ prefix: 'P', configMapRef: { name: 'c' } }],
        resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '1Gi' }, claims: [{ name: 'claim' }] },
        volumeMounts: [{ name: 'html', mountPath: '/html', subPath: 'x' }],
        volumeDevices: [{ name: 'disk', devicePath: '/dev/x' }],
        livenessProbe: { httpGet: { port: 'http', httpHeaders: [{ name: 'X-A', value: 'b' }] } },
        readinessProbe: { exec: { command: ['true'] } },
        startupProbe: { grpc: { port: 9 } },
        lifecycle: { preStop: { sleep: { seconds: 1 } }, postStart: { tcpSocket: { port: 80 } } },
        securityContext: {
          runAsUser: 1,
          capabilities: { add: ['NET_ADMIN'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
        resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
      },
    ],
    initContainers: [{ name: 'i', image: 'x', restartPolicy: 'Always' }],
    volumes: [
      { name: 'html', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'disk', persistentVolumeClaim: { claimName: 'pvc' } },
      { name: 'p', projected: { sources: [{ configMap: { name: 'c', items: [{ key: 'k', path: 'p' }] } }] } },
      { name: 'd', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      { name: 'n', nfs: { server: 's', path: '/' } },
      {
        name: 'e',
        ephemeral: {
          volumeClaimTemplate: {
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        },
      },
    ],
    resourceClaims: [{ name: 'claim', resourceClaimName: 'c' }],
    resources: { limits: { cpu: '2', memory: '2Gi' } },
    nodeSelector: { a: 'b' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] } },
        ],
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, podAffinityTerm: { topologyKey: 'z', labelSelector: { matchLabels: { a: 'b' } } } },
        ],
      },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { a: 'b' } } },
    ],
    dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b'], options: [{ name: 'ndots' }] },
    hostAliases: [{ ip: '1.2.3.4', hostnames: ['a'] }],
    readinessGates: [{ conditionType: 'a/b' }],
    schedulingGates: [{ name: 'a/b' }],
    securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] },
    imagePullSecrets: [{ name: 's' }],
    overhead: { cpu: '1m' },
    os: { name: 'linux' },
  },
};

const rich = given as Pod;

test('validation: a pod that uses much of the API is right', () => {
  assert.deepEqual(validateCreate(defaultObject(rich)), []);
});

/** What the server itself puts there is there. */
const always = new Set(['apiVersion', 'kind', 'metadata', '']);
const paths = pathsOf(rich).filter((path) => !always.has(path.join('.')));

function decoded(object: unknown): Pod {
  const facts = kindFacts('v1', 'Pod');
  assert.ok(facts);
  return canonicalObject(facts, object as Pod);
}

test('validation: a rich pod is right as the decoder makes it', () => {
  assert.deepEqual(validateCreate(defaultObject(decoded(rich))), []);
});

const damage = fc.tuple(fc.constantFrom(...paths), fc.constantFrom('gone' as const, 'null' as const));

test('validation: whatever is left out or null, it answers and does not throw', () => {
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 6 }), (damages) => {
      const mangled = decoded(damages.reduce<unknown>((object, [path, kind]) => mangle(object, path, kind), rich));
      answer(mangled);
    }),
    { numRuns: 2000 },
  );
});

test('validation: whatever is left out of an object that was never encoded, it answers too', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...paths), { minLength: 1, maxLength: 6 }), (gone) => {
      answer(gone.reduce<unknown>(without, rich) as Pod);
    }),
    { numRuns: 2000 },
  );
});

function answer(mangled: Pod): void {
  const pod = withInitialPodStatus(withDefaultServiceAccount(withDefaultTolerations(defaultObject(mangled))));
  for (const errors of [validateCreate(pod), validateUpdate(pod, defaultObject(rich))]) {
    if (errors.length > 0) assert.equal(invalid({ group: '', kind: 'Pod' }, 'web', errors).code, 422);
  }
}
