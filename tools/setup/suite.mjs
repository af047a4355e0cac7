/**
 * A package of another Debian suite, unpacked into a folder and not installed. apt is given a state of its own, whose
 * sources are the machine's with the suite's name changed, so mirrors, proxies and keys are the user's.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Stop, attempt, cache, run } from './say.mjs';
import { updateLists } from './debian.mjs';

/**
 * @param {object} wanted
 * @param {string} wanted.suite for example 'sid'
 * @param {string} wanted.name the package
 * @param {string} wanted.folder what it becomes; replaced if it is there
 */
export function unpackFrom({ suite, name, folder }) {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpack-'));
  try {
    const here = readSources().codename === suite;
    const options = here ? [] : privateState(suite);
    if (!here) attempt(['apt-get', ...options, '-q', 'update']);
    const download = ['apt-get', ...options, '-q', '-o', 'APT::Sandbox::User=root', 'download', name];
    if (!attempt(download, { cwd: work }).ok) {
      if (here) updateLists();
      run(`downloading ${name} of Debian ${suite}`, download, { cwd: work });
    }
    const deb = readdirSync(work).find((file) => file.endsWith('.deb'));
    if (!deb) throw new Stop(`apt-get download ${name} brought no package`);
    run(`unpacking ${deb}`, ['dpkg', '-x', join(work, deb), join(work, 'tree')]);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(join(work, 'tree'), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} suite
 * @returns {readonly string[]} options that make apt-get work on a state of its own
 */
function privateState(suite) {
  const state = join(cache, 'tools', `apt-${suite}`);
  const sources = join(state, 'sources');
  rmSync(sources, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'archives/partial', 'sources'])
    mkdirSync(join(state, folder), { recursive: true });
  writeFileSync(join(state, 'status'), '');
  const { codename, files } = readSources();
  const renamed = files.flatMap(({ name, text }) => {
    const changed = name.endsWith('.sources')
      ? renameStanzas(text, codename, suite)
      : renameLines(text, codename, suite);
    return changed === '' ? [] : [{ name, changed }];
  });
  if (renamed.length === 0)
    throw new Stop(`no apt source of this machine has the suite ${codename} with the component main`);
  for (const { name, changed } of renamed) writeFileSync(join(sources, name), changed);
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': sources,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': state,
    'Dir::Cache::archives': join(state, 'archives'),
    // The index of packages alone: no translations, no metadata for desktop catalogues.
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'APT::Sandbox::User': 'root',
    'APT::Update::Post-Invoke-Success::': 'true',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** @returns {{ codename: string, files: readonly { name: string, text: string }[] }} the machine's release and apt sources */
function readSources() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(release)?.[1] ?? 'sid';
  const folder = '/etc/apt/sources.list.d';
  const parts = existsSync(folder) ? readdirSync(folder).filter((file) => /^[\w.-]+\.(list|sources)$/.test(file)) : [];
  const paths = ['/etc/apt/sources.list', ...parts.map((file) => join(folder, file))].filter((path) =>
    existsSync(path),
  );
  return {
    codename,
    files: paths.map((path) => ({ name: path.slice(path.lastIndexOf('/') + 1), text: readFileSync(path, 'utf8') })),
  };
}

/**
 * The deb822 form: stanzas of `Field: value`. Kept are binary sources of the release itself; its -updates and -security
 * have no counterpart in sid, and other people's archives (whose component is not main) none at all.
 * @param {string} text
 * @param {string} from
 * @param {string} to
 */
export function renameStanzas(text, from, to) {
  const stanzas = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/);
  const field = (/** @type {string} */ stanza, /** @type {string} */ name) =>
    (new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1] ?? '').trim().split(/\s+/);
  return stanzas
    .filter(
      (stanza) =>
        field(stanza, 'Types').includes('deb') &&
        field(stanza, 'Suites').includes(from) &&
        field(stanza, 'Components').includes('main') &&
        field(stanza, 'Enabled')[0] !== 'no',
    )
    .map((stanza) =>
      stanza
        .trim()
        .replace(/^Types:.*$/im, 'Types: deb')
        .replace(/^Suites:.*(?:\n[ \t].*)*/im, `Suites: ${to}`)
        .replace(/^Components:.*(?:\n[ \t].*)*/im, 'Components: main'),
    )
    .map((stanza) => `${stanza}\n`)
    .join('\n');
}

/**
 * The one-line form: `deb [options] URI suite component…`.
 * @param {string} text
 * @param {string} from
 * @param {string} to
 */
export function renameLines(text, from, to) {
  return text
    .split('\n')
    .map((line) => /^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match?.[3] === from && match[4]?.split(/\s+/).includes('main'))
    .map((match) => `deb ${match?.[1] ?? ''}${match?.[2]} ${to} main\n`)
    .join('');
}
