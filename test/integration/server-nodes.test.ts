import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import test from 'node:test';
import type { HttpResponse } from '#wire/http-client.ts';
import { issue } from '#wire/certificates.ts';
import { HttpServer } from '#wire/http-server.ts';
import { NS, pod } from '#test/integration/server-table.ts';
import { json, startWeb, text, type Web } from '#test/integration/support/server-web.ts';

/** A node's own server that answers with what it was asked. */
async function fakeNode(web: Web): Promise<HttpServer> {
  const { ca } = web.served;
  const leaf = await issue(ca, { kind: 'server', commonName: 'system:node:n1', names: ['127.0.0.1'] }, Date.now());
  const node = new HttpServer({
    certificate: leaf.certificate,
    key: leaf.key,
    clientCa: ca.certificate,
    onError: () => {},
    async handler(exchange) {
      if (exchange.url.includes('/missing'))
        return exchange.respond(404, {}, 'previous terminated container "missing" not found');
      const out = exchange.stream(200, { 'content-type': 'text/plain' });
      out.write(`${exchange.peer.certificate?.commonName} asked ${exchange.url}\n`);
      out.end();
    },
    async upgrade(exchange, socket) {
      if (exchange.url.includes('refuse')) return exchange.respond(403, {}, 'not you');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n${exchange.url}\n`,
      );
      socket.pipe(socket);
    },
  });
  const { port } = await node.listen('127.0.0.1', 0);
  await web.send('POST', '/api/v1/nodes', {
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      status: {
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    },
  });
  return node;
}

test('http: logs come from the node; what cannot be asked is said', async () => {
  await using web = await startWeb();
  await using _ = await fakeNode(web);
  const containers = [
    { name: 'a', image: 'x' },
    { name: 'missing', image: 'x' },
  ];
  await web.send('POST', `${NS}/pods`, { body: pod('one', { spec: { nodeName: 'n1' } }) });
  await web.send('POST', `${NS}/pods`, { body: pod('two', { spec: { nodeName: 'n1', containers } }) });
  await web.send('POST', `${NS}/pods`, { body: pod('lost') });
  const log = (name: string, query = ''): Promise<HttpResponse> => web.send('GET', `${NS}/pods/${name}/log${query}`);
  const answer = await log('one', '?tailLines=5&follow=true&previous=false');
  assert.equal(
    text(answer),
    'kube-apiserver-kubelet-client asked /containerLogs/default/one/c?follow=true&previous=false&tailLines=5\n',
  );
  assert.equal(
    json(await log('two'))['message'],
    'a container name must be specified for pod two, choose one of: [a missing]',
  );
  assert.equal(json(await log('two', '?container=x'))['message'], 'container x is not valid for pod two');
  const missing = await log('two', '?container=missing&previous=true');
  assert.deepEqual(
    [missing.status, json(missing)['message']],
    [404, 'previous terminated container "missing" not found'],
  );
  assert.equal(text(await log('lost')), '');
  assert.equal((await log('one', '?tailLines=-1')).status, 400);
});

test('http: exec, attach and port-forward hand the connection to the node, or its refusal', async () => {
  await using web = await startWeb();
  await using _ = await fakeNode(web);
  await web.send('POST', `${NS}/pods`, { body: pod('one', { spec: { nodeName: 'n1' } }) });
  const ask = (path: string): Promise<string> => upgrade(web, `${NS}/pods/${path}`);
  const exec = (name: string, query: string): Promise<string> => ask(`${name}/exec?${query}`);
  const answer = await exec('one', 'command=sh&command=-c&command=echo+hi&stdin=true&stdout=true&tty=false');
  assert.match(answer, /^HTTP\/1.1 101 /);
  assert.match(answer, /\/exec\/default\/one\/c\?command=sh&command=-c&command=echo\+hi&input=1&output=1\nping$/);
  assert.match(await exec('one', 'command=refuse'), /^HTTP\/1.1 403 [^]*not you/);
  assert.match(await ask('one/attach?stdin=true&stderr=true'), /\/attach\/default\/one\/c\?input=1&error=1\nping$/);
  assert.match(await ask('one/attach?container=x'), /^HTTP\/1.1 400 [^]*container x is not valid for pod one/);
  assert.match(await ask('one/portforward'), /\/portForward\/default\/one\nping$/);
  assert.match(await ask('one/portforward?ports=80&ports=81'), /\/portForward\/default\/one\?port=80&port=81\nping$/);
  await web.send('POST', `${NS}/pods`, { body: pod('lost') });
  assert.match(await ask('lost/portforward'), /^HTTP\/1.1 400 [^]*pod lost does not have a host assigned/);
  assert.match(await exec('nope', 'command=sh'), /^HTTP\/1.1 404 [^]*pods \\"nope\\" not found/);
});

async function upgrade(web: Web, path: string): Promise<string> {
  const { certificate, key } = await web.served.credentials('admin', ['system:masters']);
  const socket: TLSSocket = connectTls({
    host: '127.0.0.1',
    port: web.served.port,
    ca: web.served.ca.certificate,
    cert: certificate,
    key,
    ALPNProtocols: ['http/1.1'],
  });
  await once(socket, 'secureConnect');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n`);
  let seen = '';
  let sent = false;
  for await (const chunk of socket) {
    seen += String(chunk);
    // A refusal ends with the connection.
    if (!seen.startsWith('HTTP/1.1 101')) continue;
    if (!sent && /\/(exec|attach|portForward)\//.test(seen)) {
      sent = true;
      socket.write('ping');
    }
    if (seen.endsWith('ping')) break;
  }
  socket.destroy();
  return seen;
}
