import assert from 'node:assert/strict';
import test from 'node:test';
import type { ListedContainer, ObservedSandbox, ContainerRuntime } from '#cri/runtime.ts';
import { simulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { keptSpec, readKeptSpec } from '#kubelet/kept-spec.ts';
import { stopAll } from '#kubelet/stop-all.ts';
import { FakeClock } from '#lib/fake-clock.ts';

const sidecar = { name: 'side', image: 'a', restartPolicy: 'Always' } as const;
const init = { name: 'init', image: 'a' };
const hooked = {
  name: 'main',
  image: 'a',
  ports: [{ name: 'admin', containerPort: 9 }],
  lifecycle: { preStop: { httpGet: { path: '/bye', port: 'admin' } } },
} as const;
const pod = aPod({ terminationGracePeriodSeconds: 7, initContainers: [init, sidecar], containers: [hooked] });

test('keptSpec: what it takes to stop a container is read back from its annotations', () => {
  assert.deepEqual(readKeptSpec('main', keptSpec(pod, hooked)), {
    graceMs: 7000,
    sidecar: undefined,
    container: { name: 'main', lifecycle: hooked.lifecycle, ports: hooked.ports },
  });
  assert.deepEqual(readKeptSpec('side', keptSpec(pod, sidecar)).sidecar, 1);
  assert.deepEqual(readKeptSpec('init', keptSpec(pod, init)).sidecar, undefined);
  const strange = { 'io.kubernetes.container.preStopHandler': '{', 'io.kubernetes.pod.terminationGracePeriod': 'long' };
  assert.deepEqual(readKeptSpec('main', strange), {
    graceMs: undefined,
    sidecar: undefined,
    container: { name: 'main' },
  });
});

test('stopAll: hook, own grace cut to the limit, sidecars last, then the sandbox', async () => {
  const clock = new FakeClock(1_000_000);
  const told: string[] = [];
  const listed = (name: string, annotations: ListedContainer['annotations']): ListedContainer =>
    ({ id: name, name, sandbox: 'box', annotations }) as unknown as ListedContainer;
  const plain = simulatedRuntime({ clock });
  const runtime: ContainerRuntime = {
    ...plain,
    containers: {
      ...plain.containers,
      list: async () => [
        listed('side', keptSpec(pod, sidecar)),
        listed('main', keptSpec(pod, hooked)),
        listed('bare', {}),
      ],
      stop: async (id, graceMs) => void told.push(`stop ${id} in ${graceMs}`),
    },
    sandboxes: {
      ...plain.sandboxes,
      list: async () => [{ id: 'box' } as unknown as ObservedSandbox],
      status: async () => ({ addresses: ['10.0.0.9'] }) as unknown as ObservedSandbox,
      remove: async (id) => void told.push(`remove ${id}`),
    },
  };
  const network = {
    ask: async (call: { readonly kind: string }) => {
      assert.ok('path' in call && 'host' in call && 'port' in call);
      told.push(`ask ${call.host}:${call.port}${call.path}`);
      await clock.sleep(2000, new AbortController().signal);
      return { outcome: 'failure', output: '', status: 500 } as const;
    },
  };
  const deps = { runtime, clock, network, owner: 'me' };
  const stopping = stopAll(deps, 10_000, new AbortController().signal);
  await clock.advance(2000);
  await stopping;
  assert.deepEqual(told, [
    'ask 10.0.0.9:9/bye',
    'stop bare in 10000',
    'stop main in 5000',
    'stop side in 5000',
    'remove box',
  ]);
  told.length = 0;
  await stopAll(deps, 0, new AbortController().signal);
  assert.deepEqual(
    told,
    ['stop main in 0', 'stop bare in 0', 'stop side in 0', 'remove box'],
    'nobody waits for hooks',
  );
});
