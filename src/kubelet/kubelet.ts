import type { Node, Pod } from '#api/generated/core-v1.ts';
import { keyOf, keyOfRef, type KubeObject, type Uid } from '#api/meta.ts';
import { isStaticPod, mirroredUid } from '#api/pod-source.ts';
import type { Resource } from '#api/resource.ts';
import { createInformer } from '#client/create-informer.ts';
import type { Informer } from '#client/informer.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import type { Timeline } from '#client/timeline-recorder.ts';
import type { SandboxConfig } from '#cri/config.ts';
import { Admission } from '#kubelet/admission/admission.ts';
import { allowedSysctls } from '#kubelet/admission/sysctls.ts';
import { type ContainerConfigs, createContainerConfigs } from '#kubelet/container-configs.ts';
import { missingClusterDns } from '#kubelet/dns-config.ts';
import { StorageWatch } from '#kubelet/eviction/storage-watch.ts';
import { Hooks } from '#kubelet/hooks.ts';
import { ImagePuller } from '#kubelet/image-puller.ts';
import type { HostPort } from '#kubelet/host-ports.ts';
import { KnownServices } from '#kubelet/known-services.ts';
import type { KubeletDeps } from '#kubelet/kubelet-deps.ts';
import { keepLogsSmall } from '#kubelet/log-rotation.ts';
import { NodeAgent } from '#kubelet/node-agent.ts';
import { nodeShares, unregisteredNode } from '#kubelet/node-object.ts';
import { PodWorkers } from '#kubelet/pod-workers.ts';
import { createProbeAsker } from '#kubelet/probes/ask.ts';
import { keepMirrors } from '#kubelet/static-pods/mirrors.ts';
import { StaticPods } from '#kubelet/static-pods/static-pods.ts';
import type { NodeFacts } from '#kubelet/status-context.ts';
import { StatusPublisher } from '#kubelet/status-publisher.ts';
import { sandboxTurns } from '#kubelet/sandbox-turns.ts';
import { createSteps, type Steps } from '#kubelet/steps.ts';
import { PodVolumes } from '#kubelet/volumes/pod-volumes.ts';

import { orAborted } from '#lib/or-aborted.ts';
import { Scope } from '#lib/scope.ts';

const noTimeline: Timeline = { record: () => {} };

/** How long the node's first report waits for its pods' first statuses. */
const FIRST_LOOK_MS = 2000;

const copyOf = <T extends KubeObject>(
  { client, clock }: KubeletDeps,
  resource: Resource<T>,
  fieldSelector: string,
): Informer<T> => createInformer({ client, clock, resource, fieldSelector });

/**
 * A node: registers itself, runs the pods that are bound to it, and says how they are. It speaks to the API like any
 * client, and to the containers only through the runtime; stopping it stops no container.
 */
export class Kubelet {
  readonly #deps: KubeletDeps;
  readonly #pods: Informer<Pod>;
  /** This node, as the API has it. */
  readonly #nodes: Informer<Node>;
  readonly #workers: PodWorkers;
  /** The pods from files; undefined on a node that has no folder for them. */
  readonly #statics: StaticPods | undefined;
  readonly #publisher: StatusPublisher;
  readonly #agent: NodeAgent;
  readonly #volumes: PodVolumes;
  readonly #services: KnownServices;

