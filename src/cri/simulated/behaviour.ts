/**
 * What a simulated container does, and whether its image can be pulled: told by a function given at construction, or by
 * annotations (script.ts), so that a manifest can tell it.
 */
import type { PullReason } from '#cri/fault.ts';
import type { ExecResult } from '#cri/runtime.ts';
import type { ScriptedLine, Timeline } from '#cri/simulated/script-values.ts';

export interface ContainerBehaviour {
  readonly run:
    | { readonly kind: 'forever' }
    | {
        readonly kind: 'exits';
        readonly code: number;
        readonly afterMs: number;
        readonly reason?: string | undefined;
        readonly message?: string | undefined;
      }
    | { readonly kind: 'cannot-start'; readonly message: string };
  /** How long starting it takes; the runtime's own time if absent. */
  readonly startAfterMs?: number | undefined;
  /** How long after the stop signal it exits, with code 143; Infinity: never, so that it is killed, with code 137. */
  readonly stopAfterMs: number;
  /** What it writes; a mere text when it starts. */
  readonly output: readonly (string | ScriptedLine)[];
  /** Bytes in use since it started. Once they are above its limit it is killed (OOMKilled). */
  readonly memory?: Timeline<number> | undefined;
  /** Bytes it has written over its image's files. */
  readonly disk?: Timeline<number> | undefined;
  /** Answers a question put to it so long after it started; undefined for one that its script does not know. */
  readonly answer?: ((question: string, sinceStartMs: number) => SimulatedAnswer | undefined) | undefined;
  /** Answers execSync; undefined for a command it does not know. Without it, what `answer` does not know is refused. */
  readonly exec?: ((command: readonly string[]) => ExecResult | undefined) | undefined;
}

/** `hang`: no answer, until whoever asked has had enough. */
export type SimulatedAnswer = 'ok' | 'fail' | 'hang';

/** `afterMs`: how long it takes; the runtime's own time if absent. */
export type PullBehaviour = { readonly afterMs?: number } & (
  | { readonly kind: 'pulled'; readonly sizeBytes: number }
  | { readonly kind: 'fails'; readonly reason: PullReason; readonly message: string }
);
