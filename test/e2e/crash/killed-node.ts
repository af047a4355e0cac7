import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigMap, ContainerStateTerminated, ContainerStatus, Pod, Secret } from '#api/generated/core-v1.ts';
import { hasReason } from '#api/errors.ts';
import { configMapResource, podResource, secretResource } from '#client/resources.ts';
import type { ContainerRuntime } from '#cri/runtime.ts';
import { lockOwner } from '#host/lock.ts';
import { company, imageToPull, manifestOf, type Part } from '#test/e2e/crash/cast.ts';
import type { Round, Target } from '#test/e2e/crash/round.ts';
import { straysOf, takeCensus } from '#test/e2e/support/census.ts';
import { type E2eCluster, until } from '#test/e2e/support/cluster.ts';
import { findChild, kill } from '#test/e2e/support/machine.ts';
import { isReady, type PodWatch } from '#test/e2e/support/pod-watch.ts';

/** What takes seconds by itself takes minutes beside others. */
const SETTLED_WITHIN_MS = 180_000;
const LOG_LINES = 20;

/** A node that is killed, and the pods on it: what is done to them, and what must be true of them afterwards. */
export class KilledNode {
  readonly blows: Record<Target, number> = { peapod: 0, containerd: 0, both: 0 };
  readonly #cluster: E2eCluster;
  readonly #pods: PodWatch;
  readonly #runtime: ContainerRuntime;
  readonly #witness: string;
  readonly #signal = new AbortController().signal;
  /** What must be there. */
  readonly #parts = new Map<string, Part>();
  /** Every pod that ever was, ended or not. */
  readonly #ever: Part[] = [];
  #before: ReadonlyMap<string, string> = new Map();

  constructor(cluster: E2eCluster, pods: PodWatch, runtime: ContainerRuntime) {
    this.#cluster = cluster;
    this.#pods = pods;
    this.#runtime = runtime;
    this.#witness = join(cluster.dataDir, 'witness');
  }

