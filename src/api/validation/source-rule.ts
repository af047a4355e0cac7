import type { Volume } from '#api/generated/core-v1.ts';
import type { Finding } from '#api/validation/check.ts';

/** How one kind of source is checked; the volume has it. */
export interface SourceRule {
  readonly name: keyof Volume;
  readonly validate: (volume: Volume, found: Finding) => void;
}

export function sourceRule<K extends keyof Volume>(
  name: K,
  validate: (source: NonNullable<Volume[K]>, found: Finding) => void,
  shownAs: string = name,
): SourceRule {
  return {
    name,
    validate: (volume, found) => {
      const source = volume[name];
      if (source !== undefined && source !== null) validate(source, found.child(shownAs));
    },
  };
}
