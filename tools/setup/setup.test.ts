import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { renameLines, renameStanzas } from '#tools/setup/suite.mjs';

const setup = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'setup.mjs'), ...args], { encoding: 'utf8' });

const stanzas = `# a comment
Types: deb deb-src
# one in the middle
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /keys.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://elsewhere.example/
Suites: bookworm
Components: stable

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

test('suite: of deb822 sources those of the release itself, renamed', () => {
  assert.equal(
    renameStanzas(stanzas, 'bookworm', 'sid'),
    'Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main\nSigned-By: /keys.gpg\n',
  );
});

test('suite: of one-line sources those of the release itself, renamed', () => {
  const lines = [
    '# deb http://mirror.example/debian bookworm main',
    'deb [arch=amd64 signed-by=/k] http://mirror.example/debian bookworm main contrib',
    'deb-src http://mirror.example/debian bookworm main',
    'deb http://mirror.example/debian bookworm-updates main',
    'deb http://elsewhere.example/ bookworm stable',
    'deb\thttp://other.example/debian\tbookworm\tmain # near',
  ];
  assert.equal(
    renameLines(lines.join('\n'), 'bookworm', 'sid'),
    'deb [arch=amd64 signed-by=/k] http://mirror.example/debian sid main\ndeb http://other.example/debian sid main\n',
  );
});

test('set-up: wrong usage is told so', () => {
  const { status, stderr } = setup('--for', 'fun');
  assert.equal(status, 2);
  assert.match(stderr, /^usage: /);
});

test('set-up: says nothing when nothing is missing', () => {
  const { status, stdout } = setup('--only', 'npm');
  assert.deepEqual([status, stdout], [0, '']);
});
