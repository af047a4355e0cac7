/** npm's packages: is node_modules what package-lock.json says? */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say } from './say.mjs';

/**
 * @typedef {object} LockedPackage an entry of package-lock.json, as far as it matters here
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [link]
 * @property {string | readonly string[]} [os]
 * @property {string | readonly string[]} [cpu]
 * @property {string | readonly string[]} [libc]
 */

/** Compares the lock with npm's own record of what it installed and with the folders: truer than a stamp of ours, and 10 ms. */
export function npmIsComplete() {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const installed = packagesIn(join(root, 'node_modules/.package-lock.json'));
  if (!wanted || !installed) return false;
  const isThere = (/** @type {string} */ path) => existsSync(join(root, path, 'package.json'));
  for (const [path, want] of Object.entries(wanted)) {
    if (path === '') continue;
    const have = installed[path];
    if (!have && want.optional && !isForThisMachine(want)) continue;
    if (!have || have.version !== want.version || have.integrity !== want.integrity || !isThere(path)) return false;
  }
  return Object.keys(installed).every((path) => path in wanted);
}

/**
 * Not `npm ci`: it refuses a lock that does not list every platform's build of every optional package, and registries
 * that carry only some of them make such locks. `install --no-save` checks the same hashes and leaves the lock alone.
 */
export function installNpmPackages() {
  say('installing the npm packages of package-lock.json, Node 26 among them (npm install)');
  // Development packages are asked for by name: NODE_ENV=production in the environment would leave them out.
  run('npm install', ['npm', 'install', '--no-save', '--include=dev', '--include=optional', '--no-audit', '--no-fund']);
}

/**
 * @param {string} file
 * @returns {Readonly<Record<string, LockedPackage>> | undefined}
 */
function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Optional packages are the builds for one platform each, and what only builds for other platforms need (which names none).
 * @param {LockedPackage} wanted
 */
function isForThisMachine({ os, cpu, libc }) {
  return (
    (os ?? cpu) !== undefined && allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, 'glibc')
  );
}

/**
 * @param {string | readonly string[] | undefined} rule as in package.json: names, or names to exclude with a `!`
 * @param {string} mine
 */
function allows(rule, mine) {
  const list = rule === undefined ? [] : [rule].flat();
  if (list.length === 0) return true;
  return list.some((each) => !each.startsWith('!')) ? list.includes(mine) : !list.includes(`!${mine}`);
}