  constructor(deps: KubeletDeps) {
    this.#deps = deps;
    const { client, clock, runtime, files, self, owner, log, timeline = noTimeline } = deps;
    this.#pods = copyOf(deps, podResource, `spec.nodeName=${self().name}`);
    this.#nodes = copyOf(deps, nodeResource, `metadata.name=${self().name}`);
    this.#statics = this.#staticPods();
    this.#publisher = new StatusPublisher({ client, clock, log, subjectOf: (pod) => this.#subjectOf(pod) });
    const allocatable = (): Readonly<Record<string, string>> =>
      this.#agent.allocatable ?? { cpu: String(self().machine.cpus), memory: String(self().machine.memoryBytes) };
    this.#services = new KnownServices(client, clock);
    this.#volumes = new PodVolumes({
      client,
      clock,
      files,
      allocatable,
      log,
      arrived: (uid) => this.#workers.retryFiles(uid),
    });
    const configs = this.#containerConfigs(allocatable);
    const steps = this.#steps(configs, timeline);
    let runtimeName = 'containerd';
    this.#agent = new NodeAgent({
      client,
      clock,
      runtime,
      self,
      disk: deps.disk,
      memoryAvailable: deps.memoryAvailable,
      log,
      events: deps.events,
      answersAgain: () => {
        for (const copy of [this.#pods, this.#nodes]) copy.hurry();
      },
      leaseSeconds: deps.settings.leaseSeconds,
      onRuntime: (name) => (runtimeName = name),
    });
    const node = (): NodeFacts => ({ addresses: self().addresses, runtimeName });
    const asker = createProbeAsker({ streams: runtime.streams, network: deps.network });
    const { crashLoop } = deps.settings;
    const shared = { runtime, clock, node, steps, asker, crashLoop, since: clock.now() };
    const ports = (uid: string, open: readonly HostPort[]): void => deps.ports?.set(uid, open);
    const worker = { ...shared, publisher: this.#publisher, events: deps.events, timeline, ports, log };
    const admission = this.#admission();
    this.#workers = new PodWorkers({
      runtime,
      clock,
      pods: this.#pods,
      ...(this.#statics === undefined ? {} : { statics: this.#statics }),
      files,
      owner,
      worker,
      log,
      admit: (pod, others, signal) => admission.ask(pod, others, signal),
    });
  }

  #containerConfigs(allocatable: () => Readonly<Record<string, string>>): ContainerConfigs {
    const { client, runtime, files, owner, missing, self, host } = this.#deps;
    return createContainerConfigs({
      client,
      runtime,
      files,
      owner,
      missing,
      memoryCapacity: self().machine.memoryBytes,
      hostAddresses: () => self().addresses,
      allocatable,
      names: host.names,
      services: (pod, signal) => this.#services.of(pod, signal),
    });
  }

  #staticPods(): StaticPods | undefined {
    const { manifests: folder, self, clock } = this.#deps;
    return folder && new StaticPods({ folder, node: self().name, clock, refused: (file) => this.#refused(file) });
  }

  #steps(configs: ContainerConfigs, timeline: Timeline): Steps {
    const { client, clock, runtime, files, self, events, network } = this.#deps;
    const sandbox = async (pod: Pod): Promise<SandboxConfig> => (await configs.sandbox(pod, 0)).config;
    return createSteps({
      runtime,
      clock,
      client,
      events,
      timeline,
      files,
      configs,
      volumes: this.#volumes,
      puller: new ImagePuller({ runtime, client, clock, sandbox }),
      hooks: new Hooks({ streams: runtime.streams, network, clock }),
      sandboxTurns: sandboxTurns(this.#deps),
      hostAddresses: () => self().addresses,
      missingClusterDns: tellOfMissingDns(this.#deps),
      staticEnded: (uid) => this.#statics?.ended(uid),
    });
  }

  #admission(): Admission {
    const { client, clock, self, disk, host, appArmor, allowedUnsafeSysctls = [] } = this.#deps;
    const { operatingSystem, kernelVersion } = host.machine;
    return new Admission({
      client,
      clock,
      nodes: this.#nodes,
      unregistered: async () => unregisteredNode(self(), await disk()),
      machine: { operatingSystem, sysctls: allowedSysctls(kernelVersion, allowedUnsafeSysctls), appArmor },
    });
  }

  /** A pod of this node as its containers know it: what runs of a static pod goes by the pod's own UID, not by its mirror's. */
  podNamed({ namespace, name }: { readonly namespace: string; readonly name: string }): Pod | undefined {
    const pod = this.#pods.get(keyOfRef({ namespace, name }));
    const uid = pod && mirroredUid(pod);
    return uid === undefined ? pod : { ...pod!, metadata: { ...pod!.metadata, uid: uid as Uid } };
  }

  /** Tells the API of the node soon, though nothing may have changed: somebody waits for a sign of life. */
  tellOfNode(): void {
    this.#agent.tell();
  }

  #subjectOf(pod: Pod): Pod | undefined {
    if (!isStaticPod(pod)) return pod;
    const found = this.#pods.get(keyOf(pod));
    return found && mirroredUid(found) === pod.metadata.uid ? found : undefined;
  }

  /** A file of the folder of manifests that makes no pod. */
  #refused({ path, why }: { readonly path: string; readonly why: string }): void {
    const { log, events, self } = this.#deps;
    const message = path === '' ? `the folder of static pods: ${why}` : `static pod ${path}: ${why}`;
    log(message, undefined);
    const { name } = self();
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name as Uid } };
    events.record(node, { type: 'Warning', reason: 'InvalidStaticPod', message });
  }

  /** What the probes of a pod's containers have heard: the last attempts of each, with what was answered. */
  probeHistory(uid: string): ReturnType<PodWorkers['probeHistory']> {
    return this.#workers.probeHistory(uid);
  }

  /** Until `signal` aborts. Containers then go on; a later kubelet adopts them. */
  async run(signal: AbortSignal): Promise<void> {
    const { host, self, clock, runtime, files, settings, log } = this.#deps;
    await host.cgroups.prepare({ cpuShares: nodeShares(self()) }, signal);
    const { stats } = runtime;
    const storage = new StorageWatch({ clock, stats, files, pods: this.#pods, workers: this.#workers, log });
    await using scope = new Scope(signal);
    scope.spawn('files of pods', (inner) => this.#volumes.run(inner));
    using _changes = this.#pods.onChange(({ before, after }) => {
      if (after) this.#volumes.podChanged(after);
      else if (before) scope.spawn('files of a pod that is gone', () => this.#volumes.release(before.metadata.uid));
    });
    using _node = this.#nodes.onChange(({ after }) => this.#agent.seen(after));
    scope.spawn('services', (inner) => this.#services.run(inner));
    scope.spawn('logs', (inner) => keepLogsSmall({ runtime, clock, files, settings: settings.logs, log }, inner));
    scope.spawn('disk of pods', (inner) => storage.run(inner));
    scope.spawn('pods of the node', (inner) => this.#pods.run(inner));
    scope.spawn('pod statuses', (inner) => this.#publisher.run(inner));
    const statics = this.#statics;
    if (statics !== undefined) {
      scope.spawn('static pods', (inner) => statics.run(inner));
      const { client } = this.#deps;
      scope.spawn('mirror pods', (inner) =>
        keepMirrors({ client, clock, statics, pods: this.#pods, nodes: this.#nodes, log }, inner),
      );
    }
    scope.spawn('the node', (inner) => this.#nodes.run(inner));
    scope.spawn('pod workers', (inner) => this.#workers.run(inner));
    scope.spawn('host ports', async (inner) => {
      // Ports of pods that were not looked at yet are open from before: they stay.
      await orAborted(this.#workers.lookedAtAll, inner);
      await this.#deps.ports?.run(inner);
    });
    scope.spawn('node agent', async (inner) => {
      // Who reads that the node is Ready may believe what its pods say. A runtime that does not answer holds nobody up.
      const over = new AbortController();
      const patience = clock.sleep(FIRST_LOOK_MS, AbortSignal.any([inner, over.signal])).catch(() => {});
      await Promise.race([this.#workers.lookedAtAll, patience]);
      over.abort();
      await this.#agent.run(inner);
    });
    await scope.join();
  }
}

/** Told of the node once in a kubelet's life: each pod that it concerns has an event of its own. */
function tellOfMissingDns({ events, self }: KubeletDeps): () => void {
  let told = false;
  return () => {
    if (told) return;
    told = true;
    events.record({ apiVersion: 'v1', kind: 'Node', metadata: { name: self().name } }, missingClusterDns);
  };
}
