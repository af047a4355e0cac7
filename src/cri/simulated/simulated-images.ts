import { createHash } from 'node:crypto';
import type { StringMap } from '#cri/config.ts';
import { type PullReason, RuntimeFault } from '#cri/fault.ts';
import type { FilesystemUsage, Image, ImageRef, Images, PullOptions } from '#cri/runtime.ts';
import type { PullBehaviour } from '#cri/simulated/behaviour.ts';
import { parseImageName } from '#cri/simulated/image-name.ts';
import { scriptedPull } from '#cri/simulated/script.ts';
import { ScriptMistake } from '#cri/simulated/script-values.ts';
import { LruMap } from '#lib/lru-map.ts';
import type { Clock } from '#lib/clock.ts';

export interface ImagesOptions {
  readonly pull: (name: string) => PullBehaviour;
  readonly pullMs: number;
}

/** Pods whose failed pulls are counted at a time. */
const MOST_COUNTED = 10_000;

export class SimulatedImages implements Images {
  readonly #clock: Clock;
  readonly #options: ImagesOptions;
  readonly #images = new Map<ImageRef, Image>();
  /** Pulls that have failed by script, by pod and image. */
  readonly #failed = new LruMap<string, number>(MOST_COUNTED);

  constructor(clock: Clock, options: ImagesOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  find(name: string): Image | undefined {
    const full = parseImageName(name)?.full ?? '';
    const known = (image: Image): boolean => image.repoTags.includes(full) || image.repoDigests.includes(full);
    return this.#images.get(name as ImageRef) ?? [...this.#images.values()].find(known);
  }

  async status(name: string, signal: AbortSignal): Promise<Image | undefined> {
    signal.throwIfAborted();
    return this.find(name);
  }

  async pull(name: string, options: PullOptions, signal: AbortSignal): Promise<ImageRef> {
    signal.throwIfAborted();
    const parsed = parseImageName(name);
    if (!parsed) {
      throw pullFault('InvalidImageName', `failed to parse image reference "${name}": invalid reference format`);
    }
    const outcome = this.#outcome(name, options);
    const { afterMs = this.#options.pullMs } = outcome;
    if (afterMs > 0) await this.#clock.sleep(afterMs, signal);
    if (outcome.kind === 'fails') throw pullFault(outcome.reason, outcome.message);
    const { full, repository } = parsed;
    // The same name is always the same image: nothing stands behind it that could change.
    const digest = `sha256:${createHash('sha256').update(full).digest('hex')}`;
    const id = digest as ImageRef;
    this.#images.set(id, {
      id,
      repoTags: full.includes('@') ? [] : [full],
      repoDigests: [full.includes('@') ? full : `${repository}@${digest}`],
      sizeBytes: outcome.sizeBytes,
      user: undefined,
      username: undefined,
      pinned: false,
    });
    return id;
  }

  #outcome(name: string, { sandbox }: PullOptions): PullBehaviour {
    const { afterMs, failure, times } = scriptOf(sandbox?.annotations);
    const takes = afterMs === undefined ? {} : { afterMs };
    const key = `${sandbox?.metadata.uid} ${name}`;
    const failed = this.#failed.get(key) ?? 0;
    if (failure === undefined || failed >= times) return { ...this.#options.pull(name), ...takes };
    this.#failed.set(key, failed + 1);
    return { ...failure, ...takes };
  }

  async list(signal: AbortSignal): Promise<readonly Image[]> {
    signal.throwIfAborted();
    return [...this.#images.values()];
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const image = this.find(name);
    if (image) this.#images.delete(image.id);
  }

  /** Nothing is stored anywhere. */
  async fsInfo(signal: AbortSignal): Promise<readonly FilesystemUsage[]> {
    signal.throwIfAborted();
    return [];
  }
}

function scriptOf(annotations: StringMap | undefined): ReturnType<typeof scriptedPull> {
  try {
    return scriptedPull(annotations);
  } catch (error) {
    if (!(error instanceof ScriptMistake)) throw error;
    throw pullFault('ErrImagePull', error.message);
  }
}

function pullFault(pullReason: PullReason, description: string): RuntimeFault {
  const invalid = pullReason === 'InvalidImageName';
  return new RuntimeFault(description, {
    kind: invalid ? 'invalid' : /not found/.test(description) ? 'not-found' : 'other',
    retryable: !invalid,
    description,
    pullReason,
  });
}
