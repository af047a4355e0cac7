import type { Simulation } from '#api/peapod/simulation.ts';
import { ensureNamespaces } from '#cli/cluster-files.ts';
import type { SimulateRequest } from '#cli/commands.ts';
import { readManifests } from '#cli/manifests.ts';
import { simulatedPods } from '#cli/simulated-pods.ts';
import { simulationText } from '#cli/simulation-text.ts';
import type { Terminal } from '#cli/terminal.ts';
import type { Client } from '#client/client.ts';
import type { ClusterPaths } from '#host/data-dir.ts';
import { realClock } from '#lib/clock.ts';
import { withClient } from '#main/access.ts';
import { withFileCluster } from '#main/file-cluster.ts';
import { keptProfiles, profilesIn } from '#main/kept-scheduler-config.ts';
import { readCluster } from '#scheduler/explain/read-cluster.ts';
import { replicasOf, simulate } from '#scheduler/explain/simulate.ts';
import { defaultProfile, type Profile } from '#scheduler/profile.ts';

/** Files of many thousand objects take their time. */
const ANSWER_WITHIN_MS = 300_000;

/** `peapod simulate`: tells where pods would go, and gives the exit code. */
export async function simulateCommand(
  paths: ClusterPaths,
  request: SimulateRequest,
  terminal: Pick<Terminal, 'line' | 'style'>,
): Promise<number> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const { files, nodes, output, schedulerConfig } = request;
  const manifests = await readManifests(files);
  const isFile = nodes.length > 0;
  const own = schedulerConfig === undefined ? undefined : await profilesIn(schedulerConfig);
  const profiles = own ?? (isFile ? [defaultProfile()] : await keptProfiles(paths));
  const work = async (client: Client): Promise<Simulation> => {
    // In a cluster of files nobody minds: `up -f` would make them too.
    if (isFile) await ensureNamespaces(client, manifests.manifests.flatMap(namespaceOf), signal);
    const wanted = await simulatedPods(client, manifests, signal);
    return simulated(
      client,
      wanted.flatMap(({ pod, replicas }) => replicasOf(pod, request.replicas ?? replicas)),
      profiles,
      signal,
    );
  };
  const simulation = isFile ? await withFileCluster(nodes, work, signal) : await withClient(paths, work);
  const lines = output === 'json' ? [JSON.stringify(simulation)] : simulationText(simulation, terminal.style);
  for (const line of lines) terminal.line(line);
  return simulation.fits ? 0 : 1;
}

async function simulated(
  client: Client,
  pods: Parameters<typeof simulate>[0],
  profiles: readonly Profile[],
  signal: AbortSignal,
): Promise<Simulation> {
  const known = await readCluster(client, profiles, {}, signal);
  return simulate(pods, { ...known, profiles, now: realClock.now() });
}

const namespaceOf = ({ object }: { readonly object: { readonly metadata: { readonly namespace?: string } } }) =>
  object.metadata.namespace ?? [];
