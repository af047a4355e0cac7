/** Gets what containers write, by the absolute path of their log. */
export interface SimulatedLog {
  /** A container has started. */
  opened(path: string): void;
  wrote(path: string, line: { readonly at: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }): void;
}
