/**
 * kubectl, unpacked under .cache/tools: installing it could collide with another owner of /usr/bin/kubectl.
 * Stable paths: .cache/tools/bin/kubectl (current) and .cache/tools/bin/kubectl-1.20 (the oldest that is tested).
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cache, say } from './say.mjs';
import { isInstalled } from './debian.mjs';
import { unpackFrom } from './suite.mjs';

/**
 * @typedef {object} Kubectl
 * @property {string} link its name in .cache/tools/bin
 * @property {string} folder its folder in .cache/tools
 * @property {string} suite
 * @property {string} package
 */

/** @type {Kubectl} Needs nothing but libc 2.34, so sid's runs on bookworm. */
const current = { link: 'kubectl', folder: 'kubectl-current', suite: 'sid', package: 'kubectl' };
/** @type {Kubectl} */
const oldest = { link: 'kubectl-1.20', folder: 'kubectl-1.20', suite: 'bookworm', package: 'kubernetes-client' };

const tools = join(cache, 'tools');

/**
 * For tests both; for a start one to take the tour with, unless the user has a kubectl.
 * @param {'start' | 'test'} purpose
 * @returns {readonly Kubectl[]}
 */
export function missingKubectls(purpose) {
  const wanted = purpose === 'test' ? [oldest, current] : isInstalled('kubectl') ? [] : [current];
  // existsSync follows the link, so a link to nowhere counts as missing.
  return wanted.filter((kubectl) => !existsSync(join(tools, 'bin', kubectl.link)));
}

/** @param {Kubectl} kubectl */
export function unpackKubectl(kubectl) {
  say(`unpacking kubectl of Debian ${kubectl.suite} into .cache/tools/${kubectl.folder}`);
  unpackFrom({ suite: kubectl.suite, name: kubectl.package, folder: join(tools, kubectl.folder) });
  const link = join(tools, 'bin', kubectl.link);
  mkdirSync(join(tools, 'bin'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(`../${kubectl.folder}/usr/bin/kubectl`, link);
}
