import { readFileSync } from 'node:fs';
import { manifestYaml } from '#api/yaml-dialect.ts';
import { UserError } from '#cli/user-error.ts';
import {
  readSchedulerConfiguration,
  type SchedulerConfiguration,
  SchedulerConfigurationError,
} from '#scheduler/config/scheduler-configuration.ts';

/** A KubeSchedulerConfiguration in YAML or JSON. Throws UserError, a line for each thing that is wrong with it. */
export async function readSchedulerConfig(file: string): Promise<SchedulerConfiguration> {
  const { parse } = await import('yaml');
  try {
    return readSchedulerConfiguration(parse(readFileSync(file, 'utf8'), manifestYaml));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const problems = error instanceof SchedulerConfigurationError ? error.problems : [error.message.trim()];
    throw new UserError(problems.map((problem) => `${file}: ${problem}`).join('\npeapod: '), { cause: error });
  }
}
