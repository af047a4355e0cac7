import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod } from '#api/generated/core-v1.ts';
import { E2eCluster, peapod, peapodBinary, type Ran, run, until } from '#test/e2e/support/cluster.ts';
import { sleeper } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

const program = join(import.meta.dirname, '../../src/main/peapod.ts');

const left = async (cluster: E2eCluster): Promise<readonly unknown[]> =>
  Object.entries(await cluster.remains()).filter(([, some]) => some.length > 0);

test('help: of every command, on standard output', async () => {
  const commands = [
    '',
    'up',
    'down',
    'status',
    'why',
    'simulate',
    'kubeconfig',
    'image',
    'image load',
    'image pull',
    'image list',
  ];
  const texts = await Promise.all(
    commands.map(async (command) => {
      const words = command.split(' ').filter((word) => word !== '');
      return { command, ran: await peapod([...words, '--help']) };
    }),
  );
  for (const { command, ran } of texts) {
    assert.deepEqual([command, ran.code, ran.stderr], [command, 0, '']);
    assert.match(ran.stdout, new RegExp(`^Usage: peapod ${command}`));
  }
  for (const option of [
    '-f, ',
    '--port',
    '--runtime',
    '--registry-mirror',
    '--images',
    '--detach',
    '--name',
    '--data-dir',
  ])
    assert.ok(texts[1]!.ran.stdout.includes(option), option);
});

test('wrong usage: one line, and 2', async () => {
  const wrong: readonly (readonly [RegExp, ...string[]])[] = [
    [/^peapod: unknown command 'upp'/, 'upp'],
    [/^peapod: unknown option '--colour'/, 'up', '--colour'],
    [/^peapod: .*--port.*A port is a number from 1 to 65535\./, 'up', '--port', '70000'],
    [/^peapod: .*--runtime.*It is containerd, simulated or unix:\/\/\/SOCKET\./, 'up', '--runtime', 'docker'],
    [/^peapod: .*--images.*Allowed choices are auto, hub, kit\./, 'up', '--images', 'some'],
    [/^peapod: missing required argument 'FILE'/, 'image', 'load'],
    [/^peapod: a command is missing/],
  ];
  const all = await Promise.all(wrong.map(async ([message, ...args]) => ({ message, ran: await peapod(args) })));
  for (const { message, ran } of all) {
    assert.deepEqual([ran.code, ran.stdout], [2, ''], ran.stderr);
    assert.match(ran.stderr, message);
    assert.match(ran.stderr, /^[^\n]+ \(see `peapod[a-z ]* --help`\)\n$/);
  }
});

test('where nothing runs: each command says so', async () => {
  const cluster = E2eCluster.reserve('nowhere');
  const data = join(cluster.dataDir, 'none');
  const global = ['--name', 'nowhere', '--data-dir', data];
  const down = await peapod(['down', ...global]);
  assert.deepEqual([down.code, down.stdout], [0, `cluster nowhere does not run, and has no data in ${data}\n`]);
  for (const command of [['status'], ['kubeconfig'], ['image', 'list'], ['image', 'pull', 'nginx']]) {
    const ran = await peapod([...command, ...global]);
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, /^peapod: [^\n]*`peapod up`[^\n]*\n$/);
  }
  assert.equal(existsSync(data), false, 'asking leaves nothing behind');
  await cluster[Symbol.asyncDispose]();
});

