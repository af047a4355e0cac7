import type { KubeObject } from '#api/meta.ts';

/** One column of a Table, as kubectl prints it. `priority` above 0 is shown by `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date' | 'number';
  readonly format?: string;
  readonly description: string;
  readonly priority: number;
  readonly value: (object: KubeObject, now: number) => Cell;
}

export type Cell = string | number | boolean | null | readonly string[];
