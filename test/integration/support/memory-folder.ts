import type { ManifestFile, ManifestFolder } from '#kubelet/static-pods/manifest-folder.ts';

/** A folder of manifests without a disk. */
export class MemoryFolder implements ManifestFolder {
  readonly #files = new Map<string, ManifestFile>();
  readonly #watchers = new Set<() => void>();
  #modifiedAt = Date.parse('2026-01-01T00:00:00Z');

  write(name: string, manifest: object | string): void {
    const path = `/manifests/${name}`;
    const text = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    this.#modifiedAt += 1000;
    this.#files.set(path, { path, modifiedAt: this.#modifiedAt, text });
    for (const changed of this.#watchers) changed();
  }

  remove(name: string): void {
    this.#files.delete(`/manifests/${name}`);
    for (const changed of this.#watchers) changed();
  }

  async read(): Promise<readonly ManifestFile[]> {
    return [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  watch(changed: () => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => this.#watchers.delete(changed) };
  }
}
