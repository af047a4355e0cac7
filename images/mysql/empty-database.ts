import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Materials } from '#images/kit/image.ts';
import { run } from '#images/kit/run.ts';
import type { FileContent, Tree } from '#images/kit/tree.ts';

const scripts = [
  'mysql_system_tables.sql',
  'mysql_performance_tables.sql',
  'mysql_system_tables_data.sql',
  'maria_add_gis_sp_bootstrap.sql',
  'mysql_sys_schema.sql',
];

/**
 * The data directory of a server that has just been installed, so that a container copies it (0.1 s) instead of making
 * it (2 s). The server that is packed is run for it right where it was unpacked, by its own loader with its own
 * libraries: no chroot, no mount, no root. Two runs give different bytes; MariaDB writes times and random ids.
 */
export async function emptyDatabase(
  tree: Tree,
  { debian, below, work }: Materials,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly content: FileContent }[]> {
  const data = join(work, 'data');
  mkdirSync(data);
  const [loader, libraries] = loaderAndLibraries([...below, tree]);
  const share = dirname(debian.pathOf('usr/share/mysql/mysql_system_tables.sql'));
  const messages = dirname(dirname(debian.pathOf('usr/share/mysql/english/errmsg.sys')));
  const settings = {
    datadir: data,
    'lc-messages-dir': messages,
    'character-sets-dir': join(messages, 'charsets'),
    // Root has to be told that it may; anybody else is who they are.
    user: userInfo().username,
    'innodb-log-file-size': '4M',
    'innodb-flush-log-at-trx-commit': '0',
    'log-warnings': '0',
  };
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const server = [loader, '--library-path', libraries.join(':'), debian.pathOf('usr/sbin/mariadbd')];
  // The bootstrap parser takes a statement a line or ended by a semicolon at the end of a line; no login by socket for root.
  const before = 'create database if not exists mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n';
  // It also gives root an entry for this machine's own name, which nobody will ever connect from.
  const after = "\ndelete from mysql.global_priv where Host <> 'localhost';\n";
  const sql = before + scripts.map((name) => readFileSync(join(share, name), 'utf8')).join('\n') + after;
  await run(
    [...server, '--no-defaults', '--bootstrap', '--skip-networking', ...flags],
    { input: Buffer.from(sql) },
    signal,
  );
  return readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: relative(data, path), content: { path, size: statSync(path).size } }));
}

/** Where the files of the image lie now, unpacked side by side. */
function loaderAndLibraries(trees: readonly Tree[]): readonly [loader: string, folders: readonly string[]] {
  const libraries = trees
    .flatMap((tree) => tree.entries())
    .flatMap(([path, entry]) =>
      entry.kind === 'file' && 'path' in entry.content && path.startsWith('usr/lib/') ? [entry.content.path] : [],
    );
  const loader = libraries.find((path) => /\/ld-linux[^/]*$/.test(path));
  if (loader === undefined) throw new Error('the base layer has no dynamic loader');
  return [loader, [...new Set(libraries.map((path) => dirname(path)))]];
}
