/**
 * What a simulated container does, and whether an image can be pulled: told by a function given at construction, or by
 * annotations, so that a manifest can tell it. A container's own annotations are read first, then its sandbox's, where the key
 * names the container:
 *
 *   simulated.runtime/exit-code: "3"            in the container's annotations
 *   simulated.runtime/web.exit-code: "3"        in the sandbox's (a pod's) annotations, for container web
 *
 * exit-code (it exits by itself), exit-after-ms (default 0), exit-reason (default Completed or Error), start-error (a message),
 * stop-after-ms (its answer to the stop signal; default 0; 'never' waits for SIGKILL), output (a line for the log sink).
 * answers: what a question put to it gets, by time since it started, as JSON: {"http:8080/ready": "fail 5000:ok 9000:hang"}. Questions
 * are http:PORT/PATH, tcp:PORT, grpc:PORT/SERVICE and exec:COMMAND; what is not listed is answered with ok, but exec is refused.
 * Of a sandbox alone: pull-error (a message) and pull-error-reason, for every image pulled in its name.
 */
import type { ContainerConfig, SandboxConfig, StringMap } from '#cri/config.ts';
import type { PullReason } from '#cri/fault.ts';
import type { ExecResult } from '#cri/runtime.ts';

export interface ContainerBehaviour {
  readonly run:
    | { readonly kind: 'forever' }
    | { readonly kind: 'exits'; readonly code: number; readonly afterMs: number; readonly reason?: string | undefined }
    | { readonly kind: 'cannot-start'; readonly message: string };
  /** How long after the stop signal it exits, with code 143; Infinity: never, so that it is killed, with code 137. */
  readonly stopAfterMs: number;
  /** Lines that the log sink gets when it starts. */
  readonly output: readonly string[];
  /** Answers a question put to it so long after it started; undefined for one that its script does not know. */
  readonly answer?: ((question: string, sinceStartMs: number) => SimulatedAnswer | undefined) | undefined;
  /** Answers execSync; undefined for a command it does not know. Without it every command is refused. */
  readonly exec?: ((command: readonly string[]) => ExecResult | undefined) | undefined;
}

/** `hang`: no answer, until whoever asked has had enough. */
export type SimulatedAnswer = 'ok' | 'fail' | 'hang';

export type PullBehaviour =
  | { readonly kind: 'pulled'; readonly sizeBytes: number }
  | { readonly kind: 'fails'; readonly reason: PullReason; readonly message: string };

export const PREFIX = 'simulated.runtime/';

export function annotatedBehaviour(container: ContainerConfig, sandbox: SandboxConfig): ContainerBehaviour {
  const told = (key: string): string | undefined =>
    container.annotations[PREFIX + key] ?? sandbox.annotations[`${PREFIX}${container.name}.${key}`];
  const code = told('exit-code');
  const startError = told('start-error');
  const output = told('output');
  const stopAfter = told('stop-after-ms') ?? '0';
  return {
    run:
      startError !== undefined
        ? { kind: 'cannot-start', message: startError }
        : code === undefined
          ? { kind: 'forever' }
          : {
              kind: 'exits',
              code: Number(code),
              afterMs: Number(told('exit-after-ms') ?? 0),
              reason: told('exit-reason'),
            },
    stopAfterMs: stopAfter === 'never' ? Infinity : Number(stopAfter),
    output: output === undefined ? [] : [output],
    answer: scriptedAnswers(told('answers')),
  };
}

/** Throws for a script that makes no sense: a test that runs on a misspelt one would prove nothing. */
export function scriptedAnswers(script: string | undefined): ContainerBehaviour['answer'] {
  if (script === undefined) return undefined;
  const byQuestion = new Map(
    Object.entries(JSON.parse(script) as Record<string, unknown>).map(([question, times]) => [
      question,
      timetable(times),
    ]),
  );
  return (question, since) => byQuestion.get(question)?.findLast(({ at }) => since >= at)?.answer;
}

function timetable(times: unknown): readonly { readonly at: number; readonly answer: SimulatedAnswer }[] {
  return String(times)
    .split(' ')
    .map((entry) => {
      const [, at = '0', answer] = /^(?:(\d+):)?(ok|fail|hang)$/.exec(entry) ?? [];
      if (answer === undefined) throw new Error(`"${entry}" is no answer: [MS:]ok, fail or hang`);
      return { at: Number(at), answer: answer as SimulatedAnswer };
    });
}

export function annotatedPull(annotations: StringMap | undefined): PullBehaviour | undefined {
  const message = annotations?.[`${PREFIX}pull-error`];
  if (message === undefined) return undefined;
  const reason = annotations?.[`${PREFIX}pull-error-reason`];
  return { kind: 'fails', message, reason: reasons.find((known) => known === reason) ?? 'ErrImagePull' };
}

const reasons: readonly PullReason[] = [
  'ErrImagePull',
  'InvalidImageName',
  'RegistryUnavailable',
  'SignatureValidationFailed',
];
