import type { KubeObject } from '#api/meta.ts';
import type { Stored } from '#server/cache/stored.ts';
import type { Descriptor } from '#server/descriptor.ts';

/** What a request to the registry comes to. */
export type Outcome =
  /** An object as it is kept now (or was, when it has just gone): its text is at hand. */
  | {
      readonly kind: 'stored';
      readonly code: 200 | 201 | 202;
      readonly descriptor: Descriptor;
      readonly stored: Stored;
    }
  /** What is kept nowhere: the result of a dry run. */
  | { readonly kind: 'object'; readonly code: 200 | 201; readonly descriptor: Descriptor; readonly object: KubeObject }
  /** A Status, a review, a token: not of the resource's own kind. */
  | { readonly kind: 'value'; readonly code: number; readonly value: object };
