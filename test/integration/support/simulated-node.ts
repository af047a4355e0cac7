import type { Transport } from '#api/transport.ts';
import { createClient } from '#client/api-client.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import { TimelineRecorder } from '#client/timeline-recorder.ts';
import type { SimulatedRuntime } from '#cri/simulated/simulated-runtime.ts';
import type { SimulatedHost } from '#host/simulated-host.ts';
import { Kubelet } from '#kubelet/kubelet.ts';
import { SimulatedProber } from '#kubelet/probes/simulated-prober.ts';
import { usualSettings } from '#kubelet/settings.ts';
import type { SimulatedPodFiles } from '#kubelet/simulated-pod-files.ts';
import type { FakeClock } from '#lib/fake-clock.ts';
import type { Scope } from '#lib/scope.ts';
import type { MemoryFolder } from '#test/integration/support/memory-folder.ts';

export interface SimulatedNode {
  readonly name: string;
  readonly clock: FakeClock;
  /** To the API, as that node. */
  readonly transport: Transport;
  readonly runtime: SimulatedRuntime;
  readonly host: SimulatedHost;
  readonly files: SimulatedPodFiles;
  readonly manifests: MemoryFolder;
  readonly troubles: string[];
}

/** A kubelet over a simulated runtime, for as long as the scope lasts. */
export function runKubelet(node: SimulatedNode, scope: Scope): Kubelet {
  const { name, clock, transport, runtime, host, files, manifests, troubles } = node;
  const client = createClient(transport);
  const events = createEventRecorder({ client, clock, source: { component: 'kubelet', host: name } });
  const onError = (error: unknown): void => void troubles.push(`timelines: ${String(error)}`);
  const timeline = new TimelineRecorder({ client, clock, onError });
  const kubelet = new Kubelet({
    client,
    timeline,
    clock,
    runtime,
    host,
    events,
    files,
    network: new SimulatedProber(runtime, clock),
    memoryAvailable: async () => 2 ** 32,
    disk: () => host.disk('/'),
    self: () => ({
      name,
      machine: host.machine,
      addresses: ['192.168.0.7'],
      podRanges: ['10.88.0.0/16'],
      port: 10250,
      kubeletVersion: 'v1.36.0',
      maxPods: 110,
    }),
    owner: `small/${name}`,
    missing: [],
    settings: usualSettings,
    appArmor: false,
    manifests,
    log: (message, error) => troubles.push(`${message}: ${String(error)}`),
  });
  scope.spawn('events', (stop) => events.run(stop));
  scope.spawn('timelines', (stop) => timeline.run(stop));
  scope.spawn('kubelet', (stop) => kubelet.run(stop));
  return kubelet;
}
