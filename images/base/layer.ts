import type { LayerSpec, Materials } from '#images/kit/image.ts';
import { run } from '#images/kit/run.ts';
import type { Tree } from '#images/kit/tree.ts';

/** Under everything but pause: a shell with its tools (busybox), libc, users, time zones. */
export const base: LayerSpec = {
  name: 'base',
  folder: import.meta.dirname,
  packages: ['busybox', 'tzdata'],
  on: [],
  fill,
};

/** One file for all images, so that it can be shared: a user too many does no harm. */
const users: readonly (readonly [name: string, id: number, home: string])[] = [
  ['root', 0, '/root'],
  ['daemon', 1, '/usr/sbin'],
  ['www-data', 33, '/var/www'],
  ['nginx', 101, '/nonexistent'],
  ['mysql', 999, '/var/lib/mysql'],
  ['nobody', 65534, '/nonexistent'],
];

async function fill(tree: Tree, { debian }: Materials, signal: AbortSignal): Promise<void> {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) tree.directory(`usr/${name}`).symlink(name, `usr/${name}`);
  for (const name of [
    'dev',
    'etc',
    'home',
    'mnt',
    'opt',
    'proc',
    'run',
    'srv',
    'sys',
    'var/cache',
    'var/lib',
    'var/log',
  ])
    tree.directory(name);
  tree.directory('root', { mode: 0o700 }).directory('tmp', { mode: 0o1777 }).directory('var/tmp', { mode: 0o1777 });
  tree.symlink('var/run', '../run');
  tree.file('etc/passwd', users.map(passwdLine).join(''));
  tree.file('etc/group', users.map(([name, id]) => `${name === 'nobody' ? 'nogroup' : name}:x:${id}:\n`).join(''));
  tree.file('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  // The zones by name; not the copies that count leap seconds (right/) or do not (posix/), nor the machine's own choice.
  debian.pick(tree, ['usr/share/zoneinfo/[A-Z]*', 'usr/share/zoneinfo/[A-Z]*/**']);
  debian.pick(tree, ['usr/bin/busybox']);
  const applets = await run([debian.pathOf('usr/bin/busybox'), '--list'], {}, signal);
  for (const applet of applets.split('\n'))
    if (applet !== '' && !tree.has(`usr/bin/${applet}`)) tree.symlink(`usr/bin/${applet}`, 'busybox');
}

const passwdLine = ([name, id, home]: (typeof users)[number]): string =>
  `${name}:x:${id}:${id}:${name}:${home}:${id === 0 ? '/bin/sh' : '/usr/sbin/nologin'}\n`;
