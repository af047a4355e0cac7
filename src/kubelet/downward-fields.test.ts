import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container, PodSpec } from '#api/generated/core-v1.ts';
import { type DownwardFacts, fieldOf, type ResourceRef, resourceOf } from '#kubelet/downward-fields.ts';
import { aContainer, aPod } from '#kubelet/fixtures.ts';

const facts = (spec: Partial<PodSpec>, container: Container): DownwardFacts => ({
  pod: aPod(spec),
  container,
  hostAddresses: ['192.168.0.7', 'fd00::7'],
  podAddresses: ['10.244.1.3'],
  allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi' },
});
const limited = aContainer('limited', {
  resources: { limits: { cpu: '1500m', memory: '64Mi', 'hugepages-2Mi': '4Mi' }, requests: { cpu: '0', memory: '1' } },
});
const open = aContainer('open', { resources: { limits: { cpu: '0' } } });
const debug = aContainer('debug');
const spec: Partial<PodSpec> = { containers: [limited], initContainers: [open], ephemeralContainers: [debug] };

const cases: readonly {
  readonly name: string;
  readonly ref: ResourceRef;
  readonly container?: Container;
  readonly spec?: Partial<PodSpec>;
  readonly want: string;
}[] = [
  { name: 'its own limit, in whole ones', ref: { resource: 'limits.cpu' }, want: '2' },
  { name: 'in thousandths', ref: { resource: 'limits.cpu', divisor: '1m' }, want: '1500' },
  { name: 'a divisor of nothing is none', ref: { resource: 'limits.cpu', divisor: '0m' }, want: '2' },
  { name: 'memory, rounded up', ref: { resource: 'requests.memory', divisor: '1Mi' }, want: '1' },
  { name: 'huge pages', ref: { resource: 'limits.hugepages-2Mi', divisor: '1Mi' }, want: '4' },
  { name: 'huge pages that are not asked for', ref: { resource: 'limits.hugepages-1Gi' }, want: '0' },
  { name: 'a request of nothing', ref: { resource: 'requests.cpu' }, want: '0' },
  { name: 'another container', ref: { resource: 'limits.cpu', containerName: 'open' }, want: '2' },
  { name: 'a limit of nothing is none', ref: { resource: 'limits.cpu', divisor: '1m' }, container: open, want: '2000' },
  { name: 'no limit is the node’s', ref: { resource: 'limits.memory', divisor: '1Mi' }, container: open, want: '1024' },
  {
    name: 'of storage too',
    ref: { resource: 'limits.ephemeral-storage', divisor: '1Gi' },
    container: open,
    want: '10',
  },
  {
    name: 'or the pod’s',
    ref: { resource: 'limits.memory', divisor: '1Mi' },
    container: open,
    spec: { resources: { limits: { memory: '128Mi' } } },
    want: '128',
  },
  { name: 'an ephemeral container is meant by itself', ref: { resource: 'limits.cpu' }, container: debug, want: '2' },
];
for (const { name, ref, container = limited, spec: more, want } of cases) {
  test(`resourceOf: ${name}`, () => assert.equal(resourceOf(ref, facts({ ...spec, ...more }, container)), want));
}

test('resourceOf: an ephemeral container is nobody to others, as upstream has it', () =>
  assert.throws(() => resourceOf({ resource: 'limits.cpu', containerName: 'debug' }, facts(spec, limited)), {
    name: 'EnvironmentError',
    message: 'container debug not found',
  }));

test('fieldOf: every field that a variable may have', () => {
  const given = facts({ ...spec, nodeName: 'n1', serviceAccountName: 'sa' }, limited);
  const labels = { 'example.com/app': "it's" };
  const pod = { ...given.pod, metadata: { ...given.pod.metadata, labels, annotations: { a: '1\n2' } } };
  const want = {
    'metadata.name': 'web',
    'metadata.namespace': 'default',
    'metadata.uid': 'uid-1',
    "metadata.labels['example.com/app']": "it's",
    "metadata.labels['none']": '',
    "metadata.annotations['a']": '1\n2',
    'spec.nodeName': 'n1',
    'spec.host': 'n1',
    'spec.serviceAccountName': 'sa',
    'status.hostIP': '192.168.0.7',
    'status.hostIPs': '192.168.0.7,fd00::7',
    'status.podIP': '10.244.1.3',
    'status.podIPs': '10.244.1.3',
  };
  for (const [path, text] of Object.entries(want)) assert.equal(fieldOf(path, { ...given, pod }), text, path);
});