onCluster('command-line', {
  'status: for people and for programs': async (cluster) => {
    const json = await peapod(['status', ...cluster.global, '-o', 'json']);
    assert.equal(json.code, 0, json.stderr);
    const status = JSON.parse(json.stdout) as Record<string, unknown> & { pid: number; images: { registry: string } };
    const { registry } = status.images;
    assert.deepEqual(status, {
      pid: status.pid,
      api: `https://127.0.0.1:${cluster.port}`,
      nodes: [{ name: 'command-line-node1', ready: true }],
      simulatedNodes: { count: 0, ready: 0 },
      runtime: 'containerd',
      images: { mode: 'kit', why: '--images kit', registry },
      dataDir: cluster.dataDir,
    });
    assert.doesNotThrow(() => process.kill(status.pid, 0));
    const text = (await peapod(['status', ...cluster.global])).stdout;
    for (const line of [
      `API server   https://127.0.0.1:${cluster.port} (pid ${status.pid})`,
      'node         command-line-node1 Ready',
      'runtime      containerd',
      `registry     ${registry}`,
      `data         ${cluster.dataDir}`,
    ])
      assert.ok(text.split('\n').includes(line), `${line}\nis missing in\n${text}`);
  },

  'kubeconfig: printed as it stands in the data dir, for its owner alone': async (cluster) => {
    const printed = await peapod(['kubeconfig', ...cluster.global]);
    assert.equal(printed.stdout, readFileSync(cluster.kubeconfig, 'utf8'));
    assert.equal(statSync(cluster.kubeconfig).mode & 0o777, 0o600);
    assert.equal(statSync(cluster.dataDir).mode & 0o777, 0o700);
    assert.match(await cluster.ok('config', 'current-context'), /^command-line$|^peapod-command-line$/m);
  },

  'up: a second time, with files and without': async (cluster) => {
    const pid = await cluster.pid();
    for (const detach of [[], ['--detach']]) {
      const again = await peapod(['up', ...cluster.global, ...detach]);
      assert.equal(again.code, 1);
      assert.equal(
        again.stderr,
        `peapod: another peapod (pid ${pid}) runs on ${cluster.dataDir}; \`peapod down\` stops it, or choose another --data-dir\n`,
      );
    }
    const file = join(cluster.dataDir, 'pod.yaml');
    writeFileSync(file, sleeper('first'));
    const applied = await peapod(['up', ...cluster.global, '-f', file], { timeoutMs: 60_000 });
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(
      applied.stdout,
      new RegExp(`^cluster command-line runs already \\(pid ${pid}\\); applying to it$`, 'm'),
    );
    assert.match(applied.stdout, /^first   1\/1     Running   0 /m);
    assert.equal(await cluster.pid(), pid);
  },

  'up -f: what cannot be applied, and where': async (cluster) => {
    const file = join(cluster.dataDir, 'broken.yaml');
    const up = (text: string): Promise<Ran> => {
      writeFileSync(file, text);
      return peapod(['up', ...cluster.global, '-f', file], { timeoutMs: 30_000 });
    };
    const broken = await up('apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n   labels: {}\n');
    assert.equal(broken.code, 1);
    assert.match(broken.stdout + broken.stderr, /^peapod: \S*broken\.yaml:4:9: .*\n +4 \|   name: a\n +\| +\^$/m);
    const unknown = await up(sleeper('b').replace('"image"', '"imag"'));
    assert.equal(unknown.code, 1);
    assert.match(unknown.stdout + unknown.stderr, /broken\.yaml:1: .*unknown field "spec\.containers\[0\]\.imag"/);
    const invalid = await up(sleeper('b').replace('"main"', '"Main"'));
    assert.equal(invalid.code, 1);
    assert.match(invalid.stdout + invalid.stderr, /spec\.containers\[0\]\.name: Invalid value: "Main"/);
    const missing = await peapod(['up', ...cluster.global, '-f', '/no/such/file.yaml']);
    assert.deepEqual([missing.code, missing.stderr], [1, 'peapod: the path "/no/such/file.yaml" does not exist\n']);
  },

  'a second cluster beside it, and neither knows of the other': async (cluster) => {
    await using other = await E2eCluster.start('command-line-2');
    assert.match(await other.ok('get', 'nodes', '-o', 'name'), /^node\/command-line-2-node1$/m);
    assert.equal((await other.ok('get', 'pods', '-A', '-o', 'name')).trim(), '');
    await other.apply(sleeper('first'));
    await other.ok('wait', '--for=condition=Ready', 'pod/first', '--timeout=30s');
    const address = async (one: E2eCluster): Promise<string> => (await one.get<Pod>('pod', 'first')).status!.podIP!;
    assert.notEqual(
      (await address(other)).split('.')[1],
      (await address(cluster)).split('.')[1],
      'ranges of their own',
    );
    const stopped = await peapod(['down', ...other.global]);
    assert.match(stopped.stdout, /^cluster command-line-2 is stopped; its data is kept in /);
    assert.deepEqual(await left(other), []);
    assert.match(await cluster.ok('get', 'pod', 'first'), /^first +1\/1 +Running /m);
  },

  'SIGTERM leaves containers running, and the next up adopts them': async (cluster) => {
    const before = await cluster.get<Pod>('pod', 'first');
    process.kill(await cluster.pid(), 'SIGTERM');
    await until(
      'the end',
      () => peapod(['status', ...cluster.global]),
      ({ code }) => code === 1,
    );
    assert.ok((await cluster.remains()).shims.length > 0, 'its containers run on');
    await cluster.up();
    await sameContainers(cluster, before);
  },

  'kill -9 does no more harm': async (cluster) => {
    const before = await cluster.get<Pod>('pod', 'first');
    process.kill(await cluster.pid(), 'SIGKILL');
    await until(
      'the end',
      () => peapod(['status', ...cluster.global]),
      ({ code }) => code === 1,
    );
    await cluster.up();
    await sameContainers(cluster, before);
  },

  'down and up: pods come back, started once more, at a new address': async (cluster) => {
    const before = await cluster.get<Pod>('pod', 'first');
    assert.equal((await peapod(['down', ...cluster.global])).code, 0);
    assert.deepEqual(await left(cluster), []);
    await cluster.up();
    const after = await until(
      'a second life',
      () => cluster.get<Pod>('pod', 'first'),
      ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1 && status.containerStatuses[0].ready,
    );
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.notEqual(
      after.status!.containerStatuses![0]!.containerID,
      before.status!.containerStatuses![0]!.containerID,
    );
    assert.ok(after.status!.podIP !== undefined && after.status!.podIP !== before.status!.podIP);
    await cluster.ok('exec', 'first', '--', 'true');
  },
});

