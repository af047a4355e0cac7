import assert from 'node:assert/strict';
import test from 'node:test';
import {
  podLimits,
  podRequests,
  requestedResources,
  type PodResourceFacts,
  type ResourceAmounts,
} from '#api/pod-resources.ts';
import { formatQuantity } from '#api/quantity.ts';

const asks = (cpu: string, memory = '0', extra: object = {}): object => ({
  resources: { requests: { cpu, memory }, limits: { cpu, memory } },
  ...extra,
});
const sidecar = { restartPolicy: 'Always' };
const podOf = (spec: object): PodResourceFacts => ({ spec: { containers: [], ...spec } });
const shown = (amounts: ResourceAmounts): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]));

const table: readonly { readonly name: string; readonly spec: object; readonly want: Record<string, string> }[] = [
  { name: 'nothing asked for', spec: { containers: [{}, { resources: {} }] }, want: {} },
  {
    name: 'containers run together and are summed',
    spec: { containers: [asks('100m', '1Gi'), asks('200m', '512Mi')] },
    want: { cpu: '300m', memory: '1536Mi' },
  },
  {
    name: 'init containers run one by one: the hungriest counts',
    spec: { containers: [asks('100m')], initContainers: [asks('500m'), asks('300m')] },
    want: { cpu: '500m', memory: '0' },
  },
  {
    name: 'the sum wins when it is more than any init container',
    spec: { containers: [asks('400m'), asks('300m')], initContainers: [asks('500m')] },
    want: { cpu: '700m', memory: '0' },
  },
  {
    name: 'a sidecar stays: it is added to the containers',
    spec: { containers: [asks('1')], initContainers: [asks('200m', '0', sidecar)] },
    want: { cpu: '1200m', memory: '0' },
  },
  {
    name: 'a sidecar is added to the init containers behind it, not to those before',
    spec: { containers: [asks('100m')], initContainers: [asks('2'), asks('1', '0', sidecar), asks('1500m')] },
    want: { cpu: '2500m', memory: '0' },
  },
  {
    name: 'sidecars alone are summed while they start',
    spec: { containers: [], initContainers: [asks('1', '0', sidecar), asks('2', '0', sidecar)] },
    want: { cpu: '3', memory: '0' },
  },
  {
    name: 'overhead comes on top',
    spec: { containers: [asks('100m', '1Gi')], overhead: { cpu: '50m', memory: '10Mi' } },
    want: { cpu: '150m', memory: '1034Mi' },
  },
  {
    name: 'what the pod as a whole asks for wins for cpu and memory',
    spec: { containers: [asks('100m', '1Gi')], resources: { requests: { cpu: '1', 'example.com/x': '3' } } },
    want: { cpu: '1', memory: '1Gi' },
  },
];
for (const { name, spec, want } of table) {
  test(`pod requests: ${name}`, () => assert.deepEqual(shown(podRequests(podOf(spec))), want));
}

test('pod limits: overhead is only added to what is limited', () => {
  const pod = podOf({
    containers: [{ resources: { limits: { cpu: '1' } } }],
    overhead: { cpu: '100m', memory: '10Mi' },
  });
  assert.deepEqual(shown(podLimits(pod)), { cpu: '1100m' });
  assert.deepEqual(shown(podLimits(pod, { withoutOverhead: true })), { cpu: '1' });
});

test('requested resources: numbers for the scheduler, rounded up once at the end', () => {
  const pod = podOf({
    containers: [
      { resources: { requests: { cpu: '100500u', memory: '1Ki', 'ephemeral-storage': '1M', 'hugepages-2Mi': '4Mi' } } },
      { resources: { requests: { cpu: '100400u', 'example.com/gpu': '2' } } },
    ],
  });
  assert.deepEqual(requestedResources(pod), {
    milliCpu: 201,
    memory: 1024,
    ephemeralStorage: 1e6,
    scalars: new Map([
      ['hugepages-2Mi', 4 * 2 ** 20],
      ['example.com/gpu', 2],
    ]),
    nonZeroMilliCpu: 201,
    nonZeroMemory: 1024 + 200 * 2 ** 20,
  });
});

test('requested resources: an explicit zero is no missing request', () => {
  const { nonZeroMilliCpu, nonZeroMemory } = requestedResources(
    podOf({ containers: [{ resources: { requests: { cpu: '0', memory: '0' } } }, {}] }),
  );
  assert.deepEqual([nonZeroMilliCpu, nonZeroMemory], [100, 200 * 2 ** 20]);
});
