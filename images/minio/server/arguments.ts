import { parseArgs } from 'node:util';

export interface Address {
  /** Empty: all addresses. */
  readonly host: string;
  readonly port: number;
}

export interface Settings {
  readonly api: Address;
  /** Absent: no console is asked for, or it gets a port of the system's choice. */
  readonly console: Address | undefined;
  /** Where everything is kept. */
  readonly folder: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

export type Wish =
  | { readonly kind: 'serve'; readonly settings: Settings }
  | { readonly kind: 'wrong'; readonly why: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** `server [--address HOST:PORT] [--console-address HOST:PORT] DIR`, keys from the environment by their new or old names. */
export function parseArguments(args: readonly string[], environment: Environment): Wish {
  const options = {
    address: { type: 'string', default: environment['MINIO_ADDRESS'] ?? ':9000' },
    'console-address': { type: 'string', default: environment['MINIO_CONSOLE_ADDRESS'] },
    quiet: { type: 'boolean' },
    json: { type: 'boolean' },
    anonymous: { type: 'boolean' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command, ...folders] = positionals;
    if (command !== 'server')
      return wrong('usage: minio server [--address HOST:PORT] [--console-address HOST:PORT] DIR');
    const given =
      folders.length > 0 ? folders : (environment['MINIO_VOLUMES'] ?? '').split(' ').filter((each) => each !== '');
    const [folder, ...more] = given;
    if (folder === undefined) return wrong('server needs the folder to keep objects in');
    if (more.length > 0 || /\{.*\}|^https?:/.test(folder))
      return wrong('this stand-in keeps objects in one folder of one machine');
    const api = addressOf(values.address);
    const consoleAddress = values['console-address'];
    const console = consoleAddress === undefined ? undefined : addressOf(consoleAddress);
    if (!api || (consoleAddress !== undefined && !console)) return wrong('an address is [HOST]:PORT');
    const keys = keysIn(environment);
    if (keys.secretKey.length < 8 || keys.accessKey.length < 3)
      return wrong('MINIO_ROOT_USER needs at least 3 characters and MINIO_ROOT_PASSWORD at least 8');
    return {
      kind: 'serve',
      settings: { api, console, folder, ...keys, region: environment['MINIO_REGION'] ?? 'us-east-1' },
    };
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
}

const wrong = (why: string): Wish => ({ kind: 'wrong', why });

/** Both keys of a pair come from the same place, as a key of one pair would never fit the other's secret. */
function keysIn(environment: Environment): { readonly accessKey: string; readonly secretKey: string } {
  for (const [user, password] of [
    ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD'],
    ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY'],
  ] as const) {
    const [accessKey, secretKey] = [environment[user], environment[password]];
    if (accessKey !== undefined && secretKey !== undefined) return { accessKey, secretKey };
  }
  return { accessKey: 'minioadmin', secretKey: 'minioadmin' };
}

function addressOf(text: string): Address | undefined {
  const match = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match && port < 65536 ? { host: match[1] ?? match[2] ?? '', port } : undefined;
}
