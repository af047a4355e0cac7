import type { ConfigMap, Namespace, Pod, ServiceAccount } from '#api/generated/core-v1.ts';
import type { PodDisruptionBudget } from '#api/generated/policy-v1.ts';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import { createEventRecorder } from '#client/event-recorder.ts';
import { TimelineRecorder } from '#client/timeline-recorder.ts';
import {
  configMapResource,
  namespaceResource,
  podDisruptionBudgetResource,
  podResource,
  serviceAccountResource,
} from '#client/resources.ts';
import type { MakeController } from '#controllers/controller.ts';
import { byNamespace, disruptionController } from '#controllers/disruption/reconcile.ts';
import { withoutScales } from '#controllers/disruption/scales.ts';
import { namespaceController } from '#controllers/namespace/reconcile.ts';
import type { NodeLifecycleSettings } from '#controllers/node-lifecycle/settings.ts';
import { byClaim } from '#controllers/persistent-volumes/reconcile.ts';
import { rootCaController } from '#controllers/root-ca/reconcile.ts';
import { runController } from '#controllers/run-controller.ts';
import { serviceAccountController } from '#controllers/service-account/reconcile.ts';
import { staleDisruptionController } from '#controllers/stale-disruption/reconcile.ts';
import type { Clock } from '#lib/clock.ts';
import type { Scope } from '#lib/scope.ts';
import type { Log } from '#main/log.ts';
import { byNode, runNodeControllers } from '#main/node-controllers.ts';
import type { Pki } from '#main/pki.ts';
import { runVolumeControllers } from '#main/volume-controllers.ts';
import type { SchedulerConfiguration } from '#scheduler/config/scheduler-configuration.ts';
import { createScheduler } from '#scheduler/create-scheduler.ts';
import type { NodeConnection } from '#server/nodes/node-connection.ts';
import { builtIns } from '#server/resources/resources.ts';
import { ApiServer } from '#server/server.ts';
import { ServiceAccountTokens } from '#server/tokens/service-account-tokens.ts';
import type { Journal } from '#store/journal/journal.ts';
import type { Store } from '#store/store.ts';
import { HttpServer } from '#wire/http-server.ts';

export interface ControlPlaneParts {
  /** Belongs to who opened it. */
  readonly store: Promise<Store>;
  /** As does this. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: string;
  readonly port: number;
  readonly nodes: NodeConnection;
  /** How long nodes may be silent, and what follows. */
  readonly nodeLife: NodeLifecycleSettings;
  readonly scheduler: SchedulerConfiguration | undefined;
}

/** API server over its store, reached over HTTPS from outside and by a call from inside. */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly port: number;
  /** The API as one of the cluster's own components sees it. */
  clientFor(name: string, ...groups: readonly string[]): Client;
}

/** Serves the API over the store. The parts that act on it are started by `runComponents`. */
export async function startControlPlane(
  parts: ControlPlaneParts,
  pki: Promise<Pki>,
  stack: AsyncDisposableStack,
): Promise<ControlPlane> {
  const { clock, log, host } = parts;
  const store = await parts.store;
  const { tokenKey, apiServer, caCertificate } = await pki;
  const server = stack.use(
    new ApiServer({
      store,
      journal: parts.journal,
      clock,
      tokens: new ServiceAccountTokens({ keyPem: tokenKey, clock }),
      nodes: parts.nodes,
      port: parts.port,
      onTrouble: (error) => log('api server', error),
    }),
  );
  await server.start(new AbortController().signal);
  const https = stack.use(
    new HttpServer({
      certificate: apiServer.certificate,
      key: apiServer.key,
      clientCa: caCertificate,
      handler: server.handler,
      upgrade: server.upgradeHandler,
      onError: (error, exchange) => log(`${exchange.method} ${exchange.url}`, error),
      clock,
    }),
  );
  const { port } = await https.listen(host, parts.port);
  return {
    server,
    port,
    clientFor: (name, ...groups) => createClient(server.transport({ name, groups })),
  };
}

/** Scheduler and controllers: clients of the API like any others. */
export function runComponents(
  plane: ControlPlane,
  { clock, log, nodeLife, scheduler }: ControlPlaneParts,
  caCertificate: string,
  scope: Scope,
): void {
  runScheduler(plane, { clock, log, scheduler }, scope);
  const client = plane.clientFor('system:kube-controller-manager');
  const namespaces = createInformer<Namespace>({ client, clock, resource: namespaceResource });
  const accounts = createInformer<ServiceAccount>({ client, clock, resource: serviceAccountResource });
  const configMaps = createInformer<ConfigMap>({
    client,
    clock,
    resource: configMapResource,
    fieldSelector: 'metadata.name=kube-root-ca.crt',
  });
  const pods = createInformer<Pod, 'byNamespace' | 'byNode' | 'byClaim'>({
    client,
    clock,
    resource: podResource,
    indexes: { ...byNamespace, byNode, byClaim },
  });
  const budgets = createInformer<PodDisruptionBudget, 'byNamespace'>({
    client,
    clock,
    resource: podDisruptionBudgetResource,
    indexes: byNamespace,
  });
  for (const informer of [namespaces, accounts, configMaps, pods, budgets]) {
    scope.spawn(`watch ${informer.resource.plural}`, (signal) => informer.run(signal));
  }
  const events = createEventRecorder({
    client,
    clock,
    source: { component: 'controllermanager' },
    onError: (error) => log('events of the controllers', error),
  });
  scope.spawn('events of the controllers', (signal) => events.run(signal));
  const controllers: readonly MakeController[] = [
    namespaceController({
      clock,
      namespaces,
      resources: () =>
        builtIns.filter(
          ({ namespaced, storedAs, verbs }) => namespaced && storedAs === undefined && verbs.includes('delete'),
        ),
      wakers: [pods],
    }),
    serviceAccountController({ namespaces, accounts }),
    rootCaController({ namespaces, configMaps, certificate: caCertificate }),
    disruptionController({ clock, budgets, pods, findScale: withoutScales(builtIns), events }),
    staleDisruptionController({ clock, pods }),
  ];
  for (const controller of controllers) {
    scope.spawn('controller', (signal) => runController(controller, { client, clock, workers: 2, log }, signal));
  }
  runNodeControllers({ client, clock, log, pods, settings: nodeLife }, scope);
  runVolumeControllers({ client, clock, log, pods }, scope);
}

function runScheduler(
  plane: ControlPlane,
  { clock, log, scheduler: configuration }: Pick<ControlPlaneParts, 'clock' | 'log' | 'scheduler'>,
  scope: Scope,
): void {
  const client = plane.clientFor('system:kube-scheduler');
  const events = createEventRecorder({
    client,
    clock,
    source: { component: 'default-scheduler' },
    onError: (error) => log('events of the scheduler', error),
  });
  const onError = (error: unknown): void => log('timelines of the scheduler', error);
  const timeline = new TimelineRecorder({ client, clock, onError });
  const scheduler = createScheduler({ client, clock, events, timeline, log, ...configuration });
  scope.spawn('timelines of the scheduler', (signal) => timeline.run(signal));
  scope.spawn('events of the scheduler', (signal) => events.run(signal));
  scope.spawn('scheduler', (signal) => scheduler.run(signal));
}
