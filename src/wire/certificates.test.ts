import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import test from 'node:test';
import { createCa, fitness, issue, validityOf } from '#wire/certificates.ts';

const DAY_MS = 86_400_000;
const now = Date.UTC(2026, 5, 1);
const ca = await createCa('peapod-ca', now);
const names = ['kubernetes', 'kubernetes.default.svc', '127.0.0.1', '10.96.0.1', 'fd00:10:96::1'];
const server = await issue(ca, { kind: 'server', commonName: 'kube-apiserver', names }, now);

test('certificates: a CA signs for ten years, a leaf serves for one, both from an hour ago', () => {
  const [authority, leaf] = [validityOf(ca.certificate), validityOf(server.certificate)];
  assert.deepEqual([authority.notBefore, leaf.notBefore], [now - DAY_MS / 24, now - DAY_MS / 24]);
  assert.deepEqual([authority.notAfter, leaf.notAfter], [now + 3650 * DAY_MS, now + 365 * DAY_MS]);
});

test('certificates: a server has its names, addresses of both families included, and may serve only', () => {
  const certificate = new X509Certificate(server.certificate);
  assert.ok(certificate.verify(new X509Certificate(ca.certificate).publicKey));
  assert.equal(certificate.subject, 'CN=kube-apiserver');
  for (const name of ['kubernetes', 'kubernetes.default.svc']) assert.equal(certificate.checkHost(name), name);
  for (const address of ['127.0.0.1', 'fd00:10:96::1']) assert.equal(certificate.checkIP(address), address);
  assert.equal(certificate.checkHost('example.org'), undefined);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.equal(certificate.ca, false);
  assert.equal(new X509Certificate(ca.certificate).ca, true);
});

test('certificates: a client carries its user and its groups', async () => {
  const client = await issue(
    ca,
    { kind: 'client', commonName: 'system:node:n1', organizations: ['system:nodes', 'b'] },
    now,
  );
  const certificate = new X509Certificate(client.certificate);
  assert.equal(certificate.subject, 'O=system:nodes\nO=b\nCN=system:node:n1');
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.notEqual(certificate.serialNumber, new X509Certificate(server.certificate).serialNumber);
});

test('certificates: a leaf is good, or says why it must be replaced', async () => {
  const other = await createCa('peapod-ca', now);
  const table = [
    { name: 'as issued', want: undefined },
    { name: 'some of its names', names: ['127.0.0.1', 'kubernetes'], want: undefined },
    { name: 'two thirds through', at: now + 240 * DAY_MS, want: undefined },
    { name: 'in its last third', at: now + 250 * DAY_MS, want: /third/ },
    { name: 'expired', at: now + 400 * DAY_MS, want: /third/ },
    { name: 'from the future', at: now - DAY_MS, want: /not valid yet/ },
    { name: 'a new name', names: ['127.0.0.1', '192.168.1.5'], want: /not for "192.168.1.5"/ },
    { name: 'a CA of the same name', ca: other.certificate, want: /another CA/ },
    { name: "another's key", leaf: { ...server, key: other.key }, want: /key is another/ },
    { name: 'no certificate', leaf: { ...server, certificate: 'junk' }, want: /cannot be read/ },
  ];
  for (const { name, want, ...given } of table) {
    const {
      leaf = server,
      at = now,
      names: wanted = names,
    } = given as Partial<{ leaf: typeof server; at: number; names: string[] }>;
    const found = fitness(leaf, 'ca' in given ? (given.ca ?? '') : ca.certificate, wanted, at);
    if (want === undefined) assert.deepEqual(found, { kind: 'good' }, name);
    else assert.ok(found.kind === 'replace' && want.test(found.why), `${name}: ${JSON.stringify(found)}`);
  }
});

test('certificates: a CA whose key is not its own cannot sign', async () => {
  const mixed = { ...ca, key: server.key };
  await assert.rejects(issue(mixed, { kind: 'client', commonName: 'x' }, now), /do not belong together/);
});
