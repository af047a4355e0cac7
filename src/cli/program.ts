import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import {
  aboutCluster,
  AnsweredError,
  choice,
  collected,
  type Context,
  globalOf,
  messageOf,
  outputOption,
  plain,
  refuseMissing,
  type Selected,
  type Streams,
  strict,
  UsageError,
} from '#cli/command-parts.ts';
import { type Commands, DEFAULT_GRACE_SECONDS, imageChoices, type Output, type UpRequest } from '#cli/commands.ts';
import { addSimulate, addWhy } from '#cli/explaining-commands.ts';
import { helpTexts } from '#cli/help-texts.ts';
import {
  parseCrashLoopDelay,
  parseGrace,
  parseLogFiles,
  parseMirror,
  parseNodes,
  parseNodeGrace,
  parsePort,
  parseRuntime,
  parseSimulatedNodes,
  parseSize,
  parseSysctls,
} from '#cli/option-values.ts';
import { UserError } from '#cli/user-error.ts';

/**
 * The command line of `peapod`: what can be asked for, and what is said of it.
 *
 * Exit codes: what the command gives; 1 with one line `peapod: …` on standard error when it fails; 2, and where to
 * read on, when it was asked for wrongly. Help and the version go to standard output and are 0.
 */
export interface Program {
  /** `argv` without the interpreter and the script. Never rejects. */
  run(argv: readonly string[]): Promise<number>;
}

const standardStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

export function createProgram(commands: Commands, streams: Streams = standardStreams): Program {
  return {
    async run(argv) {
      let exitCode = 0;
      const done = (code: number): void => void (exitCode = code);
      try {
        const program = withCommands(new Command('peapod'), { commands, streams, argv, done });
        await program.parseAsync(argv, { from: 'user' });
        return exitCode;
      } catch (error) {
        return told(error, streams);
      }
    },
  };
}

function told(error: unknown, { err }: Streams): number {
  if (error instanceof AnsweredError) return 0;
  if (error instanceof UsageError) {
    err(`peapod: ${error.message} (see \`${error.command} --help\`)\n`);
    return 2;
  }
  err(`peapod: ${messageOf(error)}\n`);
  return error instanceof UserError ? error.exitCode : 1;
}

function withCommands(program: Command, context: Context): Command {
  program.version(version(), '-V, --version', 'print the version').usage('COMMAND [OPTIONS]');
  strict(program, 'peapod', context).addHelpText('after', helpTexts.peapod);
  program.description('Runs Kubernetes pods on this machine, as real containers.');
  program.helpCommand('help [command]', 'tell of a command');
  addUp(program, context);
  addDown(program, context);
  addStatus(program, context);
  addWhy(program, context);
  addSimulate(program, context);
  addKubeconfig(program, context);
  addNode(program, context);
  addImage(program, context);
  plain(program, 'version', context)
    .description('print the version')
    .action(() => context.streams.out(`${version()}\n`));
  return program;
}

function addUp(program: Command, context: Context): void {
  const { commands, done } = context;
  aboutCluster(program, 'up', context)
    .description('start a cluster, or with -f apply manifests to the one that runs')
    .option('-f, --filename <FILE|DIR>', 'manifests to apply, - for standard input; may be repeated', collected)
    .option('--port <PORT>', 'of the API server (default: the one before, else 6443)', parsePort)
    .option('--nodes <COUNT>', 'each a host of its own when there are several (default: as before, else 1)', parseNodes)
    .option(
      '--simulated-nodes <COUNT>',
      "nodes without containers, in peapod's own process (default: as before, else 0)",
      parseSimulatedNodes,
    )
    .option('--config <FILE>', "the cluster's nodes with labels, taints and capacity; address ranges, mirrors")
    .addOption(runtimeOption(program))
    .option('--registry-mirror <URL>', 'where to ask for the images of docker.io first', parseMirror)
    .addOption(choice(program, '--images <SOURCE>', 'where images come from', imageChoices))
    .option('--crash-loop-max-delay <TIME>', 'longest wait before a restart, 1s to 5m', parseCrashLoopDelay)
    .option(
      '--node-monitor-grace-period <TIME>',
      'silence of a node until it is not Ready (default: 50s)',
      parseNodeGrace,
    )
    .option('--log-max-size <SIZE>', 'of a container, before it is put aside (default: 10Mi)', parseSize)
    .option('--log-max-files <COUNT>', 'of a container (default: 5)', parseLogFiles)
    .option('--static-pods <DIR>', "manifests of the node's own pods (default: manifests/ in the data directory)")
    .option(
      '--allowed-unsafe-sysctls <LIST>',
      'kernel parameters that pods may set besides the safe ones',
      parseSysctls,
    )
    .option('--scheduler-config <FILE>', 'a KubeSchedulerConfiguration: profiles, plugins and their arguments')
    .option('--detach', 'return once the node is Ready, and leave the cluster running')
    .addHelpText('after', helpTexts.up)
    .action(async (options: SelectedUp) => {
      const { filename: files = [], port, runtime, registryMirror, images, detach = false } = options;
      const { staticPods, schedulerConfig, config: clusterFile } = options;
      for (const file of [...files, staticPods, schedulerConfig, clusterFile])
        if (file !== undefined) refuseMissing(file);
      if (detach && files.includes('-')) {
        throw new UsageError('-f - and --detach: a cluster in the background cannot read this input', 'peapod up');
      }
      const node = {
        nodeMonitorGraceMs: options.nodeMonitorGracePeriod,
        crashLoopMaxDelayMs: options.crashLoopMaxDelay,
        logMaxBytes: options.logMaxSize,
        logMaxFiles: options.logMaxFiles,
      };
      const { allowedUnsafeSysctls = [] } = options;
      if (clusterFile !== undefined && options.nodes !== undefined)
        throw new UsageError('--config and --nodes: the file says which nodes there are', 'peapod up');
      const shape = { nodes: options.nodes, simulatedNodes: options.simulatedNodes };
      const own = { staticPods, schedulerConfig, clusterFile, allowedUnsafeSysctls, shape };
      done(
        await commands.up(globalOf(options), { files, port, runtime, registryMirror, images, detach, node, ...own }),
      );
    });
}

