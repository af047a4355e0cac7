import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A file whose contents become standard input. */
  readonly input?: Uint8Array;
}

/**
 * Runs a command to its end and returns its standard output. Throws with the last of what it said when it fails; kills
 * it (SIGKILL) when `signal` aborts.
 */
export function run(command: readonly string[], options: RunOptions, signal: AbortSignal): Promise<string> {
  const [program = '', ...args] = command;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const env = { ...process.env, LC_ALL: 'C.UTF-8', ...options.env };
  const child = spawn(program, args, { env, signal, killSignal: 'SIGKILL' });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk));
  child.on('error', (error) =>
    reject(signal.aborted ? signal.reason : new Error(`running ${program} failed`, { cause: error })),
  );
  child.on('close', (code, killedBy) => {
    if (code === 0) resolve(output);
    else
      reject(
        new Error(`${command.join(' ')} ended with ${killedBy ?? code}: ${(complaints || output).trim().slice(-500)}`),
      );
  });
  // A command that ends without reading its input is judged by its exit code, not by the broken pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  return promise;
}
