import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base } from '#images/base/layer.ts';
import { type ImageSpec, type LayerSpec, path } from '#images/kit/image.ts';

const nginxUser = { uid: 101, gid: 101 };

const layer: LayerSpec = {
  name: 'nginx',
  folder: import.meta.dirname,
  packages: ['nginx'],
  on: [base],
  fill: (tree, { debian, below }) => {
    const parameters = ['mime.types', 'fastcgi_params', 'uwsgi_params', 'scgi_params', 'proxy_params'];
    debian.pick(
      tree,
      ['usr/sbin/nginx', 'usr/share/nginx/html/*', ...parameters.map((name) => `etc/nginx/${name}`)],
      below,
    );
    const ours = (name: string): Buffer => readFileSync(join(import.meta.dirname, name));
    tree.file('etc/nginx/nginx.conf', ours('nginx.conf')).file('etc/nginx/conf.d/default.conf', ours('default.conf'));
    tree.symlink('var/log/nginx/access.log', '/dev/stdout').symlink('var/log/nginx/error.log', '/dev/stderr');
    for (const name of ['var/cache/nginx', 'var/lib/nginx']) tree.directory(name, nginxUser);
  },
};

export const nginx: ImageSpec = {
  name: 'nginx',
  repository: 'docker.io/library/nginx',
  tags: ['latest'],
  versionOf: 'nginx',
  description: "Debian's nginx, with the configuration folders and logs of the official image.",
  standInFor: 'the Docker Official Image nginx',
  layers: [base, layer],
  config: {
    Env: [path],
    Cmd: ['nginx', '-g', 'daemon off;'],
    ExposedPorts: { '80/tcp': {} },
    // nginx takes SIGQUIT as "finish what you are serving, then stop".
    StopSignal: 'SIGQUIT',
  },
};