/** Options that nobody gave are missing. */
type SelectedUp = Selected &
  Pick<UpRequest, 'runtime' | 'images'> &
  Partial<
    Pick<UpRequest, 'port' | 'registryMirror' | 'detach' | 'staticPods' | 'schedulerConfig' | 'allowedUnsafeSysctls'>
  > & {
    readonly filename?: readonly string[];
    readonly nodes?: number;
    readonly simulatedNodes?: number;
    readonly config?: string;
    readonly crashLoopMaxDelay?: number;
    readonly nodeMonitorGracePeriod?: number;
    readonly logMaxSize?: number;
    readonly logMaxFiles?: number;
  };

function addDown(program: Command, context: Context): void {
  aboutCluster(program, 'down', context)
    .description('stop a cluster: its containers, mounts, links and rules go')
    .option('--purge', 'forget its data too')
    .addOption(
      new Option('--grace-period <SECONDS>', 'how long containers may take to end, at most')
        .argParser(parseGrace)
        .default(DEFAULT_GRACE_SECONDS),
    )
    .addHelpText('after', helpTexts.down)
    .action(async (options: Selected & { readonly purge?: boolean; readonly gracePeriod: number }) => {
      const { purge = false, gracePeriod: graceSeconds } = options;
      context.done(await context.commands.down(globalOf(options), { purge, graceSeconds }));
    });
}

function addStatus(program: Command, context: Context): void {
  const command = aboutCluster(program, 'status', context).description('say whether and how a cluster runs');
  command
    .addOption(outputOption(command))
    .addHelpText('after', helpTexts.status)
    .action(async (options: Selected & { readonly output: Output }) => {
      context.done(await context.commands.status(globalOf(options), { output: options.output }));
    });
}

function addKubeconfig(program: Command, context: Context): void {
  aboutCluster(program, 'kubeconfig', context)
    .description('print the kubeconfig with which kubectl reaches a cluster')
    .addHelpText('after', helpTexts.kubeconfig)
    .action(async (options: Selected) => context.done(await context.commands.kubeconfig(globalOf(options))));
}

function addNode(program: Command, context: Context): void {
  const { commands, done } = context;
  const node = plain(program, 'node', context)
    .description('try what happens when a node of several fails')
    .usage('COMMAND [OPTIONS]')
    .helpCommand(false)
    .addHelpText('after', helpTexts.node);
  const told = {
    stop: 'switch a node off, as if its plug was pulled',
    start: 'switch it on again, and wait until it is Ready',
    partition: 'cut a node off from the others and from the API',
    heal: 'join it to them again',
  } as const;
  for (const action of ['stop', 'start', 'partition', 'heal'] as const) {
    aboutCluster(node, action, context)
      .description(told[action])
      .argument('<NODE>', 'its name')
      .action(async (name: string, options: Selected) =>
        done(await commands.node(globalOf(options), { action, node: name })),
      );
  }
}

function addImage(program: Command, context: Context): void {
  const { commands, done } = context;
  const image = plain(program, 'image', context)
    .description("see to the images of a cluster's runtime")
    .usage('COMMAND [OPTIONS]')
    .helpCommand(false)
    .addHelpText('after', helpTexts.image);
  aboutCluster(image, 'load', context)
    .description('put the images of an archive (docker save, skopeo copy) into the runtime')
    .argument('<FILE>', 'the archive')
    .action(async (file: string, options: Selected) => {
      refuseMissing(file);
      done(await commands.imageLoad(globalOf(options), { file }));
    });
  aboutCluster(image, 'pull', context)
    .description('pull an image, as a pod would')
    .argument('<NAME>', 'of the image')
    .action(async (name: string, options: Selected) => done(await commands.imagePull(globalOf(options), { name })));
  const list = aboutCluster(image, 'list', context).description('list the images in the runtime');
  list
    .addOption(outputOption(list))
    .action(async (options: Selected & { readonly output: Output }) =>
      done(await commands.imageList(globalOf(options), { output: options.output })),
    );
}

const runtimeOption = (command: Command): ReturnType<Command['createOption']> =>
  command
    .createOption('--runtime <RUNTIME>', 'containerd, simulated or unix:///SOCKET of another')
    .default({ kind: 'containerd' }, 'containerd')
    .argParser(parseRuntime);

function version(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  const found: unknown = JSON.parse(text);
  const known = typeof found === 'object' && found !== null && 'version' in found ? found.version : undefined;
  return typeof known === 'string' ? known : 'unknown';
}