/** The same ones, started when they were, and kubectl reaches them. */
async function sameContainers(cluster: E2eCluster, before: Pod): Promise<void> {
  await cluster.ok('wait', '--for=condition=Ready', 'pod/first', '--timeout=20s');
  const [was] = before.status!.containerStatuses!;
  const [is] = (await cluster.get<Pod>('pod', 'first')).status!.containerStatuses!;
  assert.deepEqual([is!.containerID, is!.restartCount, is!.state], [was!.containerID, was!.restartCount, was!.state]);
  assert.equal(await cluster.ok('exec', 'first', '--', 'echo', 'still here'), 'still here\n');
}

test('a port that is taken: said, and nothing is left', async () => {
  await using cluster = E2eCluster.reserve('port-taken');
  const server = createServer().listen(cluster.port, '127.0.0.1');
  try {
    const ran = await peapod([...cluster.upArguments]);
    assert.deepEqual(
      [ran.code, ran.stderr],
      [1, `peapod: port ${cluster.port} is taken: choose another with --port, or stop what listens there\n`],
    );
    assert.deepEqual(await left(cluster), []);
    const detached = await peapod([...cluster.upArguments, '--detach']);
    assert.equal(detached.code, 1);
    assert.match(detached.stderr, /port \d+ is taken/);
    assert.deepEqual(await left(cluster), []);
  } finally {
    server.close();
  }
});

test('Ctrl-C while it is starting: nothing is left', async () => {
  await using cluster = E2eCluster.reserve('interrupted');
  for (const afterMs of [50, 200, 350, 500, 800]) {
    await using up = cluster.upInForeground();
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    up.signal('SIGINT');
    const { code, signal } = await up.ended;
    assert.ok(code === 130 || signal === 'SIGINT', `after ${afterMs} ms: ${code} ${signal}\n${up.output}`);
    assert.deepEqual([afterMs, await left(cluster)], [afterMs, []]);
  }
});

test('not root: refused, with what to do', async () => {
  const cluster = E2eCluster.reserve('not-root');
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, program];
  const ran = await run('setpriv', [...nobody, ...cluster.upArguments], { env: { HOME: '/tmp' } });
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /^peapod: containers need root: run this with sudo, or try --runtime simulated[^\n]*\n$/);
  await cluster[Symbol.asyncDispose]();
});

test('no containerd: said which package brings it', async () => {
  await using cluster = E2eCluster.reserve('no-containerd');
  const ran = await run(process.execPath, [program, ...cluster.upArguments], { env: { PATH: '/nonexistent' } });
  assert.deepEqual(
    [ran.code, ran.stderr],
    [1, 'peapod: containerd is not installed: run `apt-get install containerd`\n'],
  );
  assert.deepEqual(await left(cluster), []);
});

test('no CNI plugins: said which package brings them', async () => {
  await using cluster = E2eCluster.reserve('no-cni');
  const hidden =
    'for one in /usr/lib/cni /opt/cni/bin; do [ ! -d $one ] || mount -t tmpfs none $one || exit; done; exec "$@"';
  // In a mount namespace of its own, so that the plugins are hidden from nobody else.
  const ran = await run('unshare', ['--mount', 'sh', '-c', hidden, 'sh', peapodBinary, ...cluster.upArguments]);
  assert.equal(ran.code, 1);
  assert.match(
    ran.stderr,
    /^peapod: the CNI plugins bridge, host-local, loopback are not installed in [^\n]*: run `apt-get install containernetworking-plugins`\n$/,
  );
  assert.deepEqual(await left(cluster), []);
});
