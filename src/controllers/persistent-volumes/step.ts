import type { PersistentVolume, PersistentVolumeClaim } from '#api/generated/core-v1.ts';
import type { EventText } from '#client/events.ts';

/**
 * What is to be done next about a claim or a volume: one write at most. Whoever has written looks again; so it can stop anywhere, and
 * whoever comes next goes on from what is there.
 */
export interface Step {
  readonly write?: Write | undefined;
  /** Told when the write has succeeded. */
  readonly event?: VolumeEvent | undefined;
}

export type Write =
  | { readonly kind: 'claim' | 'claim-status'; readonly object: PersistentVolumeClaim }
  | { readonly kind: 'volume' | 'volume-status'; readonly object: PersistentVolume };

export interface VolumeEvent {
  readonly about: PersistentVolume | PersistentVolumeClaim;
  readonly text: EventText;
}

export const nothing: Step = {};

export const warning = (about: VolumeEvent['about'], reason: string, message: string): VolumeEvent => ({
  about,
  text: { type: 'Warning', reason, action: 'Binding', message },
});

export const notice = (about: VolumeEvent['about'], reason: string, message: string): VolumeEvent => ({
  about,
  text: { type: 'Normal', reason, action: 'Binding', message },
});

/** Nothing, when it is in that phase already and says so. */
export function inPhase(
  volume: PersistentVolume,
  phase: NonNullable<PersistentVolume['status']>['phase'],
  message?: string,
): Write | undefined {
  const { status } = volume;
  if (status?.phase === phase && status?.message === message) return undefined;
  const object: PersistentVolume = {
    ...volume,
    status: { ...(phase === undefined ? {} : { phase }), ...(message === undefined ? {} : { message }) },
  };
  return { kind: 'volume-status', object };
}
