/** What `bin/peapod` runs. Each command's code is loaded when it is asked for: `--help` should not open a database. */
// Before the commands' own modules, which come by dynamic imports.
import '#main/fast-imports.ts';
import type { Commands, Global } from '#cli/commands.ts';
import { createProgram } from '#cli/program.ts';
import { standardTerminal } from '#cli/terminal.ts';
import { UserError } from '#cli/user-error.ts';
import { clusterPathsHere, type ClusterPaths, DataDirError } from '#host/data-dir.ts';

const terminal = standardTerminal(process.stdout);

function pathsOf({ name, dataDir }: Global): ClusterPaths {
  try {
    return clusterPathsHere(name, dataDir);
  } catch (error) {
    if (error instanceof DataDirError) throw new UserError(error.message, { cause: error });
    throw error;
  }
}

const commands: Commands = {
  async up(global, options) {
    const { up } = await import('#main/up.ts');
    return up(pathsOf(global), { ...options, argv: process.argv.slice(2) }, terminal);
  },
  async down(global, options) {
    const { down } = await import('#main/down.ts');
    return down(pathsOf(global), options, terminal);
  },
  async status(global, { output }) {
    const [{ statusOf }, { statusText }] = await Promise.all([
      import('#main/status.ts'),
      import('#cli/status-text.ts'),
    ]);
    const status = await statusOf(pathsOf(global));
    terminal.line(output === 'json' ? JSON.stringify(status) : statusText(status));
    return 0;
  },
  async why(global, request) {
    const { whyCommand } = await import('#main/why.ts');
    for (const line of await whyCommand(pathsOf(global), request, terminal)) terminal.line(line);
    return 0;
  },
  async simulate(global, request) {
    const { simulateCommand } = await import('#main/simulate.ts');
    return simulateCommand(pathsOf(global), request, terminal);
  },
  async kubeconfig(global) {
    const { readKubeconfigText } = await import('#main/access.ts');
    process.stdout.write(readKubeconfigText(pathsOf(global)));
    return 0;
  },
  async node(global, command) {
    const { nodeCommand } = await import('#main/node-command.ts');
    return nodeCommand(pathsOf(global), command, terminal);
  },
  async imageLoad(global, { file }) {
    const { loadImages } = await import('#main/image-commands.ts');
    for (const name of await loadImages(pathsOf(global), file)) terminal.line(`loaded ${name}`);
    return 0;
  },
  async imagePull(global, { name }) {
    const { pullImage } = await import('#main/image-commands.ts');
    terminal.line(`pulled ${name}: ${await pullImage(pathsOf(global), name)}`);
    return 0;
  },
  async imageList(global, { output }) {
    const [{ listImages }, { imagesText }] = await Promise.all([
      import('#main/image-commands.ts'),
      import('#cli/images-text.ts'),
    ]);
    const images = await listImages(pathsOf(global));
    terminal.line(output === 'json' ? JSON.stringify(images) : imagesText(images));
    return 0;
  },
};

// Whoever reads our words may stop listening (`peapod status | head -1`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await createProgram(commands).run(process.argv.slice(2));
