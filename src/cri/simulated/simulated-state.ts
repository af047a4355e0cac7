/** What exists in a simulated runtime. One per runtime, shared by its parts; nothing outside this folder sees it. */
import type { ContainerConfig, LinuxResources, SandboxConfig } from '#cri/config.ts';
import { RuntimeFault, type RuntimeFaultKind } from '#cri/fault.ts';
import type { ContainerId, ContainerState, ImageRef, SandboxId } from '#cri/runtime.ts';
import type { ContainerBehaviour } from '#cri/simulated/behaviour.ts';
import { ScriptMistake } from '#cri/simulated/script-values.ts';
import { SimulatedEvents } from '#cri/simulated/simulated-events.ts';
import type { Clock } from '#lib/clock.ts';

export interface SimulatedSandbox {
  readonly id: SandboxId;
  readonly config: SandboxConfig;
  readonly createdAt: number;
  state: 'ready' | 'not-ready';
  addresses: readonly string[];
}

export interface SimulatedContainer {
  readonly id: ContainerId;
  readonly sandbox: SimulatedSandbox;
  readonly config: ContainerConfig;
  readonly behaviour: ContainerBehaviour;
  readonly image: { readonly name: string; readonly ref: ImageRef };
  readonly createdAt: number;
  state: ContainerState;
  resources: LinuxResources;
  /** Fires when it is no longer running: ends its timers and tells who waits for it. */
  readonly over: AbortController;
}

interface ExitWords {
  /** Default: Completed or Error. */
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** Default: now. */
  readonly at?: number;
}

export class SimulatedState {
  readonly clock: Clock;
  readonly events = new SimulatedEvents();
  readonly sandboxes = new Map<SandboxId, SimulatedSandbox>();
  readonly containers = new Map<ContainerId, SimulatedContainer>();
  #made = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Looks like a runtime's id and is the same in every run. */
  newId(): string {
    return (++this.#made).toString(16).padStart(64, '0');
  }

  containersOf(sandbox: SimulatedSandbox): SimulatedContainer[] {
    return [...this.containers.values()].filter((container) => container.sandbox === sandbox);
  }

  /** Ends a container's run. Does nothing when it does not run. */
  exit(container: SimulatedContainer, exitCode: number, words: ExitWords = {}): void {
    if (container.state.kind !== 'running') return;
    const { startedAt } = container.state;
    const { reason, message = '', at = this.clock.now() } = words;
    container.state = {
      kind: 'exited',
      startedAt,
      finishedAt: at,
      exitCode,
      reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      message,
    };
    container.over.abort(new Error(`container ${container.config.name} exited`));
    this.emit(container, 'exited');
  }

  /** Its processes are gone; that it has exited is yet to come. */
  emitEnd({ id, sandbox }: SimulatedContainer, exitCode: number): void {
    this.events.emit({
      kind: 'container',
      change: 'ended',
      id,
      sandbox: sandbox.id,
      at: this.clock.now(),
      exitCode,
    });
  }

  remove(container: SimulatedContainer): void {
    this.exit(container, 137);
    container.over.abort(new Error(`container ${container.config.name} was removed`));
    if (this.containers.delete(container.id)) this.emit(container, 'deleted');
  }

  emit(container: SimulatedContainer, change: 'created' | 'started' | 'exited' | 'oom' | 'deleted'): void {
    const { id, sandbox } = container;
    this.events.emit({ kind: 'container', change, id, sandbox: sandbox.id, at: this.clock.now() });
  }
}

export function fault(kind: RuntimeFaultKind, description: string): RuntimeFault {
  const retryable = kind === 'unavailable' || kind === 'deadline' || kind === 'exhausted' || kind === 'other';
  return new RuntimeFault(description, { kind, retryable, description });
}

/** A script that makes no sense makes the request wrong that carries it. */
export function orInvalid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ScriptMistake)) throw error;
    throw fault('invalid', error.message);
  }
}

/** Every given label must be there with its value. */
export function labelsMatch(
  wanted: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value);
}
