import { existsSync } from 'node:fs';
import { inspect } from 'node:util';
import type { Command, CommanderError } from 'commander';
import type { Commands, Global } from '#cli/commands.ts';
import { UserError } from '#cli/user-error.ts';

/** What the commands of the command line are made of. */

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Wrong usage, and of which command. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly command: string;

  constructor(message: string, command: string, options?: ErrorOptions) {
    super(message, options);
    this.command = command;
  }
}

/** Help or a version was asked for, and given. */
export class AnsweredError extends Error {
  override readonly name = 'AnsweredError';
}

export interface Context {
  readonly commands: Commands;
  readonly streams: Streams;
  readonly argv: readonly string[];
  readonly done: (exitCode: number) => void;
}

/** What commander hands on of the options that every command has. */
export interface Selected {
  readonly name: string;
  readonly dataDir?: string;
}

export const globalOf = ({ name, dataDir }: Selected): Global => ({ name, dataDir });
export const collected = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];

export const aboutCluster = (parent: Command, name: string, context: Context): Command =>
  plain(parent, name, context)
    .option('--name <NAME>', 'of the cluster', 'peapod')
    .option('--data-dir <DIR>', 'where the cluster keeps its data');

export function plain(parent: Command, name: string, context: Context): Command {
  const command = parent.command(name);
  const path = parent.name() === 'peapod' ? `peapod ${name}` : `peapod ${parent.name()} ${name}`;
  return strict(command, path, context);
}

/** Every way in which commander would end the process becomes an error of ours. */
export function strict(command: Command, path: string, { argv, streams: { out } }: Context): Command {
  return command
    .helpOption('-h, --help', 'tell of this command')
    .configureOutput({ writeOut: out, writeErr: () => {} })
    .exitOverride((error: CommanderError) => {
      if (error.exitCode === 0) throw new AnsweredError(error.message, { cause: error });
      const message = error.code === 'commander.help' ? unanswered(argv) : messageOf(error).replace(/^error: /, '');
      throw new UsageError(message, path, { cause: error });
    });
}

/** Commander's way to say either is to print its help. */
const unanswered = ([first, ...others]: readonly string[]): string =>
  first === 'help' ? `unknown command '${others.join(' ')}'` : 'a command is missing';

export const outputOption = (command: Command): ReturnType<Command['createOption']> =>
  choice(command, '-o, --output <FORMAT>', 'how to print it', ['text', 'json']);

/** The first choice is the default. */
export const choice = (
  command: Command,
  flags: string,
  description: string,
  choices: readonly string[],
): ReturnType<Command['createOption']> => command.createOption(flags, description).choices(choices).default(choices[0]);

export function refuseMissing(path: string): void {
  if (path !== '-' && !existsSync(path)) throw new UserError(`the path ${JSON.stringify(path)} does not exist`);
}

/** In one line, with the causes that say more. What is meant for people is left as it was put: it may show a place in a file. */
export function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message.trim();
  const messages: string[] = [];
  for (let at = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    const message = (at instanceof Error ? at.message || at.name : inspect(at)).trim().replaceAll(/\s*\n\s*/g, ' ');
    if (!messages.some((known) => known.includes(message))) messages.push(message);
    // What is meant for people is whole: its cause is for those who look into it.
    if (at instanceof UserError) break;
  }
  return messages.join(': ');
}
