import type { Node, Pod } from '#api/generated/core-v1.ts';
import { keyOf, keyOfRef, type KubeObject, type Uid } from '#api/meta.ts';
import { isStaticPod, mirroredUid } from '#api/pod-source.ts';
import type { Resource } from '#api/resource.ts';
import type { Client } from '#client/client.ts';
import { createInformer } from '#client/create-informer.ts';
import type { EventRecorder } from '#client/events.ts';
import type { Informer } from '#client/informer.ts';
import { nodeResource, podResource } from '#client/resources.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import type { Host } from '#host/host.ts';
import type { DiskUsage } from '#host/machine.ts';
import { Admission } from '#kubelet/admission/admission.ts';
import { allowedSysctls } from '#kubelet/admission/sysctls.ts';
import { type ContainerConfigs, createContainerConfigs } from '#kubelet/container-configs.ts';
import { Hooks } from '#kubelet/hooks.ts';
import { ImagePuller } from '#kubelet/image-puller.ts';
import type { HostPort, PortPublisher } from '#kubelet/host-ports.ts';
import { NodeAgent } from '#kubelet/node-agent.ts';
import { type NodeSelf, nodeShares, unregisteredNode } from '#kubelet/node-object.ts';
import type { PodFiles } from '#kubelet/pod-files.ts';
import { PodWorkers } from '#kubelet/pod-workers.ts';
import { createProbeAsker } from '#kubelet/probes/ask.ts';
import type { NetworkProber } from '#kubelet/probes/probe-call.ts';
import type { MissingCapabilities } from '#kubelet/security-context.ts';
import type { ManifestFolder } from '#kubelet/static-pods/manifest-folder.ts';
import { keepMirrors } from '#kubelet/static-pods/mirrors.ts';
import { StaticPods } from '#kubelet/static-pods/static-pods.ts';
import { StatusPublisher } from '#kubelet/status-publisher.ts';
import { createSteps } from '#kubelet/steps.ts';
import { PodVolumes } from '#kubelet/volumes/pod-volumes.ts';

import type { Clock } from '#lib/clock.ts';
import { orAborted } from '#lib/or-aborted.ts';
import { Scope } from '#lib/scope.ts';

export interface KubeletDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly host: Host;
  readonly events: EventRecorder;
  readonly files: PodFiles;
  /** How probes and hooks reach what listens in a pod. */
  readonly network: NetworkProber;
  /** Where the runtime does not do it itself. */
  readonly ports?: PortPublisher;
  /** Bytes that may still be given out. */
  readonly memoryAvailable: () => Promise<number>;
  /** Of the disk that pods write to. */
  readonly disk: () => Promise<DiskUsage>;
  /** Asked anew each time: the port and the addresses may come later than the kubelet. */
  readonly self: () => NodeSelf;
  /** Tells this node's containers from those of other kubelets on the same runtime. */
  readonly owner: string;
  readonly missing: MissingCapabilities;
  /** Where the manifests of static pods lie. */
  readonly manifests?: ManifestFolder;
  /** Whether the kernel enforces AppArmor profiles. */
  readonly appArmor: boolean;
  /** Kernel parameters that pods may set besides the safe ones; a `*` at the end stands for anything. */
  readonly allowedUnsafeSysctls?: readonly string[];
  readonly log: (message: string, error: unknown) => void;
}

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

  constructor(deps: KubeletDeps) {
    this.#deps = deps;
    const { client, clock, runtime, files, self, owner, log } = deps;
    this.#pods = copyOf(deps, podResource, `spec.nodeName=${self().name}`);
    this.#nodes = copyOf(deps, nodeResource, `metadata.name=${self().name}`);
    this.#statics = this.#staticPods();
    this.#publisher = new StatusPublisher({ client, clock, log, subjectOf: (pod) => this.#subjectOf(pod) });
    const allocatable = (): Readonly<Record<string, string>> => ({
      cpu: String(self().machine.cpus),
      memory: String(self().machine.memoryBytes),
    });
    this.#volumes = new PodVolumes({
      client,
      clock,
      files,
      allocatable,
      log,
      arrived: (uid) => this.#workers.retryFiles(uid),
    });
    const configs = this.#containerConfigs(allocatable);
    const puller = new ImagePuller({ runtime, client, clock });
    const volumes = this.#volumes;
    const hooks = new Hooks({ streams: runtime.streams, network: deps.network, clock });
    const hostAddresses = (): readonly string[] => self().addresses;
    const staticEnded = (uid: string): void => this.#statics?.ended(uid);
    const made = { files, volumes, puller, configs, hooks, hostAddresses, staticEnded };
    const steps = createSteps({ runtime, clock, client, events: deps.events, ...made });
    let runtimeName = 'containerd';
    this.#agent = new NodeAgent({
      client,
      clock,
      runtime,
      self,
      disk: deps.disk,
      memoryAvailable: deps.memoryAvailable,
      log,
      onRuntime: (name) => (runtimeName = name),
    });
    const node = (): { addresses: readonly string[]; runtimeName: string } => ({
      addresses: self().addresses,
      runtimeName,
    });
    const asker = createProbeAsker({ streams: runtime.streams, network: deps.network });
    const shared = { runtime, clock, node, steps, asker, since: clock.now() };
    const ports = (uid: string, open: readonly HostPort[]): void => deps.ports?.set(uid, open);
    const worker = { ...shared, publisher: this.#publisher, events: deps.events, ports, log };
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
    const { client, runtime, files, owner, missing, self } = this.#deps;
    return createContainerConfigs({
      client,
      runtime,
      files,
      owner,
      missing,
      memoryCapacity: self().machine.memoryBytes,
      hostAddresses: () => self().addresses,
      allocatable,
    });
  }

  #staticPods(): StaticPods | undefined {
    const { manifests: folder, self, clock } = this.#deps;
    return folder && new StaticPods({ folder, node: self().name, clock, refused: (file) => this.#refused(file) });
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
    const { host, self, clock } = this.#deps;
    await host.cgroups.prepare({ cpuShares: nodeShares(self()) }, signal);
    await using scope = new Scope(signal);
    scope.spawn('files of pods', (inner) => this.#volumes.run(inner));
    using _changes = this.#pods.onChange(({ before, after }) => {
      if (after) this.#volumes.podChanged(after);
      else if (before) scope.spawn('files of a pod that is gone', () => this.#volumes.release(before.metadata.uid));
    });
    scope.spawn('pods of the node', (inner) => this.#pods.run(inner));
    scope.spawn('pod statuses', (inner) => this.#publisher.run(inner));
    const statics = this.#statics;
    if (statics !== undefined) {
      scope.spawn('static pods', (inner) => statics.run(inner));
      const { client, log } = this.#deps;
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
