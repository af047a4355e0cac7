import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import test from 'node:test';
import { decodeProtobuf, encodeProtobuf } from '#api/protobuf.ts';
import { HttpClient, type HttpResponse } from '#wire/http-client.ts';
import { createCa, issue } from '#wire/certificates.ts';
import { configMap, NS, pod } from '#test/integration/server-table.ts';
import { overHttps, type Reply } from '#test/integration/support/server-subject.ts';
import { json, startWeb, text } from '#test/integration/support/server-web.ts';

// What is HTTP's alone: credentials, forms, headers, proxies to nodes.
const never = new AbortController().signal;

test('http: without credentials one is anonymous: health and version, else 403', async () => {
  await using web = await startWeb();
  for (const [path, want] of [
    ['/version', 200],
    ['/healthz', 200],
    ['/livez/ping', 200],
    ['/readyz?verbose', 200],
    ['/readyz/watch-cache', 200],
    ['/readyz/nonsense', 404],
    ['/api', 403],
    ['/api/v1/namespaces', 403],
  ] as const) {
    const { status } = await web.stranger.request({ method: 'GET', path, headers: {} }, never);
    assert.equal(status, want, path);
  }
  const refused = json(await web.stranger.request({ method: 'GET', path: '/api', headers: {} }, never));
  assert.equal(refused['message'], 'forbidden: User "system:anonymous" cannot get path "/api"');
});

test('http: credentials that are wrong are 401: a token, a certificate of another CA', async () => {
  await using web = await startWeb();
  const headers = { authorization: 'Bearer nonsense' };
  const token = await web.stranger.request({ method: 'GET', path: '/version', headers }, never);
  assert.deepEqual([token.status, json(token)['message']], [401, 'Unauthorized']);
  const other = await issue(
    await createCa('other', Date.now()),
    { kind: 'client', commonName: 'admin', organizations: ['system:masters'] },
    Date.now(),
  );
  const tls = { ca: web.served.ca.certificate, certificate: other.certificate, key: other.key };
  using client = new HttpClient({ kind: 'tls', host: '127.0.0.1', port: web.served.port, tls });
  assert.equal((await client.request({ method: 'GET', path: '/version', headers: {} }, never)).status, 401);
});

test('http: a token of a service account says who it is', async () => {
  await using web = await startWeb();
  await web.send('POST', `${NS}/serviceaccounts`, {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bob' } },
  });
  const made = json(
    await web.send('POST', `${NS}/serviceaccounts/bob/token`, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    }),
  );
  const headers = { authorization: `Bearer ${(made['status'] as { token: string }).token}` };
  assert.equal((await web.stranger.request({ method: 'GET', path: '/apis', headers }, never)).status, 200);
  const refused = json(await web.stranger.request({ method: 'GET', path: `${NS}/pods`, headers }, never));
  assert.match(refused['message'], /^pods is forbidden: User "system:serviceaccount:default:bob" cannot list/);
});

test('http: bodies in JSON, YAML and protobuf; what is none of them is 415', async () => {
  await using web = await startWeb();
  const yaml = await web.send('POST', `${NS}/configmaps`, {
    headers: { 'content-type': 'application/yaml' },
    body: 'metadata: {name: y}\ndata: {k: v}\n',
  });
  assert.deepEqual([yaml.status, json(yaml)['data']], [201, { k: 'v' }]);
  const bytes = encodeProtobuf(configMap('p', { k: 'v' }) as { apiVersion: string; kind: string });
  const protobuf = await web.send('POST', `${NS}/configmaps`, {
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    body: bytes,
  });
  assert.deepEqual([protobuf.status, json(protobuf)['data']], [201, { k: 'v' }]);
  for (const [type, body, want] of [
    ['text/csv', 'a,b', 415],
    ['application/json', '{"metadata":', 400],
    ['application/yaml', 'a: b: c', 400],
    ['application/vnd.kubernetes.protobuf', '{}', 400],
  ] as const) {
    assert.equal(
      (await web.send('POST', `${NS}/configmaps`, { headers: { 'content-type': type }, body })).status,
      want,
      type,
    );
  }
  const huge = await web.send('POST', `${NS}/configmaps`, { body: 'x'.repeat(4 * 1024 * 1024) });
  assert.deepEqual([huge.status, json(huge)['reason']], [413, 'RequestEntityTooLarge']);
});

