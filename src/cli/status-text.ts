/** The facts of `peapod status -o json`, as far as people are told of them. */
export interface StatusFacts {
  readonly pid: number;
  readonly api: string;
  readonly nodes: readonly { readonly name: string; readonly ready: boolean }[];
  readonly simulatedNodes: { readonly count: number; readonly ready: number };
  readonly runtime: string;
  readonly images: { readonly mode: string; readonly why: string; readonly registry: string | null };
  readonly dataDir: string;
}

/** Several lines, without a line break at the end. */
export function statusText({ pid, api, nodes, simulatedNodes, runtime, images, dataDir }: StatusFacts): string {
  const rows = [
    ['API server', `${api} (pid ${pid})`],
    ...nodes.map(({ name, ready }) => ['node', `${name} ${ready ? 'Ready' : 'NotReady'}`]),
    ...(simulatedNodes.count === 0
      ? []
      : [['simulated', `${simulatedNodes.count} nodes, ${simulatedNodes.ready} Ready`]]),
    ['runtime', runtime],
    ['images', `${sources[images.mode] ?? images.mode}: ${images.why}`],
    ...(images.registry === null ? [] : [['registry', images.registry]]),
    ['data', dataDir],
    ['kubeconfig', `${dataDir}/kubeconfig`],
  ] as const;
  const width = Math.max(...rows.map(([name]) => name!.length));
  return rows.map(([name, value]) => `${name!.padEnd(width)}   ${value}`).join('\n');
}

const sources: Readonly<Record<string, string>> = {
  hub: 'from where their names say',
  kit: 'from the image kit',
};
