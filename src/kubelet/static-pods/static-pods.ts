import type { Pod } from '#api/generated/core-v1.ts';
import { manifestYaml } from '#api/yaml-dialect.ts';
import type { ManifestFile, ManifestFolder } from '#kubelet/static-pods/manifest-folder.ts';
import { type StaticPod, staticPodOf, unreadable } from '#kubelet/static-pods/static-pod.ts';
import { timeOf } from '#kubelet/status-context.ts';
import type { Clock } from '#lib/clock.ts';
import { orAborted } from '#lib/or-aborted.ts';
import { isCancellation } from '#lib/scope.ts';
import { Signal } from '#lib/signal.ts';

export interface StaticPodsDeps {
  readonly folder: ManifestFolder;
  readonly node: string;
  readonly clock: Clock;
  /** A file that is no pod, once for each text of it; or the folder, whose path is ''. */
  readonly refused: (file: { readonly path: string; readonly why: string }) => void;
}

/** `pod` is undefined once nothing of it is left to be done. */
export interface StaticChange {
  readonly uid: string;
  readonly pod: Pod | undefined;
}

/** As upstream looks; what tells of changes by itself is quicker. */
const LOOK_MS = 20_000;
/** Files are seldom written in one go: so long after the last change one is read. */
const SETTLE_MS = 100;
const DEFAULT_GRACE_SECONDS = 30;

/**
 * The pods of a folder of manifests. A file that goes or says something else is a pod that is deleted: it is given its grace
 * period, and the pod that takes its name comes when it has ended. A file that cannot be understood changes nothing: it may
 * be half written, and the pod it was goes on.
 */
export class StaticPods {
  readonly #deps: StaticPodsDeps;
  readonly #listeners = new Set<(change: StaticChange) => void>();
  readonly #look = new Signal();
  readonly #firstRead = Promise.withResolvers<void>();
  /** By path: what each file last said that could be understood. */
  readonly #understood = new Map<string, Pod>();
  /** By path: what was said of it, so as not to say it again. */
  #told: ReadonlyMap<string, string> = new Map();
  /** By namespace and name. */
  #wanted: ReadonlyMap<string, Pod> = new Map();
  readonly #here = new Map<string, Pod>();

  constructor(deps: StaticPodsDeps) {
    this.#deps = deps;
  }

  /** Those that run, are to run, or are ending. */
  list(): readonly Pod[] {
    return [...this.#here.values()];
  }

  get(uid: string): Pod | undefined {
    return this.list().find(({ metadata }) => metadata.uid === uid);
  }

  /** Called at once for those that are here, then for every change, in order and synchronously. */
  onChange(listener: (change: StaticChange) => void): Disposable {
    this.#listeners.add(listener);
    for (const pod of this.list()) listener({ uid: pod.metadata.uid, pod });
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Resolves once the folder was read for the first time, or could not be. */
  synced(signal: AbortSignal): Promise<void> {
    return orAborted(this.#firstRead.promise, signal);
  }

  /** One that was to end has ended; whoever takes its name may begin. */
  ended(uid: string): void {
    const pod = this.get(uid);
    if (pod?.metadata.deletionTimestamp === undefined) return;
    this.#here.delete(nameOf(pod));
    this.#tell({ uid, pod: undefined });
    this.#catchUp();
  }

  /** Follows the folder until `signal` aborts; the pods then stay as they are. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, folder } = this.#deps;
    using _watching = folder.watch(() => this.#look.raise());
    try {
      for (;;) {
        await this.#read();
        this.#firstRead.resolve();
        const due = clock.now() + LOOK_MS;
        await this.#look.wait(clock, due, signal);
        if (clock.now() < due) await clock.sleep(SETTLE_MS, signal);
      }
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    }
  }

  async #read(): Promise<void> {
    let files: readonly ManifestFile[];
    try {
      files = await this.#deps.folder.read();
    } catch (error) {
      return this.#refuse(new Map([['', textOf(error)]]));
    }
    const found = await Promise.all(files.map(async (file) => ({ file, read: await this.#understand(file) })));
    const paths = new Set(files.map(({ path }) => path));
    for (const path of this.#understood.keys()) if (!paths.has(path)) this.#understood.delete(path);
    const problems = new Map<string, string>();
    for (const { file, read } of found) {
      if (read.kind === 'unreadable') problems.set(file.path, read.why);
      else this.#understood.set(file.path, read.pod);
    }
    this.#wanted = this.#byName(problems);
    this.#refuse(problems);
    this.#catchUp();
  }

  async #understand({ path, modifiedAt, text }: ManifestFile): Promise<StaticPod> {
    if (text instanceof Error) return unreadable(text.message);
    const { parseAllDocuments } = await import('yaml');
    const parsed = parseAllDocuments(text, { ...manifestYaml, prettyErrors: true });
    const documents = 'empty' in parsed ? [] : parsed.filter(({ contents }) => contents !== null);
    const [first, second] = documents;
    const problem = documents.flatMap(({ errors }) => errors)[0];
    if (problem !== undefined) return unreadable(problem.message.split('\n')[0]!.replace(/:$/, ''));
    if (first === undefined) return unreadable('the file is empty');
    if (second !== undefined) return unreadable('several documents stand in it: one pod a file');
    try {
      return staticPodOf(first.toJS({ maxAliasCount: 100 }), { path, modifiedAt, node: this.#deps.node });
    } catch (error) {
      return unreadable(textOf(error));
    }
  }

  /** Of two files with one name the first counts. */
  #byName(problems: Map<string, string>): ReadonlyMap<string, Pod> {
    const wanted = new Map<string, { readonly path: string; readonly pod: Pod }>();
    for (const [path, pod] of [...this.#understood].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const known = wanted.get(nameOf(pod));
      if (known === undefined) wanted.set(nameOf(pod), { path, pod });
      else problems.set(path, `the pod ${nameOf(pod)} stands in ${known.path} already`);
    }
    return new Map([...wanted].map(([name, { pod }]) => [name, pod]));
  }

  #refuse(problems: ReadonlyMap<string, string>): void {
    const news = [...problems].filter(([path, why]) => this.#told.get(path) !== why);
    this.#told = problems;
    for (const [path, why] of news) this.#deps.refused({ path, why });
  }

  /** Ends what is no longer wanted, and begins what is, where nobody has its name any more. */
  #catchUp(): void {
    for (const [name, pod] of this.#here) {
      const isWanted = this.#wanted.get(name)?.metadata.uid === pod.metadata.uid;
      if (!isWanted && pod.metadata.deletionTimestamp === undefined) this.#put(name, this.#deleted(pod));
    }
    for (const [name, pod] of this.#wanted) if (!this.#here.has(name)) this.#put(name, pod);
  }

  /** As the API would say of a pod that somebody deletes. */
  #deleted(pod: Pod): Pod {
    const seconds = pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
    const deletionTimestamp = timeOf(this.#deps.clock.now() + seconds * 1000);
    return { ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: seconds } };
  }

  #put(name: string, pod: Pod): void {
    this.#here.set(name, pod);
    this.#tell({ uid: pod.metadata.uid, pod });
  }

  #tell(change: StaticChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** `namespace/name`. */
const nameOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
