import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base } from '#images/base/layer.ts';
import { type ImageSpec, type LayerSpec, path } from '#images/kit/image.ts';
import { emptyDatabase } from '#images/mysql/empty-database.ts';

const mysqlUser = { uid: 999, gid: 999 };

const layer: LayerSpec = {
  name: 'mysql',
  folder: import.meta.dirname,
  packages: ['mariadb-server'],
  on: [base],
  fill: async (tree, from, signal) => {
    const programs = ['mariadb', 'mariadb-admin', 'mariadb-dump', 'mysql', 'mysqladmin', 'mysqldump'];
    const wanted = ['usr/sbin/mariadbd', 'usr/sbin/mysqld', ...programs.map((name) => `usr/bin/${name}`)];
    const messages = ['usr/share/mysql/english/errmsg.sys', 'usr/share/mysql/charsets/*'];
    from.debian.pick(tree, [...wanted, ...messages, 'usr/lib/mysql/plugin/auth_ed25519.so'], from.below);
    const template = await emptyDatabase(tree, from, signal);
    for (const { name, content } of template)
      tree.file(`usr/share/mysql/empty/${name}`, content, { mode: 0o640, ...mysqlUser });
    tree.file('usr/local/bin/docker-entrypoint.sh', readFileSync(join(import.meta.dirname, 'docker-entrypoint.sh')), {
      mode: 0o755,
    });
    for (const name of ['var/lib/mysql', 'run/mysqld']) tree.directory(name, mysqlUser);
    tree.directory('docker-entrypoint-initdb.d');
  },
};

export const mysql: ImageSpec = {
  name: 'mysql',
  repository: 'docker.io/library/mysql',
  tags: ['latest'],
  versionOf: 'mariadb-server',
  description: "Debian's MariaDB, set up by the environment variables of the official mysql and mariadb images.",
  standInFor: 'the Docker Official Image mysql',
  layers: [base, layer],
  config: {
    Env: [path],
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['mysqld'],
    ExposedPorts: { '3306/tcp': {} },
    Volumes: { '/var/lib/mysql': {} },
  },
};
