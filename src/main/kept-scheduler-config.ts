import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterPaths } from '#host/data-dir.ts';
import { defaultProfile, type Profile } from '#scheduler/profile.ts';

/** Notes what the cluster's scheduler is configured with, for commands that explain its decisions. undefined: nothing. */
export function keepSchedulerConfig(paths: ClusterPaths, file: string | undefined): void {
  const kept = keptConfig(paths);
  if (file === undefined) rmSync(kept, { force: true });
  else copyFileSync(file, kept);
}

/** How the scheduler of a cluster decides that runs in another process. */
export async function keptProfiles(paths: ClusterPaths): Promise<readonly Profile[]> {
  const kept = keptConfig(paths);
  return existsSync(kept) ? profilesIn(kept) : [defaultProfile()];
}

/** How one with this KubeSchedulerConfiguration does. */
export async function profilesIn(file: string): Promise<readonly Profile[]> {
  const { readSchedulerConfig } = await import('#main/scheduler-config.ts');
  const { profiles } = await readSchedulerConfig(file);
  return profiles;
}

const keptConfig = ({ data }: ClusterPaths): string => join(data, 'scheduler.yaml');
