import type { Lease } from '#api/generated/coordination-v1.ts';
import type { Node, Pod } from '#api/generated/core-v1.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Informer } from '#client/informer.ts';
import { leaseResource, nodeResource } from '#client/resources.ts';
import { nodeLifecycleController } from '#controllers/node-lifecycle/reconcile.ts';
import type { NodeLifecycleSettings } from '#controllers/node-lifecycle/settings.ts';
import { endedPodsController } from '#controllers/pod-gc/ended-pods.ts';
import { ENDED_PODS_KEPT } from '#controllers/pod-gc/plan.ts';
import { podGcController } from '#controllers/pod-gc/reconcile.ts';
import { runController } from '#controllers/run-controller.ts';
import { taintEvictionController } from '#controllers/taint-eviction/reconcile.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';

/** The index of pods that these controllers ask for. */
export const byNode = ({ spec }: Pod): readonly string[] => (spec.nodeName ? [spec.nodeName] : []);

export interface NodeControllersParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: (line: string, error: unknown) => void;
  /** Run by who made it. */
  readonly pods: Informer<Pod, 'byNode'>;
  readonly settings: NodeLifecycleSettings;
}

/** Who looks after nodes, and after the pods of nodes that are not well. */
export function runNodeControllers(parts: NodeControllersParts, scope: Scope): void {
  const { client, clock, log, pods, settings } = parts;
  const nodes = createInformer<Node>({ client, clock, resource: nodeResource });
  const leases = createInformer<Lease>({ client, clock, resource: leaseResource, namespace: 'kube-node-lease' });
  for (const informer of [nodes, leases])
    scope.spawn(`watch ${informer.resource.plural}`, (signal) => informer.run(signal));
  const eventsOf = (component: string): EventRecorder => {
    const events = createEventRecorder({
      client,
      clock,
      source: { component },
      onError: (error) => log(`events of ${component}`, error),
    });
    scope.spawn(`events of ${component}`, (signal) => events.run(signal));
    return events;
  };
  const controllers = [
    nodeLifecycleController({ clock, settings, events: eventsOf('node-controller'), nodes, leases, pods }),
    taintEvictionController({ clock, events: eventsOf('taint-eviction-controller'), nodes, pods }),
    podGcController({ clock, nodes, pods }),
    endedPodsController({ clock, pods, kept: ENDED_PODS_KEPT }),
  ];
  for (const controller of controllers)
    scope.spawn('controller', (signal) => runController(controller, { client, clock, workers: 4, log }, signal));
}
