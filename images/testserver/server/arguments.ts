import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { durationMs } from '#images/testserver/server/duration.ts';

/** How a program that lives on ends. */
export interface Life {
  readonly ignored: readonly string[];
  readonly endAfterMs: number;
  readonly exitCode: number;
  readonly signalLog: string | undefined;
  readonly exitAfterMs: number | undefined;
}

export interface ServeCommand {
  readonly kind: 'serve';
  readonly life: Life;
  /** 0: none. */
  readonly ports: { readonly http: number; readonly https: number; readonly tcp: number; readonly grpc: number };
  readonly off: readonly string[];
  readonly onAfterMs: number | undefined;
}

export interface AllocateCommand {
  readonly kind: 'allocate';
  readonly life: Life;
  readonly mebibytes: number;
  readonly step: number;
  readonly everyMs: number;
}

export type Command =
  | ServeCommand
  | AllocateCommand
  | { readonly kind: 'wait'; readonly life: Life }
  | { readonly kind: 'exit'; readonly code: number; readonly afterMs: number }
  | { readonly kind: 'env'; readonly names: readonly string[] }
  | { readonly kind: 'args'; readonly args: readonly string[] }
  | { readonly kind: 'wrong'; readonly why: string };

const lifeOptions = {
  ignore: { type: 'string', multiple: true, default: [] as string[] },
  'end-after': { type: 'string', default: '0s' },
  'exit-code': { type: 'string', default: '0' },
  'signal-log': { type: 'string' },
  'exit-after': { type: 'string' },
} as const;

const serveOptions = {
  http: { type: 'string', default: '8080' },
  https: { type: 'string', default: '8443' },
  tcp: { type: 'string', default: '7000' },
  grpc: { type: 'string', default: '9090' },
  off: { type: 'string', multiple: true, default: [] as string[] },
  'on-after': { type: 'string' },
  ...lifeOptions,
} as const;

export function parseArguments([name = 'serve', ...args]: readonly string[]): Command {
  const parse = parsers[name];
  if (!parse) return { kind: 'wrong', why: `"${name}" is none of ${Object.keys(parsers).join(', ')}` };
  try {
    return parse(args);
  } catch (error) {
    return { kind: 'wrong', why: error instanceof Error ? error.message : String(error) };
  }
}

const parsers: Readonly<Record<string, (args: string[]) => Command>> = {
  args: (args) => ({ kind: 'args', args }),
  env: (args) => ({ kind: 'env', names: args }),
  exit: (args) => {
    const { values } = parseArgs({
      args,
      options: { code: { type: 'string', default: '0' }, after: { type: 'string', default: '0s' } },
    });
    return { kind: 'exit', code: integer(values.code, 255), afterMs: durationMs(values.after) };
  },
  wait: (args) => ({ kind: 'wait', life: lifeOf(parseArgs({ args, options: lifeOptions }).values) }),
  allocate: (args) => {
    const sizes = { step: { type: 'string', default: '8' }, every: { type: 'string', default: '10ms' } } as const;
    const { values, positionals } = parseArgs({ args, options: { ...sizes, ...lifeOptions }, allowPositionals: true });
    const [mebibytes, step] = [integer(positionals[0] ?? '', 1 << 20), integer(values.step, 1 << 10)];
    return { kind: 'allocate', life: lifeOf(values), mebibytes, step, everyMs: durationMs(values.every) };
  },
  serve: (args) => {
    const { values } = parseArgs({ args, options: serveOptions });
    const port = (text: string): number => integer(text, 65535);
    return {
      kind: 'serve',
      life: lifeOf(values),
      ports: { http: port(values.http), https: port(values.https), tcp: port(values.tcp), grpc: port(values.grpc) },
      off: values.off,
      onAfterMs: maybeDuration(values['on-after']),
    };
  },
};

interface LifeValues {
  readonly ignore: readonly string[];
  readonly 'end-after': string;
  readonly 'exit-code': string;
  readonly 'signal-log'?: string;
  readonly 'exit-after'?: string;
}

function lifeOf(values: LifeValues): Life {
  const unknown = values.ignore.find((name) => !(name in constants.signals));
  if (unknown !== undefined) throw new Error(`"${unknown}" is not a signal`);
  return {
    ignored: values.ignore,
    endAfterMs: durationMs(values['end-after']),
    exitCode: integer(values['exit-code'], 255),
    signalLog: values['signal-log'],
    exitAfterMs: maybeDuration(values['exit-after']),
  };
}

const maybeDuration = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : durationMs(text);

export function integer(text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most) throw new Error(`"${text}" is not a whole number from 0 to ${most}`);
  return value;
}
