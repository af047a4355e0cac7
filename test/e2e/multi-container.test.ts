import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod, PodList } from '#api/generated/core-v1.ts';
import { nodePaths } from '#host/data-dir.ts';
import { E2eCluster, examples, run, until } from '#test/e2e/support/cluster.ts';
import { signedRequest } from '#test/e2e/support/s3.ts';

const NAMESPACE = 'multi-container';
const POD = 'multi-container-pod';
const manifest = join(examples, 'multi-container-pod.yaml');
// Kept open for a moment: a server takes a client that has closed its side for one that has gone.
const toS3 = '{ cat; sleep 0.5; } | timeout 10 nc 127.0.0.1 9000';
const names = ['container1', 'container2', 'container3'] as const;

test('three containers behind one address', async (context) => {
  await using cluster = E2eCluster.reserve('multi');
  await using up = cluster.upInForeground('-f', manifest);
  const node = `${cluster.name}-node1`;
  const inside = (container: string, ...command: readonly string[]): Promise<string> =>
    cluster.ok('exec', '-n', NAMESPACE, POD, '-c', container, '--', ...command);

  await context.test('up -f: makes the namespace, shows what happens, then the table of kubectl', async () => {
    const row = new RegExp(
      `^${POD}   3/3     Running   0          \\d+s    10\\.2\\d\\d\\.1\\.3   ${node}   <none>           <none>$`,
      'm',
    );
    await up.printed(row, 60_000);
    await up.printed(/export KUBECONFIG=(\S+)/);
    assert.match(up.output, /^namespace\/multi-container created$/m);
    assert.match(up.output, /^pod\/multi-container-pod created$/m);
    for (const image of ['nginx', 'mysql', 'minio/minio'])
      assert.match(up.output, new RegExp(`^${POD}: pulling ${image}$`, 'm'));
    for (const name of names) assert.match(up.output, new RegExp(`^${POD}: ${name} started$`, 'm'));
    const [header, told] = (await cluster.ok('get', 'pod', '-n', NAMESPACE, '-o', 'wide')).split('\n');
    const withNode = 'NODE'.padEnd(node.length);
    assert.equal(
      header,
      `NAME                  READY   STATUS    RESTARTS   AGE   IP           ${withNode}   NOMINATED NODE   READINESS GATES`,
    );
    assert.match(told!, row);
    assert.ok(up.output.includes(header), 'both have the same header');
  });

  await context.test('the manifest is taken as it stands', async () => {
    const pod = await cluster.get<Pod>('pod', POD, '-n', NAMESPACE);
    assert.deepEqual(
      pod.spec.containers.map(({ name, image }) => [name, image]),
      [
        ['container1', 'nginx'],
        ['container2', 'mysql'],
        ['container3', 'minio/minio'],
      ],
    );
    const diff = await cluster.kubectl('diff', '-f', manifest);
    assert.deepEqual([diff.code, diff.stdout], [0, ''], 'nothing differs from what was applied');
    assert.match(readFileSync(manifest, 'utf8'), /mountPath: \/usr\/share\/nginx\/\n/);
  });

  await context.test('the same eth0 with the same addresses in each container', async () => {
    const seen = await Promise.all(names.map((name) => inside(name, 'ip', 'addr', 'show', 'eth0')));
    const { podIP, podIPs } = (await cluster.get<Pod>('pod', POD, '-n', NAMESPACE)).status!;
    assert.match(podIP!, /^10\.2\d\d\.1\.\d+$/);
    for (const text of seen) {
      assert.equal(/inet (\S+)/.exec(text)?.[1], `${podIP}/24`);
      assert.equal(/inet6 (fd\S+)/.exec(text)?.[1], `${podIPs![1]!.ip}/64`);
      assert.equal(text.split('\n')[0], seen[0]!.split('\n')[0], 'index, flags and mtu');
    }
    const links = await Promise.all(names.map((name) => inside(name, 'readlink', '/proc/self/ns/net')));
    assert.equal(new Set(links).size, 1);
    const hosts = await Promise.all(names.map((name) => inside(name, 'hostname')));
    assert.deepEqual(new Set(hosts), new Set([`${POD}\n`]));
  });

  await context.test('container to container on 127.0.0.1: nginx has nothing to show', async () => {
    for (const name of ['container2', 'container3'] as const) {
      const got = await cluster.kubectl(
        'exec',
        '-n',
        NAMESPACE,
        POD,
        '-c',
        name,
        '--',
        'timeout',
        '10',
        'wget',
        '-O-',
        'http://127.0.0.1/',
      );
      assert.match(got.stderr, /HTTP\/1\.1 404 Not Found/);
      assert.notEqual(got.code, 0);
    }
  });

  await context.test("container to container on 127.0.0.1: MySQL's greeting, and its root password", async () => {
    for (const name of ['container1', 'container3'] as const) {
      const greeting = await until(
        'the greeting',
        () => inside(name, 'sh', '-c', 'timeout 5 nc 127.0.0.1 3306 </dev/null || true'),
        (text) => text !== '',
      );
      // Three bytes of length, a sequence number, protocol 10, the version, a zero.
      assert.match(greeting, /\n[0-9][\w.:~+-]*\0/);
    }
    const client = ['exec', '-n', NAMESPACE, POD, '-c', 'container2', '--', 'mysql', '-h127.0.0.1', '-uroot'];
    const sql = (password: string): readonly string[] => [...client, `-p${password}`, '-Ne', 'select 40 + 2'];
    assert.equal(await cluster.ok(...sql('root')), '42\n');
    assert.match((await cluster.kubectl(...sql('wrong'))).stderr, /ERROR 1045/);
  });

  await context.test('container to container on 127.0.0.1: S3 checks its keys', async () => {
    const ask = async (method: string, path: string, keys: readonly [string, string], body = ''): Promise<string> => {
      const [accessKey, secretKey] = keys;
      const input = signedRequest({ method, host: '127.0.0.1:9000', path, body, accessKey, secretKey });
      const command = ['exec', '-i', '-n', NAMESPACE, POD, '-c', 'container1', '--', 'sh', '-c', toS3];
      return (await cluster.kubectlWith({ input, timeoutMs: 20_000 }, ...command)).stdout;
    };
    const right = ['minio', 'minio123'] as const;
    assert.match(await ask('PUT', '/pages', right), /^HTTP\/1\.1 200 /);
    assert.match(await ask('PUT', '/pages/one.txt', right, 'kept by its key'), /^HTTP\/1\.1 200 /);
    assert.match(await ask('GET', '/pages/one.txt', right), /^HTTP\/1\.1 200 [^]*\r\n\r\nkept by its key/);
    assert.match(
      await ask('GET', '/pages/one.txt', ['minio', 'minio124']),
      /^HTTP\/1\.1 403 [^]*<Code>SignatureDoesNotMatch</,
    );
    assert.match(
      await ask('GET', '/pages/one.txt', ['nobody', 'minio123']),
      /^HTTP\/1\.1 403 [^]*<Code>InvalidAccessKeyId</,
    );
    assert.equal((await inside('container3', 'ls', '/storage')).trim().split('\n').includes('pages'), true);
    assert.match(await inside('container1', 'timeout', '10', 'wget', '-qO-', 'http://127.0.0.1:9001/'), /html/);
  });

  await context.test('the environment: TZ is honoured where it was set, and there alone', async () => {
    assert.equal(await inside('container3', 'date', '+%Z%z'), 'KST+0900\n');
    assert.equal(await inside('container1', 'date', '+%z'), '+0000\n');
    assert.equal(await inside('container3', 'sh', '-c', 'echo $LANG'), 'ko_KR.utf8\n');
  });

  await context.test('a second pod gets a new address; deleted, it gives everything back', async () => {
    const { ipam } = nodePaths(cluster.paths, node);
    const addresses = (): readonly string[] =>
      readdirSync(ipam, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\/(10\.|fd)[^/]*$/.test(file))
        .toSorted();
    const podCgroups = async (): Promise<readonly string[]> => {
      const pattern = `*/peapod/${cluster.paths.scope}/*/pod*`;
      const found = await run('find', [
        '/sys/fs/cgroup',
        '-maxdepth',
        '7',
        '-type',
        'd',
        '-path',
        pattern,
        '-name',
        'pod*',
      ]);
      return found.stdout.split('\n').toSorted();
    };
    const all = async (): Promise<Everything> => ({
      addresses: addresses(),
      cgroups: await podCgroups(),
      links: (await cluster.remains()).links.toSorted(),
      mounts: (await cluster.remains()).mounts.toSorted(),
      logs: readdirSync(nodePaths(cluster.paths, node).logs).toSorted(),
      pods: readdirSync(nodePaths(cluster.paths, node).pods).toSorted(),
    });
    const before = await all();
    await cluster.ok('run', 'second', '--image=busybox', '--restart=Never', '--', 'sleep', '600');
    await cluster.ok('wait', '--for=condition=Ready', 'pod/second', '--timeout=30s');
    const { items } = await cluster.get<PodList>('pods', '--all-namespaces');
    const ips = items.flatMap((pod) => pod.status!.podIPs!.map(({ ip }) => ip));
    assert.equal(new Set(ips).size, 4, `two pods, two families: ${ips.join(' ')}`);
    const during = await all();
    assert.equal(during.addresses.length, before.addresses.length + 2);
    assert.equal(during.links.length, before.links.length + 1);
    for (const kind of ['cgroups', 'mounts', 'pods'] as const)
      assert.ok(during[kind].length > before[kind].length, `${kind}: ${during[kind].join(' ')}`);
    await cluster.ok('delete', 'pod', 'second', '--grace-period=1');
    assert.deepEqual(await all(), before);
  });

  await context.test('the address can be reached from the machine, too', async () => {
    const { podIP } = (await cluster.get<Pod>('pod', POD, '-n', NAMESPACE)).status!;
    assert.equal((await fetch(`http://${podIP}/`, { headers: { connection: 'close' } })).status, 404);
  });

  await context.test('Ctrl-C is down: nothing is left, the data is kept', async () => {
    up.signal('SIGINT');
    assert.deepEqual(await up.ended, { code: 130, signal: null });
    assert.match(up.output, /^stopped: .*data is kept in /m);
    const left = Object.entries(await cluster.remains()).filter(([, some]) => some.length > 0);
    assert.deepEqual(left, []);
    const addresses = await run('ip', ['-j', 'route']);
    assert.ok(!addresses.stdout.includes(`pea${cluster.paths.hash}`));
  });
});

/** All that a pod takes of the machine. */
type Everything = Readonly<Record<'addresses' | 'cgroups' | 'links' | 'mounts' | 'logs' | 'pods', readonly string[]>>;
