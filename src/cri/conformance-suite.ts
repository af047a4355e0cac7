/** What the cases of conformance.ts work with: the runtime under test, and one test's own corner of it. */
import assert from 'node:assert/strict';
import type { ContainerConfig, SandboxConfig } from '#cri/config.ts';
import { RuntimeFault, type RuntimeFaultKind } from '#cri/fault.ts';
import type {
  ContainerId,
  ContainerRuntime,
  ContainerState,
  ExitedState,
  ImageRef,
  RuntimeEvent,
  SandboxId,
} from '#cri/runtime.ts';

/** What a container of the suite shall do. */
export type Script =
  | { readonly kind: 'runs' }
  | { readonly kind: 'exits'; readonly code: number; readonly afterMs: number }
  | { readonly kind: 'ignores-stop' }
  | { readonly kind: 'cannot-start' };

export interface RuntimeSubject extends AsyncDisposable {
  readonly runtime: ContainerRuntime;
  /** Where logs go and what cgroups are below; the suite adds the rest. */
  readonly sandboxDefaults: Pick<SandboxConfig, 'logDirectory'> & { readonly cgroupParent: string | undefined };
  /** An image that is there or can be pulled, and one that cannot. */
  readonly image: string;
  readonly absentImage: string;
  script(script: Script): Pick<ContainerConfig, 'command' | 'annotations'>;
  /** Lets a little time pass. */
  tick(): Promise<void>;
}

export type Check = (behaviour: string, body: (suite: Suite) => Promise<void>) => void;

const PATIENCE_MS = 20_000;

export async function rejectsWith(kind: RuntimeFaultKind, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof RuntimeFault, `a RuntimeFault, not ${String(error)}`);
    assert.equal(error.kind, kind, error.message);
    return true;
  });
}

let suites = 0;

/** One test's view of a subject: makes things that carry its own label, and takes them away again. */
export class Suite {
  readonly #subject: RuntimeSubject;
  readonly #ending = new AbortController();
  readonly #number = ++suites;
  #made = 0;
  readonly signal = AbortSignal.timeout(PATIENCE_MS * 2);

  constructor(subject: RuntimeSubject) {
    this.#subject = subject;
  }

  get runtime(): ContainerRuntime {
    return this.#subject.runtime;
  }
  get image(): string {
    return this.#subject.image;
  }
  get absentImage(): string {
    return this.#subject.absentImage;
  }
  get labels(): Readonly<Record<string, string>> {
    return { suite: `suite-${process.pid}-${this.#number}` };
  }
  /** Whether the runtime's clock is the test's. */
  get realTime(): boolean {
    return this.#subject.sandboxDefaults.cgroupParent !== undefined;
  }

  sandbox(
    options: { readonly network?: 'node'; readonly labels?: Readonly<Record<string, string>> } = {},
  ): SandboxConfig {
    const uid = `uid-${process.pid}-${this.#number}-${++this.#made}`;
    const { logDirectory, cgroupParent } = this.#subject.sandboxDefaults;
    const network = options.network ?? 'pod';
    return {
      metadata: { name: `pod-${this.#made}`, uid, namespace: 'conformance', attempt: 0 },
      hostname: network === 'node' ? '' : `pod-${this.#made}`,
      logDirectory: `${logDirectory}/${uid}`,
      labels: { ...this.labels, ...options.labels },
      annotations: {},
      linux: {
        cgroupParent: cgroupParent && `${cgroupParent}/${uid}`,
        securityContext: { namespaceOptions: { network, pid: 'container', ipc: 'pod' } },
      },
    };
  }

  run(labels: Readonly<Record<string, string>> = {}): Promise<SandboxId> {
    return this.runtime.sandboxes.run(this.sandbox({ labels }), this.signal);
  }

  async container(script: Script): Promise<{ readonly id: ContainerId; readonly sandbox: SandboxId }> {
    const config = this.sandbox();
    const sandbox = await this.runtime.sandboxes.run(config, this.signal);
    return { id: await this.create(sandbox, config, { script }), sandbox };
  }

  async create(
    sandbox: SandboxId,
    config: SandboxConfig,
    options: {
      readonly script: Script;
      readonly name?: string;
      readonly attempt?: number;
      readonly ref?: ImageRef;
      readonly labels?: Readonly<Record<string, string>>;
    },
  ): Promise<ContainerId> {
    const { name = 'main', attempt = 0, labels = this.labels } = options;
    const image = options.ref ?? (await this.#imageRef());
    const { command, annotations } = this.#subject.script(options.script);
    const container: ContainerConfig = {
      name,
      attempt,
      labels,
      command,
      args: [],
      envs: [],
      mounts: [],
      annotations: { ...annotations, 'io.example/why': 'because' },
      image: { ref: image, userSpecified: this.image },
      logPath: `${name}/${attempt}.log`,
      linux: {
        securityContext: { namespaceOptions: config.linux.securityContext.namespaceOptions },
        resources: { cpuShares: 100, memoryLimitBytes: 64 * 2 ** 20 },
      },
    };
    return await this.runtime.containers.create(sandbox, { container, sandbox: config }, this.signal);
  }

  async #imageRef(): Promise<ImageRef> {
    const present = await this.runtime.images.status(this.image, this.signal);
    return present?.id ?? (await this.runtime.images.pull(this.image, {}, this.signal));
  }

  async state(id: ContainerId): Promise<ContainerState> {
    const status = await this.runtime.containers.status(id, this.signal);
    assert.ok(status, `container ${id} is there`);
    return status.state;
  }

  /** Waits until it has exited. */
  async exited(id: ContainerId): Promise<ExitedState> {
    let state = await this.state(id);
    await this.until('the exit', async () => (state = await this.state(id)).kind === 'exited');
    assert.ok(state.kind === 'exited');
    return state;
  }

  mySandboxes(): ReturnType<ContainerRuntime['sandboxes']['list']> {
    return this.runtime.sandboxes.list({ labels: this.labels }, this.signal);
  }

  /** What a listener has heard so far; it grows. */
  listen(): readonly RuntimeEvent[] {
    const seen: RuntimeEvent[] = [];
    const hear = async (): Promise<void> => {
      for await (const event of this.runtime.events.subscribe(this.#ending.signal)) seen.push(event);
    };
    hear().catch((error: unknown) => assert.equal(error, this.#ending.signal.reason));
    return seen;
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      assert.ok(performance.now() < deadline, `waited in vain for ${what}`);
      await this.#subject.tick();
    }
  }

  /** Lets time pass while a call is under way. */
  async passing<T>(call: Promise<T>): Promise<T> {
    let done = false;
    const settled = call.finally(() => (done = true));
    settled.catch(() => {});
    await this.until('a call to return', () => done);
    return await settled;
  }

  async cleanUp(): Promise<void> {
    this.#ending.abort(new Error('the test is over'));
    for (const { id } of await this.mySandboxes()) {
      await this.runtime.sandboxes.stop(id, this.signal);
      await this.runtime.sandboxes.remove(id, this.signal);
    }
  }
}
