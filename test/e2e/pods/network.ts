/** Addresses and ports of pods. */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { Stage, Story } from '#test/e2e/pods/stage.ts';
import { type Ran, until } from '#test/e2e/support/cluster.ts';
import { idle, testserver } from '#test/e2e/support/pod-watch.ts';

export const networkStories: readonly Story[] = [
  ['the containers of a pod share an address, and reach other pods', network],
  ['a pod in the network of its host', hostNetwork],
  ['a hostPort is reached on the loopback', hostPort],
];

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });

/** The page, or undefined when nobody answers there. */
const page = (port: number, host = '127.0.0.1'): Promise<string | undefined> =>
  new Promise((resolve) => {
    const request = get({ host, port, path: '/', timeout: 2000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(undefined));
  });

async function network({ cluster, pods, create, remove }: Stage): Promise<void> {
  const show = 'ip -o addr show eth0 | sed "s/.*inet6* //; s/ .*//"';
  await create('net-a', { containers: [idle('one'), idle('two'), testserver('web', ['serve'])] });
  await create('net-b', { containers: [idle()] });
  const [a, b] = await Promise.all([pods.running('net-a'), pods.running('net-b')]);
  const [v4, v6] = (a.status?.podIPs ?? []).map(({ ip }) => ip);
  assert.match(v4 ?? '', /^10\.2(4[4-9]|5[0-5])\.1\.\d+$/);
  assert.match(v6 ?? '', /^fd00:10:2(4[4-9]|5[0-5]):1::[0-9a-f]+$/);
  assert.notEqual(v4, b.status?.podIP);
  for (const container of ['one', 'two']) {
    const seen = (await cluster.ok('exec', 'net-a', '-c', container, '--', 'sh', '-c', show)).trim().split('\n');
    assert.deepEqual(seen.slice(0, 2), [`${v4}/24`, `${v6}/64`]);
  }
  // A container that runs need not listen yet.
  const page = async (pod: string, container: string, url: string): Promise<string> => {
    const ask = (): Promise<Ran> =>
      cluster.kubectl('exec', pod, '-c', container, '--', 'timeout', '10', 'wget', '-qO-', url);
    return (await until(`${url} answers`, ask, ({ code }) => code === 0)).stdout;
  };
  assert.equal(await page('net-a', 'one', 'http://127.0.0.1:8080/'), 'testserver on net-a\n');
  assert.equal(await page('net-b', 'c', `http://${v4}:8080/`), 'testserver on net-a\n');
  assert.equal(await page('net-b', 'c', `http://[${v6}]:8080/`), 'testserver on net-a\n');
  await remove('net-a', 'net-b');
}

async function hostNetwork({ pods, create, remove }: Stage): Promise<void> {
  const port = await freePort();
  const args = ['serve', '--http', String(port), '--https', '0', '--tcp', '0', '--grpc', '0'];
  await create('on-host', { hostNetwork: true, containers: [testserver('c', args)] });
  const { status } = await pods.running('on-host');
  assert.equal(status?.podIP, status?.hostIP);
  await until(
    'the page on the loopback',
    () => page(port),
    (text) => text?.startsWith('testserver on') === true,
  );
  await remove('on-host');
}

async function hostPort({ cluster, pods, create, remove }: Stage): Promise<void> {
  const port = await freePort();
  const ports = [
    { name: 'web', containerPort: 8080, hostPort: port },
    { name: 'elsewhere', containerPort: 8080, hostPort: port + 1, hostIP: '127.0.0.2' },
  ];
  await create('mapped', { containers: [testserver('c', ['serve'], { ports })] });
  const { status } = await pods.running('mapped');
  const answer = (text: string | undefined): boolean => text === 'testserver on mapped\n';
  await until('the page on the loopback', () => page(port), answer);
  assert.equal(await page(port + 1), undefined, 'open by another address only');
  assert.ok(answer(await page(port + 1, '127.0.0.2')));
  // By the host's address from itself, from the pod and from another one on the same bridge.
  const host = status?.hostIP ?? '';
  assert.ok(answer(await page(port, host)));
  await create('beside', { containers: [idle()] });
  await pods.running('beside');
  for (const pod of ['mapped', 'beside']) {
    const wget = ['timeout', '10', 'wget', '-qO-', `http://${host}:${port}/`];
    assert.equal(await cluster.ok('exec', pod, '--', ...wget), 'testserver on mapped\n', pod);
  }
  await remove('beside');
  await cluster.ok('delete', 'pod', 'mapped', '--now');
  const closed = (text: string | undefined): boolean => text === undefined;
  await until('the port is free again', () => page(port), closed, 10_000);
}
