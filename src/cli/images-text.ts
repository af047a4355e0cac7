interface ImageFacts {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly sizeBytes: number;
}

/** A table as `crictl images` prints it: a line a name. */
export function imagesText(images: readonly ImageFacts[]): string {
  const rows = images
    .flatMap(({ id, repoTags, sizeBytes }) =>
      (repoTags.length > 0 ? repoTags : ['<none>']).map((tag) => [tag, shortId(id), megabytes(sizeBytes)] as const),
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const all = [['IMAGE', 'ID', 'SIZE'] as const, ...rows];
  const width = (column: 0 | 1): number => Math.max(...all.map((row) => row[column].length));
  return all.map(([name, id, size]) => `${name.padEnd(width(0))}   ${id.padEnd(width(1))}   ${size}`).join('\n');
}

const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
