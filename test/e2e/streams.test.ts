import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { PodStatus } from '#api/generated/core-v1.ts';
import { readKubeconfig } from '#client/kubeconfig.ts';
import { Background } from '#test/e2e/support/background.ts';
import { type E2eCluster, type Ran, run, type RunOptions, until } from '#test/e2e/support/cluster.ts';
import { sleeperCommand } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

/** An echo server beside a sleeper, one that answers what it is told, and a shell at a terminal. */
const pod = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'streams' },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      { name: 'main', image: 'busybox', command: ['sh', '-c', `nc -ll -p 7000 -e cat & ${sleeperCommand}`] },
      {
        name: 'answers',
        image: 'busybox',
        stdin: true,
        command: ['sh', '-c', 'echo begun; while read line; do echo "heard $line"; done; sleep 1000'],
      },
      { name: 'shell', image: 'busybox', stdin: true, tty: true, command: ['sh'] },
      { name: 'echo', image: 'peapod/testserver', args: ['serve', '--tcp', '7001'] },
    ],
  },
});

/** As it is today (WebSockets, with what is not WebSocket inside), and as it was (SPDY). */
const kubectls = ['kubectl', 'kubectl-1.20'] as const;
type Kubectl = (typeof kubectls)[number];

const environment = (cluster: E2eCluster): Readonly<Record<string, string>> => ({
  KUBECONFIG: cluster.kubeconfig,
  HOME: cluster.dataDir,
  PATH: `${cluster.toolsDirectory}:${process.env['PATH'] ?? ''}`,
});

const ran = (cluster: E2eCluster, kubectl: Kubectl, args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  run(join(cluster.toolsDirectory, kubectl), args, { timeoutMs: 30_000, ...options, env: environment(cluster) });

const main = ['streams', '-c', 'main'] as const;

/** At a terminal of 33 lines, where `$tty` is its name. */
const atTerminal = (cluster: E2eCluster, script: string): Promise<Ran> =>
  run('script', ['-qec', `stty rows 33 cols 101; tty=$(tty); ${script}; echo "code $?"`, '/dev/null'], {
    env: { ...environment(cluster), SHELL: '/bin/sh' },
    timeoutMs: 30_000,
  });

/** What comes back from a connection on which all of `text` was sent, and then its end. */
async function echoed(host: string, port: number, text: string): Promise<string> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.end(text);
  let all = '';
  for await (const chunk of socket.setEncoding('latin1')) all += String(chunk);
  return all;
}

const processes = async (cluster: E2eCluster, mark: string): Promise<number> =>
  (await cluster.ok('exec', ...main, '--', 'ps', '-o', 'args')).split('\n').filter((line) => line.includes(mark))
    .length;

