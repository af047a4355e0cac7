import { spawn } from 'node:child_process';

export interface RunOptions {
  /** Written to the command's standard input, which is empty otherwise. */
  readonly input?: string;
  /** The command is killed after this long. Ten seconds unless told otherwise: none of ours takes one. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

/** A command that could not be run, failed or took too long; the message quotes the command and what it said. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly kind: 'not-found' | 'failed' | 'timed-out';
  readonly stderr: string;
  constructor(kind: CommandError['kind'], message: string, stderr = '') {
    super(message);
    this.kind = kind;
    this.stderr = stderr;
  }
}

const DEFAULT_TIMEOUT_MS = 10_000;
// Enough for the largest `ip -j` of a busy host; beyond it the command is not what we think it is.
const LARGEST_OUTPUT = 64 << 20;

/**
 * Runs a short command and returns what it wrote to stdout. Throws CommandError; rejects with the signal's reason when
 * cancelled, after killing the command.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, {
    // Error texts are matched and shown: not translated ones.
    env: { ...process.env, LC_ALL: 'C' },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const shown = [command, ...args].join(' ');
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let ending: Error | undefined;
  const kill = (why: Error): void => {
    ending ??= why;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(
    () => kill(new CommandError('timed-out', `\`${shown}\` did not end within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const onAbort = (): void => kill(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  signal.addEventListener('abort', onAbort, { once: true });
  const stdout = collect(child.stdout, kill);
  const stderr = collect(child.stderr, kill);
  child.on('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'ENOENT'
        ? new CommandError('not-found', `${command} is not installed`)
        : new CommandError('failed', `cannot run \`${shown}\`: ${error.message}`),
    ),
  );
  child.on('close', (code, killedBy) => {
    if (ending) reject(ending);
    else if (code === 0) resolve(stdout());
    else reject(new CommandError('failed', failureMessage(shown, code ?? killedBy, stderr()), stderr()));
  });
  // A command may end without reading its input.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
}

function failureMessage(shown: string, how: number | NodeJS.Signals | null, stderr: string): string {
  const said = stderr.trim();
  return `\`${shown}\` ended with ${how ?? 'an unknown status'}${said === '' ? '' : `: ${said}`}`;
}

function collect(stream: NodeJS.ReadableStream, kill: (why: Error) => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LARGEST_OUTPUT) kill(new CommandError('failed', `the command wrote more than ${LARGEST_OUTPUT} bytes`));
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
