import { existsSync, readFileSync } from 'node:fs';
import { createClient } from '#client/api-client.ts';
import type { Client } from '#client/client.ts';
import { readKubeconfig, transportTo } from '#client/kubeconfig.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { UserError } from '#cli/user-error.ts';

/** A client of a cluster that runs in another process, by the kubeconfig in its data directory. */
export async function clientOf(paths: ClusterPaths): Promise<Client> {
  if (!existsSync(paths.kubeconfig))
    throw new UserError(`there is no cluster ${paths.name} yet: \`peapod up\` makes one`);
  return createClient(transportTo(await readKubeconfig(paths.kubeconfig)));
}

export function readKubeconfigText(paths: ClusterPaths): string {
  if (!existsSync(paths.kubeconfig))
    throw new UserError(`there is no cluster ${paths.name} yet: \`peapod up\` makes one`);
  return readFileSync(paths.kubeconfig, 'utf8');
}