  async begin(): Promise<void> {
    mkdirSync(this.#witness);
    const { client } = this.#pods;
    const words = { metadata: { name: 'words', namespace: 'default' }, data: { word: 'd29yZA==' } };
    await client.create<ConfigMap>(configMapResource, { apiVersion: 'v1', kind: 'ConfigMap', ...words }, this.#signal);
    await client.create<Secret>(secretResource, { apiVersion: 'v1', kind: 'Secret', ...words }, this.#signal);
    await Promise.all(company.map((part) => this.#make(part)));
    await this.#settled();
    this.#before = await this.#identities();
  }

  async play(round: Round): Promise<void> {
    await this.#runtime.images.remove(imageToPull(round.round), this.#signal);
    const began = performance.now();
    const at = (ms: number): Promise<void> => sleep(Math.max(0, began + ms - performance.now()));
    await Promise.all([
      ...round.made.map(async (one) => {
        await at(one.at);
        await this.#make(one.part);
        // Not before it was made, however long that took.
        const end = round.deleted.find(({ name }) => name === one.part.name);
        if (end) await at(end.at).then(() => this.#delete(end.name));
      }),
      ...round.deleted
        .filter(({ name }) => !round.made.some(({ part }) => part.name === name))
        .map((one) => at(one.at).then(() => this.#delete(one.name))),
      this.#strike(round, at),
    ]);
    await this.#settled();
    assert.deepEqual(differing(this.#before, await this.#identities()), [], 'who lived on is who lived before');
  }

  async end(): Promise<void> {
    for (const name of this.#parts.keys()) await this.#delete(name);
    await this.#settled();
  }

  async #strike({ blows }: Round, at: (ms: number) => Promise<void>): Promise<void> {
    for (const { target, at: when } of blows) {
      await at(when);
      this.blows[target]++;
      const { paths } = this.#cluster;
      const own = lockOwner(paths)!.pid;
      if (target !== 'peapod') kill(await this.#containerd());
      if (target === 'containerd') continue;
      kill(own);
      await this.#cluster.up();
    }
  }

  /** The one killed before may not have its successor yet. */
  async #containerd(): Promise<number> {
    const find = async (): Promise<number | undefined> => findChild(this.#cluster.paths, /^containerd-/);
    return (await until('containerd runs', find, (pid) => pid !== undefined))!;
  }

  async #make(part: Part): Promise<void> {
    this.#parts.set(part.name, part);
    this.#ever.push(part);
    const manifest = manifestOf(part, this.#witness);
    await this.#insist(() => this.#pods.client.create<Pod>(podResource, manifest, this.#signal), 'AlreadyExists');
  }

  async #delete(name: string): Promise<void> {
    this.#parts.delete(name);
    const ref = { name, namespace: 'default' };
    await this.#insist(() => this.#pods.client.delete(podResource, ref, {}, this.#signal), 'NotFound');
  }

  /** While there is nobody to answer, and until it is certain. */
  async #insist(ask: () => Promise<unknown>, done: 'AlreadyExists' | 'NotFound'): Promise<void> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      try {
        await ask();
        return;
      } catch (error) {
        if (hasReason(error, done)) return;
        if (performance.now() > deadline) throw error;
        await sleep(25);
      }
    }
  }

  /** Everybody is where they should be, every start is accounted for, and nothing is nobody's. */
  async #settled(): Promise<void> {
    const wrong = await until(
      'the node settles',
      () => this.#wrong(),
      (found) => found.length === 0,
      SETTLED_WITHIN_MS,
    ).catch(() => this.#wrong());
    if (wrong.length > 0) assert.fail([...wrong, ...(await this.#story(wrong))].join('\n'));
  }

  /** What was said of those pods, by the cluster and in its log, for whoever has to find out. */
  async #story(wrong: readonly string[]): Promise<readonly string[]> {
    const names = [...new Set(this.#ever.map(({ name }) => name))].filter((name) =>
      wrong.some((line) => new RegExp(`^(pod )?${name}[ ./:]`).test(line)),
    );
    const uids = names.map((name) => this.#pods.history(name).at(-1)?.metadata.uid ?? name);
    const events = await Promise.all(names.map((name) => this.#pods.events(name)));
    const log = readFileSync(join(this.#cluster.dataDir, 'peapod.log'), 'utf8').split('\n');
    const about = log.filter((line) => [...names, ...uids].some((word) => line.includes(word)));
    return [...events.flat(), ...about.slice(-LOG_LINES).map((line) => line.slice(0, 1000))];
  }

  async #wrong(): Promise<readonly string[]> {
    const pods = this.#pods.list();
    const there = pods.map(({ metadata }) => metadata.name);
    const astray = [
      ...there.filter((name) => !this.#parts.has(name)).map((name) => `pod ${name} is still there`),
      ...[...this.#parts.values()].flatMap((part) => {
        const pod = this.#pods.get(part.name);
        return pod && isAt(pod, part.fate) ? [] : [`pod ${part.name}: ${JSON.stringify(pod?.status ?? 'not there')}`];
      }),
      ...this.#miscounted(pods),
    ];
    if (astray.length > 0) return astray;
    const census = await takeCensus(this.#cluster, this.#runtime, this.#signal).catch(unavailable);
    return census === undefined ? ['the runtime does not answer'] : straysOf(census, pods);
  }

  /** The containers' own word on how often they were started against the status's. */
  #miscounted(pods: readonly Pod[]): readonly string[] {
    const said = pods.flatMap((pod) =>
      statusesOf(pod).flatMap((status) => {
        const [starts, found] = [startsOf(status), this.#starts(`${pod.metadata.name}.${status.name}`)];
        const unwitnessed = this.#neverBegan(pod, status.name) + this.#untold(pod, status);
        const right = found <= starts && found >= starts - unwitnessed;
        return status.image.includes('testserver') || right
          ? []
          : [`${pod.metadata.name}/${status.name} was started ${found} times: ${JSON.stringify(status)}`];
      }),
    );
    return [...said, ...this.#startedAgain()];
  }

  /**
   * Who was to run once. A start that is cut short by the death of who asked for it may have let the first process run before the
   * runtime took it back: it then says StartError, and the attempt that follows is rightly another. So is that after an end whose exit
   * code the runtime has forgotten: nobody knows that it was a good one.
   */
  #startedAgain(): readonly string[] {
    return readdirSync(this.#witness).flatMap((file) => {
      const [name = '', container = ''] = file.split('.');
      const pod = this.#pods.history(name).at(-1);
      const lost = pod === undefined ? 0 : this.#neverBegan(pod, container) + this.#forgottenInits(pod, container);
      const starts = this.#starts(file);
      const part = this.#ever.find((each) => each.name === name);
      if (part?.fate !== 'runs' || starts <= 1 + lost) return [];
      const ends = pod === undefined ? [] : this.#endsOf(pod, container);
      return [`${file} was started ${starts} times; its ends: ${JSON.stringify(ends)}`];
    });
  }

  #endsOf(pod: Pod, container: string): readonly ContainerStateTerminated[] {
    return this.#statusesOf(pod, container).flatMap(({ state, lastState }) =>
      [state?.terminated ?? [], lastState?.terminated ?? []].flat(),
    );
  }

  /** Every status of the container that was ever seen. */
  #statusesOf({ metadata }: Pod, container: string): readonly ContainerStatus[] {
    return this.#pods
      .history(metadata.name)
      .filter(({ metadata: { uid } }) => uid === metadata.uid)
      .flatMap(statusesOf)
      .filter(({ name }) => name === container);
  }

  /** Attempts count as restarts even when the runtime failed to start them: there is nobody then to bear witness. */
  #neverBegan(pod: Pod, container: string): number {
    const ends = this.#endsOf(pod, container);
    return new Set(ends.filter(neverStarted).map(({ containerID }) => containerID)).size;
  }

  /** Attempts that came and went between one kill -9 and the next: only their number is known, not whether they began. */
  #untold(pod: Pod, status: ContainerStatus): number {
    const told = this.#statusesOf(pod, status.name).flatMap(({ containerID, state, lastState }) => [
      containerID,
      state?.terminated?.containerID,
      lastState?.terminated?.containerID,
    ]);
    return Math.max(0, startsOf(status) - new Set(told.filter(Boolean)).size);
  }

  /** Of a container that is to end by itself: for any other it would be an end that nobody wanted. */
  #forgottenInits(pod: Pod, container: string): number {
    const init = pod.spec.initContainers?.find(({ name }) => name === container);
    if (init === undefined || init.restartPolicy !== undefined) return 0;
    return new Set(
      this.#endsOf(pod, container)
        .filter(isUnknown)
        .map(({ containerID }) => containerID),
    ).size;
  }

  #starts(file: string): number {
    const path = join(this.#witness, file);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
  }

  /** Which container and which process everybody is who is to live on, or to stay dead. */
  async #identities(): Promise<ReadonlyMap<string, string>> {
    const { containers } = await takeCensus(this.#cluster, this.#runtime, this.#signal);
    const lasting = company.filter(({ fate }) => fate !== 'restless').map(({ name }) => this.#pods.get(name));
    return new Map(
      lasting
        .flatMap((pod) => containers.filter(({ uid }) => uid === pod?.metadata.uid).map((one) => ({ pod, one })))
        .map(({ pod, one }) => [`${pod?.metadata.name}/${one.name}`, `${one.id} ${one.state} ${one.process}`]),
    );
  }
}

const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];

function isAt(pod: Pod, fate: Part['fate']): boolean {
  const phase = pod.status?.phase;
  switch (fate) {
    case 'runs':
      return isReady(pod);
    case 'succeeds':
      return phase === 'Succeeded' || (phase === 'Failed' && isForgotten(pod));
    case 'fails':
      return phase === 'Failed';
    case 'restless':
      return phase === 'Running' || phase === 'Pending';
  }
}

/**
 * What no node can make good: containerd deletes the task of a container that has ended before it notes the exit code, and one
 * that is killed in between never learns it (255, Unknown); and when its successor clears up under a start that is under way, that
 * start fails (128, StartError; or an end without a beginning), which a pod that is to run once has no second of.
 */
const isForgotten = ({ status }: Pod): boolean =>
  (status?.containerStatuses ?? []).some(
    ({ state: { terminated } = {} }) => terminated !== undefined && (isUnknown(terminated) || neverStarted(terminated)),
  );

const neverStarted = ({ reason, startedAt }: ContainerStateTerminated): boolean =>
  reason === 'StartError' || startedAt === undefined;

const isUnknown = ({ exitCode, reason }: ContainerStateTerminated): boolean => exitCode === 255 && reason === 'Unknown';

/** By the status. One that is made anew at this moment is counted too early: ask again. */
const startsOf = ({ state, lastState, restartCount }: ContainerStatus): number =>
  state?.running || state?.terminated || lastState?.terminated ? restartCount + 1 : 0;

const differing = (before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] =>
  [...before].filter(([name, who]) => now.get(name) !== who).map(([name, who]) => `${name}: ${who} → ${now.get(name)}`);

const unavailable = (error: unknown): undefined => {
  if (!(error instanceof Error)) throw error;
};
