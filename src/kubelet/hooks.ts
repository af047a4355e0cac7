import type { Container, LifecycleHandler } from '#api/generated/core-v1.ts';
import type { ContainerId, Streams } from '#cri/runtime.ts';
import { httpCall, type NetworkProber, type ProbeTarget } from '#kubelet/probes/probe-call.ts';
import { type Clock, notAwaited } from '#lib/clock.ts';

export interface HookDeps {
  readonly streams: Streams;
  readonly network: NetworkProber;
  readonly clock: Clock;
}

/** The hook did not do what it should; the message says why. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure';
}

const USER_AGENT = ['User-Agent', 'kube-lifecycle/1.36'] as const;

/**
 * What a pod asks to be done in or to a container after it started and before it is stopped. A preStop hook runs once a
 * container, however many stops with nearer deadlines are begun beside the first or after it: all have the same run.
 */
export class Hooks {
  readonly #deps: HookDeps;
  readonly #stopping = new Map<ContainerId, { readonly over: AbortController; readonly done: Promise<void> }>();

  constructor(deps: HookDeps) {
    this.#deps = deps;
  }

  /** Without a time limit. Rejects with HookFailure, or with the signal's reason. */
  async postStart(target: ProbeTarget, signal: AbortSignal): Promise<void> {
    const { postStart } = target.container.lifecycle ?? {};
    if (postStart) await this.#run(postStart, target, Infinity, signal);
  }

  /**
   * Ends with the hook, or at the deadline (epoch ms) without it. Rejects with HookFailure, at the deadline too, or with
   * the signal's reason. False when there was nothing to run.
   */
  async preStop(target: ProbeTarget, deadlineAt: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    const leftMs = deadlineAt - clock.now();
    if (!hasPreStop(target.container) || leftMs <= 0) {
      this.#stopping.get(target.id)?.over.abort(new HookFailure('the deadline came nearer'));
      return false;
    }
    const running = this.#stopping.get(target.id) ?? this.#begin(target, leftMs, signal);
    const waited = new AbortController();
    clock.sleep(leftMs, AbortSignal.any([signal, waited.signal])).then(
      () => running.over.abort(new HookFailure(`not done within the grace period`)),
      () => {},
    );
    try {
      await running.done;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      waited.abort(notAwaited);
    }
    return true;
  }

  /** The container has ended: nothing of it will be asked again. */
  forget(id: ContainerId): void {
    this.#stopping.delete(id);
  }

  #begin(target: ProbeTarget, leftMs: number, signal: AbortSignal): { over: AbortController; done: Promise<void> } {
    const over = new AbortController();
    const handler = target.container.lifecycle!.preStop!;
    const done = this.#run(handler, target, leftMs, AbortSignal.any([signal, over.signal]));
    const begun = { over, done };
    this.#stopping.set(target.id, begun);
    // A failure is told once, to those who wait for it; who comes later finds that it was run.
    done.catch(() => {
      if (this.#stopping.get(target.id) === begun) this.#stopping.set(target.id, { over, done: Promise.resolve() });
    });
    return begun;
  }

  async #run(handler: LifecycleHandler, target: ProbeTarget, limitMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#do(handler, target, limitMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HookFailure) throw error;
      throw new HookFailure(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  async #do(handler: LifecycleHandler, target: ProbeTarget, limitMs: number, signal: AbortSignal): Promise<void> {
    const { streams, network, clock } = this.#deps;
    if (handler.exec) {
      const command = handler.exec.command ?? [];
      const timeoutMs = Number.isFinite(limitMs) ? limitMs : 0;
      const { exitCode, stdout, stderr } = await streams.execSync(target.id, command, { timeoutMs }, signal);
      if (exitCode === 0) return;
      const said = Buffer.concat([stdout, stderr]).toString();
      throw new HookFailure(`command '${command.join(' ')}' exited with ${exitCode}: ${said}`);
    }
    if (handler.httpGet) {
      const call = httpCall(handler.httpGet, target);
      const named = call.headers.some(([name]) => name.toLowerCase() === 'user-agent');
      const headers = named ? call.headers : [...call.headers, USER_AGENT];
      const answer = await network.ask({ ...call, headers }, { container: target.id, timeoutMs: limitMs }, signal);
      // That it was told is all that is asked of a hook: what the answer says does not matter, as upstream.
      if (answer.status === undefined) throw new HookFailure(answer.output);
      return;
    }
    if (handler.sleep) return clock.sleep(handler.sleep.seconds * 1000, signal);
    throw new HookFailure('invalid handler: it has none of exec, httpGet, sleep');
  }
}

export const hasPreStop = ({ lifecycle }: Container): boolean => lifecycle?.preStop !== undefined;
