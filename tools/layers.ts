/** Who may import whom. The only statement of the architecture that cannot go stale, because `layers.test.ts` reads it. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  host: ['wire', 'lib'],
  wire: ['lib'],
  api: ['lib'],
  store: ['wire', 'lib'],
  cri: ['wire', 'lib'],
  client: ['wire', 'api', 'lib'],
  server: ['store', 'wire', 'api', 'lib'],
  scheduler: ['client', 'api', 'lib'],
  controllers: ['client', 'api', 'lib'],
  network: ['host', 'client', 'api', 'lib'],
  kubelet: ['cri', 'host', 'wire', 'client', 'api', 'lib'],
  dashboard: ['client', 'api', 'lib'],
  cli: ['client', 'api', 'lib'],
  main: ['*'],
};

/** Layers that also run in a browser or an embedding test, so no `node:` module may appear in them. */
export const withoutNode: readonly string[] = ['lib', 'api'];