test('http: answers in JSON, YAML, protobuf, as a Table, as metadata; else 406', async () => {
  await using web = await startWeb();
  await web.send('POST', `${NS}/pods`, { body: pod('a') });
  const get = (accept: string, path = `${NS}/pods/a`): Promise<HttpResponse> =>
    web.send('GET', path, { headers: { accept } });
  assert.match(text(await get('application/yaml')), /^kind: Pod$/m);
  const protobuf = await get('application/vnd.kubernetes.protobuf');
  assert.equal(decodeProtobuf(protobuf.body)['kind'], 'Pod');
  assert.equal(
    decodeProtobuf((await get('application/vnd.kubernetes.protobuf', `${NS}/pods`)).body)['kind'],
    'PodList',
  );
  const table = json(
    await get('application/json;as=Table;v=v1;g=meta.k8s.io,application/json', `${NS}/pods`),
  ) as unknown as TableReply;
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node', 'Nominated Node', 'Readiness Gates'],
  );
  assert.deepEqual(table.rows[0]?.cells.slice(0, 4), ['a', '0/1', 'Pending', '0']);
  assert.equal(table.rows[0]?.object.kind, 'PartialObjectMetadata');
  const metadata = json(
    await get('application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', `${NS}/pods`),
  ) as unknown as { kind: string; items: object[] };
  assert.deepEqual(
    [metadata.kind, Object.keys(metadata.items[0] ?? {})],
    ['PartialObjectMetadataList', ['kind', 'apiVersion', 'metadata']],
  );
  assert.equal((await get('text/csv')).status, 406);
  assert.equal(
    (await get('application/vnd.kubernetes.protobuf;q=0.5,application/json')).headers['content-type'],
    'application/json',
  );
  assert.match(text(await get('application/json', `${NS}/pods/a?pretty=true`)), /\n {2}"kind": "Pod"/);
});

interface TableReply {
  readonly columnDefinitions: readonly { readonly name: string }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: { readonly kind: string } }[];
}

test('http: unknown fields are refused, told of, or dropped, as the client asks', async () => {
  await using web = await startWeb();
  const body = { ...configMap('a'), dat: { k: 'v' } };
  const strict = await web.send('POST', `${NS}/configmaps?fieldValidation=Strict`, { body });
  assert.deepEqual(
    [strict.status, json(strict)['message']],
    [400, 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"'],
  );
  const warned = await web.send('POST', `${NS}/configmaps`, { body });
  assert.deepEqual(
    [warned.status, warned.headers['warning'], json(warned)['dat']],
    [201, '299 - "unknown field \\"dat\\""', undefined],
  );
  const quiet = await web.send('PUT', `${NS}/configmaps/a?fieldValidation=Ignore`, { body: JSON.stringify(body) });
  assert.deepEqual([quiet.status, quiet.headers['warning']], [200, undefined]);
  const twice = await web.send('PUT', `${NS}/configmaps/a?fieldValidation=Strict`, {
    body: '{"metadata":{"name":"a"},"data":{"k":"1","k":"2"}}',
  });
  assert.match(json(twice)['message'], /duplicate field "data.k"/);
});

test('http: a watch as Tables tells its columns once', async () => {
  await using web = await startWeb();
  await web.send('POST', `${NS}/configmaps`, { body: configMap('a', { k: 'v' }) });
  await web.send('POST', `${NS}/configmaps`, { body: configMap('b') });
  const response = await web.send('GET', `${NS}/configmaps?watch=1&timeoutSeconds=1`, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  const [one, two] = text(response)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: TableReply });
  assert.deepEqual(
    [one?.type, one?.object.rows[0]?.cells.slice(0, 2), one?.object.columnDefinitions.length],
    ['ADDED', ['a', 1], 3],
  );
  assert.deepEqual([two?.object.rows[0]?.cells.slice(0, 2), two?.object.columnDefinitions.length], [['b', 0], 0]);
});

