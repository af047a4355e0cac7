/**
 * Scripts of simulated containers, in the annotations of their pod (docs/simulated.md is the manual):
 *
 *   simulated.peapod.dev/web.exit-code: "3"     for container web
 *   simulated.peapod.dev/exit-code: "3"         for each container that has none of its own
 *
 * A container's own annotations, `simulated.peapod.dev/exit-code`, go before both. They are read when a container is made,
 * so what is changed counts for the next attempt. A key that nobody knows and a value that makes no sense are
 * mistakes: who runs on a misspelt script has learnt nothing.
 */
import type { ContainerConfig, SandboxConfig, StringMap } from '#cri/config.ts';
import type { ContainerBehaviour, PullBehaviour } from '#cri/simulated/behaviour.ts';
import {
  type Codes,
  containerParsers,
  type ContainerValues,
  podParsers,
  type PodValues,
} from '#cri/simulated/script-keys.ts';
import { ScriptMistake } from '#cri/simulated/script-values.ts';

export const PREFIX = 'simulated.peapod.dev/';

/** Throws ScriptMistake. */
export function scriptedBehaviour(container: ContainerConfig, sandbox: SandboxConfig): ContainerBehaviour {
  refuseUnknown(container, sandbox);
  const told = <Key extends keyof ContainerValues>(key: Key): ContainerValues[Key] | undefined =>
    read([container.annotations, key], [sandbox.annotations, `${container.name}.${key}`, key], containerParsers[key]);
  const startError = told('start-error');
  const code = codeOf(told('exit-code'), container.attempt);
  return {
    run:
      startError !== undefined
        ? { kind: 'cannot-start', message: startError }
        : code === 'never'
          ? { kind: 'forever' }
          : {
              kind: 'exits',
              code,
              afterMs: told('exit-after') ?? 0,
              reason: told('exit-reason'),
              message: told('exit-message'),
            },
    startAfterMs: told('start-after'),
    stopAfterMs: told('stop-after') ?? 0,
    output: told('log') ?? [],
    memory: told('memory'),
    disk: told('disk'),
    answer: told('answers'),
  };
}

/** How long the pulls for a pod take, and how often which of them fail. Throws ScriptMistake. */
export interface PullScript {
  readonly afterMs: number | undefined;
  readonly failure: Extract<PullBehaviour, { kind: 'fails' }> | undefined;
  /** Pulls of an image that fail before one succeeds. */
  readonly times: number;
}

export function scriptedPull(annotations: StringMap = {}): PullScript {
  const message = podTold(annotations, 'pull-error');
  const reason = podTold(annotations, 'pull-error-reason') ?? 'ErrImagePull';
  return {
    afterMs: podTold(annotations, 'pull-after'),
    failure: message === undefined ? undefined : { kind: 'fails', message, reason },
    times: podTold(annotations, 'pull-error-times') ?? Infinity,
  };
}

/** Throws ScriptMistake. */
export const scriptedSandbox = ({
  annotations,
}: SandboxConfig): { readonly afterMs: number | undefined; readonly error: string | undefined } => ({
  afterMs: podTold(annotations, 'sandbox-after'),
  error: podTold(annotations, 'sandbox-error'),
});

/** Throws ScriptMistake for a script of a container that a pod of these containers does not have. */
export function refuseStrangers(annotations: StringMap, containers: readonly string[]): void {
  for (const key of Object.keys(annotations)) {
    const { container } = keyOf(key) ?? {};
    if (container === undefined || containers.includes(container)) continue;
    throw new ScriptMistake(
      `annotation "${key}": the pod has no container "${container}", only ${containers.join(', ')}`,
    );
  }
}

const podTold = <Key extends keyof PodValues>(annotations: StringMap, key: Key): PodValues[Key] | undefined =>
  read([annotations, key], [annotations], podParsers[key]);

type Places = readonly [annotations: StringMap, ...keys: readonly string[]];

/** The first that is there, parsed. */
function read<T>(own: Places, others: Places, parse: (text: string) => T): T | undefined {
  for (const [annotations, ...keys] of [own, others]) {
    for (const key of keys) {
      const text = annotations[PREFIX + key];
      if (text === undefined) continue;
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof ScriptMistake)) throw error;
        throw new ScriptMistake(`annotation "${PREFIX}${key}": ${error.message}`);
      }
    }
  }
  return undefined;
}

/** undefined for what is no script. Names of containers have no dots. */
function keyOf(annotation: string): { readonly container: string | undefined; readonly key: string } | undefined {
  if (!annotation.startsWith(PREFIX)) return undefined;
  const name = annotation.slice(PREFIX.length);
  const dot = name.indexOf('.');
  return dot < 0 ? { container: undefined, key: name } : { container: name.slice(0, dot), key: name.slice(dot + 1) };
}

function refuseUnknown(container: ContainerConfig, sandbox: SandboxConfig): void {
  const forContainers = Object.keys(containerParsers);
  const forPods = Object.keys(podParsers);
  for (const annotation of [...Object.keys(container.annotations), ...Object.keys(sandbox.annotations)]) {
    const found = keyOf(annotation);
    if (found === undefined || (found.container !== undefined && found.container !== container.name)) continue;
    const known = found.container === undefined ? [...forContainers, ...forPods] : forContainers;
    if (!known.includes(found.key))
      throw new ScriptMistake(
        `annotation "${annotation}": there is no "${found.key}"; write one of ${known.join(', ')}`,
      );
  }
}

const codeOf = (codes: Codes | undefined, attempt: number): number | 'never' =>
  codes?.[Math.min(attempt, codes.length - 1)] ?? 'never';
