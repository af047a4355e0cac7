import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { formatKubeconfig, KubeconfigError, parseKubeconfig, readKubeconfig, transportTo } from '#client/kubeconfig.ts';

const access = {
  server: 'https://127.0.0.1:6443',
  certificateAuthority: '-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n',
  clientCertificate: '-----BEGIN CERTIFICATE-----\nME\n-----END CERTIFICATE-----\n',
  clientKey: '-----BEGIN PRIVATE KEY-----\nKEY\n-----END PRIVATE KEY-----\n',
  namespace: 'shop',
};

test('kubeconfig: what is written is read again', async () => {
  const text = await formatKubeconfig(access, 'peapod');
  assert.deepEqual(await parseKubeconfig(text), access);
  assert.match(text, /^current-context: peapod$/m);
  assert.match(text, /^ +client-key-data: LS0tLS1CRUdJTi/m);
  assert.doesNotMatch(text, /token|null|undefined/);
  const withToken = { server: 'https://[::1]:6443', token: 'abc', serverName: 'kubernetes' };
  assert.deepEqual(await parseKubeconfig(await formatKubeconfig(withToken, 'x')), withToken);
});

test('kubeconfig: another context, relative paths and a token file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-test-'));
  try {
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'token'), 'abc\n');
    const config = {
      'current-context': 'one',
      contexts: [
        { name: 'one', context: { cluster: 'one' } },
        { name: 'two', context: { cluster: 'two', user: 'two' } },
      ],
      clusters: [
        { name: 'one', cluster: { server: 'https://one' } },
        { name: 'two', cluster: { server: 'https://two', 'certificate-authority': 'ca.crt' } },
      ],
      users: [{ name: 'two', user: { tokenFile: 'token' } }],
    };
    const path = join(folder, 'config');
    await writeFile(path, JSON.stringify(config));
    assert.deepEqual(await readKubeconfig(path), { server: 'https://one' });
    assert.deepEqual(await readKubeconfig(path, 'two'), {
      server: 'https://two',
      certificateAuthority: 'CA',
      token: 'abc',
    });
    await assert.rejects(readKubeconfig(path, 'three'), (error: Error) => {
      assert.ok(error instanceof KubeconfigError);
      assert.equal(error.message, `read kubeconfig "${path}": it has no context "three"`);
      return true;
    });
    await assert.rejects(readKubeconfig(join(folder, 'nope')), /read kubeconfig ".*nope": ENOENT/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

const of = (cluster: object, user: object = {}): string =>
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'c', user }],
  });
const wrong = [
  { name: 'nothing in it', text: '', want: /it is not a kubeconfig/ },
  { name: 'a list', text: '[]', want: /it is not a kubeconfig/ },
  { name: 'no YAML', text: 'a: [', want: /at line 1/ },
  { name: 'no current context', text: 'kind: Config', want: /no current-context/ },
  { name: 'a cluster without a server', text: of({}), want: /cluster "c" has no server/ },
  { name: 'a number for a token', text: of({ server: 'https://x' }, { token: 1 }), want: /"token" is not a string/ },
  {
    name: 'no verification',
    text: of({ server: 'https://x', 'insecure-skip-tls-verify': true }),
    want: /"insecure-skip-tls-verify" is not supported/,
  },
  {
    name: 'a credential plug-in',
    text: of({ server: 'https://x' }, { exec: { command: 'aws' } }),
    want: /"exec" is not supported/,
  },
] as const;
for (const { name, text, want } of wrong) {
  test(`kubeconfig: refuses ${name}`, async () => {
    const read = parseKubeconfig(text);
    await assert.rejects(read, want);
    await assert.rejects(read, KubeconfigError);
  });
}

test('kubeconfig: a server that is not https is refused', () => {
  for (const server of ['http://127.0.0.1:8080', 'nonsense', 'https://host/path'])
    assert.throws(() => transportTo({ server }), KubeconfigError);
});