test('http: discovery documents have a tag, and OpenAPI comes as gnostic protobuf too', async () => {
  await using web = await startWeb();
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const first = await web.send('GET', '/apis', { headers: { accept } });
  assert.equal(first.headers['content-type'], accept);
  const etag = String(first.headers['etag']);
  assert.equal((await web.send('GET', '/apis', { headers: { accept, 'if-none-match': etag } })).status, 304);
  const gnostic = await web.send('GET', '/openapi/v2', {
    headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
  });
  assert.equal(gnostic.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  const index = json(await web.send('GET', '/openapi/v3')) as unknown as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const url = index.paths['api/v1']!.serverRelativeURL;
  assert.match(String((await web.send('GET', url)).headers['cache-control']), /immutable/);
});

test('http: all events reach watchers with and without selectors, in order and once', async () => {
  await using subject = await overHttps();
  const { admin } = subject;
  const made = await admin.post(`${NS}/configmaps`, configMap('a', {}, { labels: { on: '1' } }));
  const path = `/api/v1/configmaps?resourceVersion=${made.metadata.resourceVersion}`;
  const watching = ['', '', '&labelSelector=on', '&fieldSelector=metadata.name%3Da'].map((query) =>
    admin.watch(`${path}${query}`),
  );
  const want = Array.from({ length: 200 }, (_, n) => String(n));
  const seen = watching.map(async (each) => {
    const numbers: string[] = [];
    while (numbers.length < want.length) {
      const event = await each.next();
      if (event?.type === 'MODIFIED') numbers.push((event.object as Reply)['data'].n);
    }
    return numbers;
  });
  for (const n of want) await admin.patch(`${NS}/configmaps/a`, { data: { n } });
  for (const numbers of await Promise.all(seen)) assert.deepEqual(numbers, want);
  for (const each of watching) await each[Symbol.asyncDispose]();
});

test('http: only an administrator may act for somebody else', async () => {
  await using web = await startWeb();
  const as = { 'impersonate-user': 'joe', 'impersonate-group': 'staff' };
  const refused = json(await web.send('GET', `${NS}/pods`, { headers: as }));
  assert.match(refused['message'], /^pods is forbidden: User "joe" cannot list/);
  const joe = await web.served.credentials('joe', []);
  const tls = { ca: web.served.ca.certificate, certificate: joe.certificate, key: joe.key };
  using client = new HttpClient({ kind: 'tls', host: '127.0.0.1', port: web.served.port, tls });
  const denied = await client.request(
    { method: 'GET', path: '/version', headers: { 'impersonate-user': 'admin' } },
    never,
  );
  assert.equal(
    json(denied)['message'],
    'users "admin" is forbidden: User "joe" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
});

test('http: a client that does not read its watch is cut off, and the others are not', async () => {
  await using web = await startWeb();
  const { certificate, key } = await web.served.credentials('admin', ['system:masters']);
  const socket = connectTls({
    host: '127.0.0.1',
    port: web.served.port,
    ca: web.served.ca.certificate,
    cert: certificate,
    key,
    ALPNProtocols: ['http/1.1'],
  });
  await once(socket, 'secureConnect');
  socket.write(`GET ${NS}/configmaps?watch=1&timeoutSeconds=60 HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  await web.send('POST', `${NS}/configmaps`, { body: configMap('a') });
  assert.equal(web.served.server.watches.size, 1);
  for (let n = 0; n < 60 && web.served.server.watches.size > 0; n++) {
    const data = { n: String(n), bulk: 'x'.repeat(500_000) };
    await web.send('PATCH', `${NS}/configmaps/a`, {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { data },
    });
  }
  assert.equal(web.served.server.watches.size, 0);
  let seen = '';
  socket.on('data', (chunk) => (seen = (seen + String(chunk)).slice(-2000)));
  socket.resume();
  await once(socket, 'data');
  await new Promise<void>((resolve) => {
    const look = (): void => (seen.includes('"type":"ERROR"') ? resolve() : void setTimeout(look, 10));
    look();
  });
  assert.match(seen, /the watch was closed because its reader is too slow/);
  socket.destroy();
});
