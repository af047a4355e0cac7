import { existsSync, readFileSync } from 'node:fs';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { readKubeconfig, transportTo } from '#client/kubeconfig.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { UserError } from '#cli/user-error.ts';

/**
 * Lends a client of a cluster that runs in another process, by the kubeconfig in its data directory. Its connection
 * ends with `work`: an open one would keep this process from ending.
 */
export async function withClient<T>(paths: ClusterPaths, work: (client: Client) => Promise<T>): Promise<T> {
  if (!existsSync(paths.kubeconfig))
    throw new UserError(`there is no cluster ${paths.name} yet: \`peapod up\` makes one`);
  using transport = transportTo(await readKubeconfig(paths.kubeconfig));
  return await work(createClient(transport));
}

export function readKubeconfigText(paths: ClusterPaths): string {
  if (!existsSync(paths.kubeconfig))
    throw new UserError(`there is no cluster ${paths.name} yet: \`peapod up\` makes one`);
  return readFileSync(paths.kubeconfig, 'utf8');
}
