/**
 * A containerd of our own, one a node: its root in DATA, everything else in RUN. A child like others (children.ts): it
 * survives its parent, is adopted by the next, and is started again when it dies; pods go on meanwhile.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#lib/clock.ts';
import { isCancellation } from '#lib/scope.ts';
import type { Child, ChildExit, Children, ChildSpec, ChildWatcher } from '#host/children.ts';
import { containerdConfig } from '#host/containerd/config.ts';
import { criAnswers } from '#host/containerd/socket.ts';
import { hostFacts, type ContainerdTools } from '#host/containerd/tools.ts';
import type { NodePaths } from '#host/data-dir.ts';
import { logTail } from '#host/log-file.ts';

export interface ContainerdOptions {
  readonly node: NodePaths;
  readonly tools: ContainerdTools;
  readonly sandboxImage: string;
  /** Directory of REGISTRY/hosts.toml files. */
  readonly certs: string;
}

export class Containerd {
  readonly socket: string;
  readonly #options: ContainerdOptions;
  readonly #children: Children;
  readonly #clock: Clock;

  constructor(options: ContainerdOptions, children: Children, clock: Clock) {
    this.#options = options;
    this.#children = children;
    this.#clock = clock;
    this.socket = options.node.containerdSocket;
  }

  get name(): string {
    return containerdChild(this.#options.node);
  }

  get logFile(): string {
    return join(this.#options.node.logs, 'containerd.log');
  }

  /**
   * Adopts the running one or starts one, and waits until it answers. Throws, quoting its log, when it ends instead or
   * does not answer within ten seconds. Write the CNI configuration before: containerd reads it as it starts.
   */
  async start(signal: AbortSignal): Promise<Child> {
    const { node, tools, sandboxImage, certs } = this.#options;
    mkdirSync(node.logs, { recursive: true, mode: 0o700 });
    const config = containerdConfig({
      version: tools.version,
      root: node.containerd,
      state: node.containerdState,
      socket: this.socket,
      sandboxImage,
      cni: { binDir: tools.cniBinDir, confDir: node.cniConfig },
      registryConfig: certs,
      runtime: { binary: tools.runtime, root: node.runcState },
      facts: hostFacts(),
    });
    writeFileSync(node.containerdConfig, config, { mode: 0o600 });
    const child = await this.#children.startOrAdopt(this.#spec());
    await this.#answering(child, signal);
    return child;
  }

  /** Keeps it running until cancelled or stopped (children.ts). Call `start` first: this does not write its configuration. */
  async keepRunning(watcher: ChildWatcher, signal: AbortSignal): Promise<void> {
    await this.#children.keepRunning(this.#spec(), watcher, signal);
  }

  /** Ends the daemon; its containers run on. */
  async stop(graceMs: number, signal: AbortSignal): Promise<void> {
    await this.#children.stop(this.name, graceMs, signal);
  }

  #spec(): ChildSpec {
    const { node, tools } = this.#options;
    const args = ['--config', node.containerdConfig];
    return { name: this.name, command: tools.containerd, args, program: 'containerd', logFile: this.logFile };
  }

  async #answering(child: Child, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const ended = this.#children.waitForExit(child, both).catch((error: unknown) => {
      if (!isCancellation(error, both)) throw error;
      return undefined;
    });
    try {
      const winner = await Promise.race([ended, this.#poll(both)]);
      signal.throwIfAborted();
      if (winner !== 'answers') throw new Error(startFailure(winner, logTail(this.logFile, 3)));
    } finally {
      over.abort();
      await ended;
    }
  }

  async #poll(signal: AbortSignal): Promise<'answers' | undefined> {
    const deadline = this.#clock.now() + START_TIMEOUT_MS;
    while (this.#clock.now() < deadline && !signal.aborted) {
      if (await criAnswers(this.socket, ANSWER_TIMEOUT_MS)) return 'answers';
      await this.#clock.sleep(POLL_MS, signal).catch(() => {});
    }
    return undefined;
  }
}

/** The name of a node's containerd among the cluster's children. */
export const containerdChild = (node: NodePaths): string => `containerd-${node.name}`;

// It answers 40-60 ms after it is started; a fresh connection attempt costs a tenth of a millisecond.
const POLL_MS = 2;
const ANSWER_TIMEOUT_MS = 1_000;
const START_TIMEOUT_MS = 10_000;

function startFailure(exit: ChildExit | undefined, log: string): string {
  const said = log === '' ? '' : `: ${log}`;
  if (!exit) return `containerd does not answer after ${START_TIMEOUT_MS / 1000} s${said}`;
  switch (exit.kind) {
    case 'exited':
      return `containerd ended with exit code ${exit.code} while starting${said}`;
    case 'killed':
      return `containerd was ended by ${exit.signal} while starting${said}`;
    case 'gone':
      return `containerd ended while starting${said}`;
  }
}
