import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long a command gets to end by itself before it is made to. */
const PATIENCE_MS = 20_000;

/** A command that goes on, with what it has printed until now. Disposing makes it end; after it has ended that does nothing. */
export class Background implements AsyncDisposable {
  /** Settles when it has ended and all it printed was read. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #output = '';
  #over = false;

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, [...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#changed();
      });
    }
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#over = true;
      this.#changed();
      return { code, signal } as Ended;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Standard output and error, as they came. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it has printed this; throws when it ends or the time is over without. */
  async printed(pattern: RegExp, withinMs = 30_000): Promise<RegExpMatchArray> {
    const late = AbortSignal.timeout(withinMs);
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found) return found;
      if (this.#over || late.aborted) {
        const why = this.#over ? 'it ended' : `not within ${withinMs} ms`;
        throw new Error(`never printed ${pattern} (${why}); printed:\n${this.#output}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return;
    this.signal('SIGTERM');
    const over = new AbortController();
    const force = sleep(PATIENCE_MS, undefined, { signal: over.signal }).then(
      () => this.signal('SIGKILL'),
      () => {},
    );
    await this.ended;
    over.abort();
    await force;
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
