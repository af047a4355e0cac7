/**
 * Installs what peapod needs and is missing; the only thing in this project that installs anything.
 *
 *   node tools/setup/setup.mjs [--for start|test] [--only npm]
 *
 * Runs on the Node that Debian users have (18 or newer), so it is plain JavaScript without dependencies. Idempotent: it
 * looks at what is there, not at what an earlier run remembers, and is silent and quick when nothing is missing.
 */
import { parseArgs } from 'node:util';
import { installDebianPackages, missingDebianPackages } from './debian.mjs';
import { missingKubectls, unpackKubectl } from './kubectl.mjs';
import { lock } from './lock.mjs';
import { installNpmPackages, npmIsComplete } from './npm.mjs';
import { Stop, say } from './say.mjs';

const usage = 'usage: node tools/setup/setup.mjs [--for start|test] [--only npm]';

/**
 * @typedef {object} Missing
 * @property {boolean} npm
 * @property {readonly string[]} packages
 * @property {readonly import('./kubectl.mjs').Kubectl[]} kubectls
 */

async function main() {
  const wish = parse();
  if (!wish) return 2;
  if (nothingIn(look(wish))) return 0;
  const unlock = await lock();
  try {
    // Somebody else may have done it while we waited for the lock.
    const missing = look(wish);
    if (missing.npm) installNpmPackages();
    if (missing.packages.length > 0) installDebianPackages(missing.packages);
    for (const kubectl of missing.kubectls) unpackKubectl(kubectl);
    const still = look(wish);
    if (!nothingIn(still)) throw new Stop(`still missing after installing: ${describe(still)}`);
    say('everything is there');
    return 0;
  } finally {
    unlock();
  }
}

/** @returns {{ purpose: 'start' | 'test', only: 'npm' | undefined } | undefined} undefined: wrong usage, already said */
function parse() {
  try {
    const { values } = parseArgs({
      options: { for: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean' } },
    });
    const purpose = values.for ?? 'start';
    if (values.help) process.stdout.write(`${usage}\n`);
    else if ((purpose === 'start' || purpose === 'test') && (values.only === undefined || values.only === 'npm'))
      return { purpose, only: values.only };
    else process.stderr.write(`${usage}\n`);
  } catch (error) {
    process.stderr.write(`set-up: ${error instanceof Error ? error.message : error}\n${usage}\n`);
  }
  return undefined;
}

/**
 * @param {{ purpose: 'start' | 'test', only: 'npm' | undefined }} wish
 * @returns {Missing}
 */
function look({ purpose, only }) {
  const npm = !npmIsComplete();
  if (only === 'npm') return { npm, packages: [], kubectls: [] };
  return { npm, packages: missingDebianPackages(purpose), kubectls: missingKubectls(purpose) };
}

/** @param {Missing} missing */
function nothingIn({ npm, packages, kubectls }) {
  return !npm && packages.length === 0 && kubectls.length === 0;
}

/** @param {Missing} missing */
function describe({ npm, packages, kubectls }) {
  return [...(npm ? ['npm packages'] : []), ...packages, ...kubectls.map((kubectl) => kubectl.link)].join(', ');
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  process.stderr.write(`set-up: ${error.message}\n`);
  process.exitCode = 1;
}
