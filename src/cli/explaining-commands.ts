import type { Command } from 'commander';
import {
  aboutCluster,
  collected,
  type Context,
  globalOf,
  messageOf,
  outputOption,
  refuseMissing,
  type Selected,
  UsageError,
} from '#cli/command-parts.ts';
import type { Output, WhyRequest } from '#cli/commands.ts';
import { helpTexts } from '#cli/help-texts.ts';
import { parsePod, parseReplicas } from '#cli/option-values.ts';

/** The commands that explain: what they take, and what is made of it. */

export function addWhy(program: Command, context: Context): void {
  const command = aboutCluster(program, 'why', context).description(
    'say why a pod is not ready, and what has happened to it',
  );
  command
    .argument('[POD]', 'NAME, pod/NAME or NAMESPACE/NAME; without it, every pod that is not ready')
    .option('-n, --namespace <NAMESPACE>', 'of the pod (default: default; without POD: all)')
    .option('-A, --all-namespaces', 'wherever it is')
    .option('--node <NODE>', 'what each plugin of the scheduler says of this node for the pod')
    .addOption(outputOption(command))
    .addHelpText('after', helpTexts.why)
    .action(async (text: string | undefined, options: SelectedWhy) => {
      context.done(await context.commands.why(globalOf(options), whyRequest(text, options)));
    });
}

type SelectedWhy = Selected & {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly node?: string;
  readonly output: Output;
};

function whyRequest(text: string | undefined, options: SelectedWhy): WhyRequest {
  const { namespace, allNamespaces = false, node, output } = options;
  if (allNamespaces && namespace !== undefined) throw new UsageError('-n and -A: one of them', 'peapod why');
  if (text === undefined && node !== undefined) throw new UsageError('--node: for which POD?', 'peapod why');
  if (text === undefined) return { pod: undefined, namespace, node, output };
  const { name, namespace: own } = podOf(text);
  if (own !== undefined && (allNamespaces || (namespace ?? own) !== own))
    throw new UsageError(`${text} names a namespace, and so does ${allNamespaces ? '-A' : '-n'}`, 'peapod why');
  return { pod: name, namespace: allNamespaces ? undefined : (own ?? namespace ?? 'default'), node, output };
}

function podOf(text: string): ReturnType<typeof parsePod> {
  try {
    return parsePod(text);
  } catch (error) {
    throw new UsageError(`'${text}' is no pod. ${messageOf(error)}`, 'peapod why', { cause: error });
  }
}

export function addSimulate(program: Command, context: Context): void {
  const command = aboutCluster(program, 'simulate', context).description(
    'say where pods would go, and why not, without creating them',
  );
  command
    .requiredOption('-f, --filename <FILE|DIR>', 'manifests of pods, - for standard input; may be repeated', collected)
    .option('--replicas <COUNT>', 'of each pod (default: as many as its manifest asks for)', parseReplicas)
    .option('--nodes <FILE|DIR>', 'manifests of a cluster to place them on, instead of the one that runs', collected)
    .option('--scheduler-config <FILE>', 'a KubeSchedulerConfiguration (default: what the cluster was started with)')
    .addOption(outputOption(command))
    .addHelpText('after', helpTexts.simulate)
    .action(async (options: SelectedSimulate) => {
      const { filename: files, nodes = [], replicas, schedulerConfig, output } = options;
      for (const file of [...files, ...nodes, schedulerConfig]) if (file !== undefined) refuseMissing(file);
      if (files.includes('-') && nodes.includes('-'))
        throw new UsageError('-f - and --nodes -: one of them reads standard input', 'peapod simulate');
      const request = { files, replicas, nodes, schedulerConfig, output };
      context.done(await context.commands.simulate(globalOf(options), request));
    });
}

type SelectedSimulate = Selected & {
  readonly filename: readonly string[];
  readonly replicas?: number;
  readonly nodes?: readonly string[];
  readonly schedulerConfig?: string;
  readonly output: Output;
};