/** What a bare WebSocket client is sent, until the server closes the connection. */
async function messagesOf(cluster: E2eCluster, path: string, protocol: string): Promise<readonly Buffer[]> {
  const {
    certificateAuthority: ca,
    clientCertificate: cert,
    clientKey: key,
  } = await readKubeconfig(cluster.kubeconfig);
  const url = `wss://127.0.0.1:${cluster.port}/api/v1/namespaces/default/pods/streams/${path}`;
  const client = new WebSocket(url, protocol, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
  const messages: Buffer[] = [];
  client.on('message', (message: Buffer) => messages.push(message));
  await once(client, 'close');
  assert.equal(client.protocol, protocol);
  return messages;
}

/** Exec, attach, port-forward, cp and debug, by both kubectls and without one. */
onCluster('streams', {
  'exec: output, exit codes, standard input to its end': async (cluster) => {
    await cluster.apply(pod);
    await cluster.ok('wait', '--for=condition=Ready', 'pod/streams', '--timeout=60s');
    for (const kubectl of kubectls) {
      const both = await ran(cluster, kubectl, ['exec', ...main, '--', 'sh', '-c', 'echo out; echo err >&2; exit 5']);
      assert.deepEqual([both.stdout, both.code], ['out\n', 5], kubectl);
      assert.match(both.stderr, /^err\ncommand terminated with exit code 5$/m);
      assert.equal((await ran(cluster, kubectl, ['exec', ...main, '--', 'true'])).code, 0);
      const counted = await ran(cluster, kubectl, ['exec', '-i', ...main, '--', 'wc', '-l'], { input: 'a\nb\nc\n' });
      assert.deepEqual([counted.stdout.trim(), counted.code], ['3', 0], kubectl);
      const missing = await ran(cluster, kubectl, ['exec', ...main, '--', 'no-such-command']);
      assert.match(missing.stderr, /exec: "no-such-command": executable file not found in \$PATH/);
      assert.notEqual(missing.code, 0);
    }
  },

  // [sig-node] Pods should support remote command execution over websockets
  // [sig-node] Pods should support retrieving logs from the container over websockets
  'exec and logs over a bare WebSocket': async (cluster) => {
    const command = ['echo', 'over a WebSocket'].map((word) => `command=${encodeURIComponent(word)}`).join('&');
    for (const protocol of ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io']) {
      const told = await messagesOf(cluster, `exec?container=main&stdout=1&stderr=1&${command}`, protocol);
      const output = told.filter((message) => message[0] === 1).map((message) => message.subarray(1).toString());
      assert.equal(output.join(''), 'over a WebSocket\n', protocol);
    }
    const log = await cluster.ok('logs', 'streams', '-c', 'answers');
    const [ping, ...pieces] = await messagesOf(cluster, 'log?container=answers', 'binary.k8s.io');
    assert.equal(ping?.length, 0, 'an empty message comes first');
    assert.equal(Buffer.concat(pieces).toString(), log);
    assert.match(log, /^begun$/m);
    const texts = await messagesOf(cluster, 'log?container=answers', 'base64.binary.k8s.io');
    assert.equal(Buffer.concat(texts.map((text) => Buffer.from(text.toString(), 'base64'))).toString(), log);
  },

  'exec: 20 MB in and 20 MB out at the same time': async (cluster) => {
    const input = randomBytes(10 << 20).toString('hex');
    for (const kubectl of kubectls) {
      const { stdout, code } = await ran(cluster, kubectl, ['exec', '-i', ...main, '--', 'cat'], { input });
      assert.ok(stdout === input, `${kubectl}: ${stdout.length} of ${input.length} bytes`);
      assert.equal(code, 0);
    }
  },

  'exec -it: the terminal has the size of one’s own, and follows it': async (cluster) => {
    for (const kubectl of kubectls) {
      // The size is told beside the command's start, so it may come a moment later.
      const inside = [
        'until [ "$(stty size)" = "33 101" ]; do sleep 0.1; done; echo sized',
        'trap "stty size; exit 3" WINCH; while :; do sleep 0.1; done',
      ].join('; ');
      // The new size is set again and again: one that comes before kubectl listens goes unheard, and only changes are told.
      const resize = 'for i in 1 2 3 4 5 6; do sleep 1; stty -F $tty rows 50 cols $((120+i)); done';
      const told = await atTerminal(
        cluster,
        `(${resize}) >/dev/null 2>&1 & ${kubectl} exec -it ${main.join(' ')} -- sh -c '${inside}'`,
      );
      assert.match(told.stdout, /sized\r\n50 12\d\r\n[^]*code 3\r$/m, `${kubectl}: ${told.stdout}`);
    }
  },

  'attach: what it says, and what it is told': async (cluster) => {
    for (const kubectl of kubectls) {
      const child = spawn(join(cluster.toolsDirectory, kubectl), ['attach', '-i', 'streams', '-c', 'answers'], {
        env: { ...process.env, ...environment(cluster) },
      });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
      const closed = once(child, 'close');
      child.stdin.write(`I am ${kubectl}\n`);
      await until(
        'an answer',
        async () => said,
        (text) => text.includes(`heard I am ${kubectl}\n`),
      );
      child.stdin.end();
      assert.deepEqual(await closed, [0, null], 'the end of its input ends the client');
    }
    // It lives on for the next one, and that it was told an end was not its own end.
    assert.equal(
      await cluster.ok('get', 'pod', 'streams', '-o', 'jsonpath={.status.containerStatuses[*].restartCount}'),
      '0 0 0 0',
    );
    const none = await cluster.kubectl('attach', 'streams', '-c', 'nobody');
    assert.match(none.stderr, /container nobody (is not valid for pod streams|not found in pod streams)/);
  },

  'attach -it: the container’s own terminal': async (cluster) => {
    for (const kubectl of kubectls) {
      const input = `(sleep 1.5; echo 'stty size; echo seen $((20+3))'; sleep 1.5)`;
      const told = await atTerminal(cluster, `${input} | timeout 10 ${kubectl} attach -it streams -c shell`);
      assert.match(told.stdout, /seen 23\r$/m, `${kubectl}: ${told.stdout}`);
      const rows = kubectl === 'kubectl' ? 50 : 51;
      const resize = `for i in 1 2 3; do sleep 1; stty -F $tty rows ${rows} cols $((120+i)); done`;
      const attaching = atTerminal(
        cluster,
        `(${resize}) >/dev/null 2>&1 & timeout --foreground 4 ${kubectl} attach -it streams -c shell`,
      );
      await until(
        'the size of one’s own',
        () => cluster.ok('exec', 'streams', '-c', 'shell', '--', 'stty', '-F', '/proc/1/fd/0', 'size'),
        (size) => new RegExp(`^${rows} 12\\d\n$`).test(size),
      );
      await attaching;
    }
  },

  'port-forward: connections beside each other, both loopbacks, half-closed ones': async (cluster) => {
    for (const kubectl of kubectls) {
      await using forwarding = new Background(
        join(cluster.toolsDirectory, kubectl),
        ['port-forward', 'pod/streams', ':7000', ':7999', ':7001'],
        environment(cluster),
      );
      const [, port] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> 7000/);
      await forwarding.printed(/Forwarding from \[::1\]:\d+ -> 7000/);
      const [, closedPort] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> 7999/);
      const text = randomBytes(300_000).toString('hex');
      const hosts = ['127.0.0.1', '::1', '127.0.0.1'];
      const all = await Promise.all(hosts.map((host, index) => echoed(host, Number(port), `${index} ${text}`)));
      assert.ok(
        all.every((back, index) => back === `${index} ${text}`),
        `${kubectl}: ${all.map((back) => back.length)}`,
      );
      // Not from busybox's nc, which loses some of so many.
      const [, echoPort] = await forwarding.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> 7001/);
      const many = await Promise.all(
        Array.from({ length: 64 }, (_, index) =>
          echoed('127.0.0.1', Number(echoPort), `${index} ${text.slice(0, 20_000)}`),
        ),
      );
      assert.deepEqual(
        many.map((back) => [parseInt(back), back.length]),
        many.map((_, index) => [index, 20_001 + String(index).length]),
      );
      assert.equal(await echoed('127.0.0.1', Number(closedPort), 'hello').catch(() => ''), '');
      await forwarding.printed(/error occurred forwarding \d+ -> 7999: [^]*connection refused/);
      if (kubectl === 'kubectl-1.20') assert.equal(await echoed('127.0.0.1', Number(port), 'still'), 'still');
    }
  },

  'cp: there and back': async (cluster) => {
    const [here, back] = [join(cluster.dataDir, 'here'), join(cluster.dataDir, 'back')];
    const bytes = randomBytes(5 << 20);
    writeFileSync(here, bytes);
    for (const kubectl of kubectls) {
      const there = await ran(cluster, kubectl, ['cp', here, `streams:/tmp/${kubectl}`, '-c', 'main']);
      assert.equal(there.code, 0, there.stderr);
      const returned = await ran(cluster, kubectl, ['cp', `streams:/tmp/${kubectl}`, back, '-c', 'main']);
      assert.equal(returned.code, 0, returned.stderr);
      assert.ok(readFileSync(back).equals(bytes), kubectl);
    }
  },

  'exec: 64 at once': async (cluster) => {
    const codes = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const command = ['sh', '-c', `read word; echo "$word ${index}"; exit ${index % 7}`];
        const kubectl = kubectls[index % 2]!;
        const options = { input: 'word\n', timeoutMs: 60_000 };
        const { code, stdout } = await ran(cluster, kubectl, ['exec', '-i', ...main, '--', ...command], options);
        return [code, stdout];
      }),
    );
    assert.deepEqual(
      codes,
      Array.from({ length: 64 }, (_, index) => [index % 7, `word ${index}\n`]),
    );
  },

  'exec: a client that is killed leaves nothing running': async (cluster) => {
    for (const kubectl of kubectls) {
      const mark = `left-by-${kubectl}`;
      const child = spawn(
        join(cluster.toolsDirectory, kubectl),
        ['exec', '-i', ...main, '--', 'sh', '-c', 'cat; true', mark],
        { env: { ...process.env, ...environment(cluster) }, stdio: ['pipe', 'ignore', 'ignore'] },
      );
      child.stdin.write('begun\n');
      await until(
        'it to run',
        () => processes(cluster, mark),
        (count) => count === 1,
      );
      child.kill('SIGKILL');
      await until(
        'it to be gone',
        () => processes(cluster, mark),
        (count) => count === 0,
        10_000,
      );
    }
  },

  // [sig-node] Ephemeral Containers will start an ephemeral container in an existing pod
  // [sig-node] Ephemeral Containers should update the ephemeral containers in an existing pod
  'debug: a container that is added, runs once, and sees what it looks into': async (cluster) => {
    const inside = 'read line; echo "told $line"; ps -o args; exit 3';
    const child = spawn(
      join(cluster.toolsDirectory, 'kubectl'),
      ['debug', '-i', 'streams', '-c', 'looker', '--image=busybox', '--target=main', '--', 'sh', '-c', inside],
      { env: { ...process.env, ...environment(cluster) } },
    );
    let said = '';
    for (const out of [child.stdout, child.stderr])
      out.setEncoding('utf8').on('data', (text: string) => (said += text));
    const closed = once(child, 'close');
    child.stdin.write('something\n');
    await closed;
    assert.match(said, /told something\n[^]*nc -ll -p 7000/);
    interface Shown {
      readonly metadata: { readonly generation: number };
      readonly spec: { readonly ephemeralContainers: readonly { readonly image: string }[] };
      readonly status: PodStatus;
    }
    const shown = await until(
      'its end to be told',
      () => cluster.get<Shown>('pod', 'streams'),
      ({ status }) => status.ephemeralContainerStatuses?.[0]?.state?.terminated !== undefined,
    );
    const [looker] = shown.status.ephemeralContainerStatuses ?? [];
    assert.deepEqual([looker?.state?.terminated?.exitCode, looker?.restartCount, looker?.ready], [3, 0, false]);
    assert.deepEqual([shown.metadata.generation, shown.status.observedGeneration], [2, 2]);
    assert.equal(shown.status.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
    assert.match(await cluster.ok('logs', 'streams', '-c', 'looker'), /^told something\n/);
    const path = '/api/v1/namespaces/default/pods/streams/ephemeralcontainers';
    const other = {
      ...shown,
      spec: { ephemeralContainers: [{ ...shown.spec.ephemeralContainers[0], image: 'other' }] },
    };
    const changed = await cluster.kubectlWith({ input: JSON.stringify(other) }, 'replace', '--raw', path, '-f', '-');
    assert.match(changed.stderr, /existing ephemeral containers "looker" may not be changed/);
    const more = { name: 'second', image: 'busybox', command: ['true'] };
    const both = { ...shown, spec: { ephemeralContainers: [...shown.spec.ephemeralContainers, more] } };
    const added = await cluster.kubectlWith({ input: JSON.stringify(both) }, 'replace', '--raw', path, '-f', '-');
    assert.equal(added.code, 0, added.stderr);
    const codes = '{.status.ephemeralContainerStatuses[*].state.terminated.exitCode}';
    await until(
      'the second to have run',
      () => cluster.ok('get', 'pod', 'streams', '-o', `jsonpath=${codes}`),
      (text) => text === '3 0',
    );
  },

  'streams of what does not run are refused': async (cluster) => {
    await cluster.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'half' },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          containers: [
            { name: 'runs', image: 'busybox', command: ['sh', '-c', sleeperCommand] },
            { name: 'ended', image: 'busybox', command: ['true'] },
          ],
        },
      }),
    );
    const ended = '{.status.containerStatuses[?(@.name=="ended")].state.terminated.exitCode}';
    await until(
      'one to end',
      () => cluster.ok('get', 'pod', 'half', '-o', `jsonpath=${ended}`),
      (code) => code === '0',
    );
    for (const kubectl of kubectls) {
      const exec = await ran(cluster, kubectl, ['exec', 'half', '-c', 'ended', '--', 'true']);
      assert.match(exec.stderr, /container not found \("ended"\)/);
      assert.notEqual(exec.code, 0);
      const attach = await ran(cluster, kubectl, ['attach', 'half', '-c', 'ended']);
      assert.match(attach.stderr, /container ended not found in pod half_default/);
    }
  },
});
