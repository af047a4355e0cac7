/** What a layer will hold, as values: nothing is written, owned or linked on disk, so no root is needed to make one. */

interface Owned {
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type TreeEntry =
  | ({ readonly kind: 'directory' } & Owned)
  | ({ readonly kind: 'file'; readonly content: FileContent } & Owned)
  | { readonly kind: 'symlink'; readonly target: string };

/** Small files as bytes, large ones by their place on disk and how much of them counts (from the start, bytes). */
export type FileContent = Uint8Array | { readonly path: string; readonly size: number };

/** Paths are relative to the image's root, usr-merged: `usr/bin/sh`. */
export class Tree {
  readonly #entries = new Map<string, TreeEntry>();

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  get(path: string): TreeEntry | undefined {
    return this.#entries.get(path);
  }

  directory(path: string, owner: Partial<Owned> = {}): this {
    return this.#set(path, { kind: 'directory', mode: 0o755, uid: 0, gid: 0, ...owner });
  }

  file(path: string, content: FileContent | string, owner: Partial<Owned> = {}): this {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    return this.#set(path, { kind: 'file', content: bytes, mode: 0o644, uid: 0, gid: 0, ...owner });
  }

  symlink(path: string, target: string): this {
    return this.#set(path, { kind: 'symlink', target });
  }

  /** In the order of an archive: parents before children, otherwise by name, so that equal trees give equal bytes. */
  entries(): readonly (readonly [path: string, entry: TreeEntry])[] {
    return [...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  #set(path: string, entry: TreeEntry): this {
    const cut = path.lastIndexOf('/');
    if (cut > 0 && !this.#entries.has(path.slice(0, cut))) this.directory(path.slice(0, cut));
    this.#entries.set(path, entry);
    return this;
  }
}

/** Debian's packages still say /bin and /lib in places; images here have them under /usr, with links from the root. */
export function usrMerged(path: string): string {
  const relative = path.replace(/^(\.?\/)+/, '');
  return /^(bin|sbin|lib|lib64)\//.test(relative) ? `usr/${relative}` : relative;
}
