/**
 * testserver: a program that does what a test tells it to. Output is one line an event, on standard output.
 *
 *   testserver serve [--http 8080] [--https 8443] [--tcp 7000] [--grpc 9090]   ports; 0 leaves one out
 *                    [--off NAME]...              toggles that start off (see below)
 *                    [--on-after DURATION]        then turn these on
 *   testserver wait                               serve nothing, live until told to end
 *   testserver exit [--code N] [--after DURATION]
 *   testserver allocate MIB [--step MIB] [--every DURATION]   hold memory, then live on
 *   testserver env [NAME]...                      print the environment as NAME=VALUE, sorted, and exit
 *   testserver args [ARG]...                      print the arguments one a line, and exit
 *
 * Those that live on (serve, wait, allocate) also take
 *
 *   [--ignore SIGNAL]...  [--end-after DURATION]  how a signal to end (SIGTERM, SIGINT, SIGQUIT) is met
 *   [--exit-code N]                               with what code it then ends; default 0
 *   [--signal-log FILE]                           signals are appended to it as well as printed: `SIGTERM 2026-…Z`
 *   [--exit-after DURATION]                       end by itself
 *
 * A DURATION is `250ms`, `2s`, `1m`. What the HTTP server offers is listed in http.ts. A toggle is a name that is on
 * until it is turned off: `ready` also answers gRPC health checks of the service "", any other name those of its own.
 * Exit code 64: wrong usage.
 */
import { type Command, parseArguments } from '#images/testserver/server/arguments.ts';
import { Journal } from '#images/testserver/server/journal.ts';
import { allocate } from '#images/testserver/server/memory.ts';
import { serve } from '#images/testserver/server/serve.ts';
import { obeySignals } from '#images/testserver/server/signals.ts';

async function run(command: Command): Promise<void> {
  switch (command.kind) {
    case 'wrong':
      console.error(`testserver: ${command.why}`);
      process.exitCode = 64;
      return;
    case 'env':
      for (const name of command.names.length > 0 ? command.names : Object.keys(process.env).toSorted())
        console.log(`${name}=${process.env[name] ?? ''}`);
      return;
    case 'args':
      for (const each of command.args) console.log(each);
      return;
    case 'exit':
      setTimeout(() => process.exit(command.code), command.afterMs);
      return;
    case 'wait':
    case 'allocate':
    case 'serve':
      await live(command);
  }
}

async function live(command: Extract<Command, { readonly life: unknown }>): Promise<void> {
  const journal = new Journal(command.life.signalLog);
  obeySignals(command.life, journal);
  if (command.life.exitAfterMs !== undefined)
    setTimeout(() => process.exit(command.life.exitCode), command.life.exitAfterMs);
  // A timer of its own keeps a program alive that has nothing else to do.
  setInterval(() => undefined, 1 << 30);
  if (command.kind === 'allocate') await allocate(command, journal);
  if (command.kind === 'serve') await serve(command, journal);
}

await run(parseArguments(process.argv.slice(2))).catch((error: unknown) => {
  console.error(`testserver: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
