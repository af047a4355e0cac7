import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodePaths } from '#host/data-dir.ts';
import { Background } from '#test/e2e/support/background.ts';
import { type E2eCluster, type Ran, run, until } from '#test/e2e/support/cluster.ts';
import { podOf } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

/** One container that counts five times a second, one that has said all it has to say, and one that keeps failing. */
const talker = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'talker', labels: { app: 'talker' } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'counter',
        image: 'busybox',
        command: ['sh', '-c', `trap 'exit 0' TERM; i=0; while true; do i=$((i+1)); echo "line $i"; sleep 0.2; done`],
      },
      {
        name: 'quiet',
        image: 'busybox',
        command: ['sh', '-c', "echo out; echo err >&2; echo '[end]'; trap 'exit 0' TERM; sleep 1000 & wait"],
      },
    ],
  },
});

const failing = podOf('failing', { command: ['sh', '-c', 'echo "life of $(cat /proc/uptime)"; exit 7'] });

/** Says more than its log may hold, every ten seconds. */
const chatty = podOf('chatty', {
  command: ['sh', '-c', `i=0; while true; do i=$((i+1)); echo "line $i ${'x'.repeat(1000)}"; sleep 0.03; done`],
});
/** Follows it from its first line on, while the other stories are told. */
let chattyFollowed: Background | undefined;

const exec = (cluster: E2eCluster, ...args: readonly string[]): Promise<Ran> => cluster.kubectl('exec', ...args);

const smallLogs = { name: 'kubectl-streams', up: ['--log-max-size', '64Ki', '--log-max-files', '3'] };

/** Logs and exec, by kubectl as it is today. */
onCluster(smallLogs, {
  'logs: of one container and of all, the last lines, with times': async (cluster) => {
    await cluster.apply(`${talker}\n---\n${failing}\n---\n${chatty}`);
    await cluster.ok('wait', '--for=condition=Ready', 'pod/talker', 'pod/chatty', '--timeout=30s');
    chattyFollowed = cluster.kubectlInBackground('logs', '-f', 'chatty');
    const quiet = await until(
      'all of it',
      () => cluster.ok('logs', 'talker', '-c', 'quiet'),
      (text) => text.includes('[end]'),
    );
    assert.deepEqual(new Set(quiet.split('\n')), new Set(['out', 'err', '[end]', '']));
    await until(
      'ten lines',
      () => cluster.ok('logs', 'talker', '-c', 'counter'),
      (text) => /^line 10$/m.test(text),
    );
    assert.match(await cluster.ok('logs', 'talker', '-c', 'counter', '--tail=3'), /^line \d+\nline \d+\nline \d+\n$/);
    assert.match(await cluster.ok('logs', 'talker', '-c', 'counter'), /^line 1\nline 2\nline 3\n/);
    assert.equal(await cluster.ok('logs', 'talker', '-c', 'counter', '--limit-bytes=9'), 'line 1\nli');
    assert.match(
      await cluster.ok('logs', 'talker', '-c', 'counter', '--timestamps', '--tail=1'),
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) line \d+\n$/,
    );
    const all = await cluster.ok('logs', 'talker', '--all-containers', '--prefix', '--tail=2');
    assert.match(all, /^\[pod\/talker\/counter\] line \d+$/m);
    assert.match(all, /^\[pod\/talker\/quiet\] \[end\]$/m);
    assert.match(await cluster.ok('logs', '-l', 'app=talker', '-c', 'quiet'), /^out$/m);
    const first = await cluster.kubectl('logs', 'talker', '--tail=1');
    assert.match(first.stderr, /^Defaulted container "counter" out of: counter, quiet$/m);
    assert.match(first.stdout, /^line \d+\n$/);
  },

  'logs: since a moment': async (cluster) => {
    const recent = (await cluster.ok('logs', 'talker', '-c', 'counter', '--since=1s')).trim().split('\n');
    assert.ok(recent.length >= 1 && recent.length <= 12, `${recent.length} lines of a second`);
    assert.ok(!recent.includes('line 1'));
    const since = new Date(Date.now() + 3_600_000).toISOString();
    assert.equal(await cluster.ok('logs', 'talker', '-c', 'quiet', `--since-time=${since}`), '');
  },

  'logs -f: lines as they come, until the container ends': async (cluster) => {
    await using following = cluster.kubectlInBackground('logs', '-f', 'talker', '-c', 'counter', '--tail=1');
    const [, first] = await following.printed(/^line (\d+)\n/);
    await following.printed(new RegExp(`^line ${Number(first) + 5}$`, 'm'));
    const numbers = following.output
      .trim()
      .split('\n')
      .map((line) => Number(line.slice(5)));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => Number(first) + index),
      'none is missing, none comes twice',
    );
    await cluster.apply(
      podOf('brief', { command: ['sh', '-c', 'echo one; sleep 1; echo two'] }).replace(
        '"spec":{',
        '"spec":{"restartPolicy":"Never",',
      ),
    );
    await until(
      'it to start',
      () => cluster.ok('get', 'pod', 'brief', '-o', 'jsonpath={.status.phase}'),
      (phase) => phase !== 'Pending',
    );
    await using whole = cluster.kubectlInBackground('logs', '-f', 'brief');
    assert.deepEqual(await whole.ended, { code: 0, signal: null });
    assert.equal(whole.output, 'one\ntwo\n');
  },

  'logs -p: of the life before': async (cluster) => {
    const previous = await until(
      'a second life',
      () => cluster.kubectl('logs', 'failing', '-p'),
      ({ code }) => code === 0,
    );
    assert.match(previous.stdout, /^life of [\d. ]+\n$/);
    await until(
      'a restart',
      () => cluster.ok('get', 'pod', 'failing', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'),
      (count) => Number(count) >= 1,
    );
    assert.match(await cluster.ok('logs', 'failing'), /^life of /);
    const none = await cluster.kubectl('logs', 'talker', '-c', 'quiet', '-p');
    assert.deepEqual(
      [none.code, none.stderr],
      [1, 'Error from server (BadRequest): previous terminated container "quiet" in pod "talker" not found\n'],
    );
  },

  'logs: of what is not there': async (cluster) => {
    const container = await cluster.kubectl('logs', 'talker', '-c', 'nobody');
    assert.match(container.stderr, /container nobody is not valid for pod talker/);
    const pod = await cluster.kubectl('logs', 'nobody');
    assert.equal(pod.stderr, 'error: error from server (NotFound): pods "nobody" not found in namespace "default"\n');
    await cluster.apply(podOf('imageless', { image: 'no-such-image-anywhere' }));
    const waiting = await until(
      'a refusal that says why',
      () => cluster.kubectl('logs', 'imageless'),
      ({ stderr }) => /trying and failing to pull image/.test(stderr),
    );
    assert.match(
      waiting.stderr,
      /^Error from server \(BadRequest\): container "main" in pod "imageless" is waiting to start: trying and failing to pull image/,
    );
  },

  'exec: output, errors and exit codes': async (cluster) => {
    const both = await exec(cluster, 'talker', '-c', 'quiet', '--', 'sh', '-c', 'echo to out; echo to err >&2; exit 3');
    assert.equal(both.stdout, 'to out\n');
    assert.equal(both.stderr, 'to err\ncommand terminated with exit code 3\n');
    assert.equal(both.code, 3);
    assert.equal((await exec(cluster, 'talker', '-c', 'quiet', '--', 'true')).code, 0);
    const missing = await exec(cluster, 'talker', '-c', 'quiet', '--', 'no-such-command');
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /exec: "no-such-command": executable file not found in \$PATH/);
    const arguments_ = await exec(cluster, 'talker', '-c', 'quiet', '--', 'printf', '%s|', 'a b', '', 'ü', '&x=1');
    assert.equal(arguments_.stdout, 'a b||ü|&x=1|');
  },

  'exec -i: standard input to its end': async (cluster) => {
    const ran = (input: string, ...command: readonly string[]): Promise<Ran> =>
      cluster.kubectlWith({ input }, 'exec', '-i', 'talker', '-c', 'quiet', '--', ...command);
    assert.equal((await ran('one\ntwo\n', 'cat')).stdout, 'one\ntwo\n');
    const large = 'x'.repeat(1 << 20);
    assert.equal((await ran(large, 'wc', '-c')).stdout.trim(), String(1 << 20));
    assert.equal((await ran(large, 'cat')).stdout.length, 1 << 20);
  },

  'exec -it: a terminal of the size of one’s own': async (cluster) => {
    const kubectl = `kubectl exec -it talker -c quiet -- sh -c 'sleep 0.5; stty size; tty; exit 5'`;
    const path = `${cluster.toolsDirectory}:${process.env['PATH'] ?? ''}`;
    const ran = await run('script', ['-qec', `stty cols 123 rows 45; ${kubectl}; echo "code $?"`, '/dev/null'], {
      env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDir, PATH: path },
      timeoutMs: 20_000,
    });
    assert.match(ran.stdout, /45 123\r$/m);
    assert.match(ran.stdout, /^\/dev\/pts\/\d+\r$/m);
    assert.match(ran.stdout, /^code 5\r$/m);
  },

  'exec: where it cannot be': async (cluster) => {
    assert.equal(
      (await exec(cluster, 'nobody', '--', 'true')).stderr,
      'Error from server (NotFound): pods "nobody" not found\n',
    );
    assert.match(
      (await exec(cluster, 'talker', '-c', 'nobody', '--', 'true')).stderr,
      /container nobody is not valid for pod talker/,
    );
    const ended = await exec(cluster, 'brief', '--', 'true');
    assert.match(ended.stderr, /cannot exec into a container in a completed pod; current phase is Succeeded/);
    assert.match(
      (await exec(cluster, 'imageless', '--', 'true')).stderr,
      /container not found \("main"\)|does not have a host assigned/,
    );
  },

  'logs: by a kubectl as old as Debian’s': async (cluster) => {
    const logs = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await cluster.kubectl120('logs', ...args);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const counter = ['talker', '-c', 'counter'];
    assert.match(await logs(...counter, '--tail=2'), /^line \d+\nline \d+\n$/);
    assert.equal(await logs(...counter, '--limit-bytes=9'), 'line 1\nli');
    assert.match(
      await logs(...counter, '--timestamps', '--tail=1'),
      /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) line \d+\n$/,
    );
    // Which of its streams a container’s last line came from is for the runtime to say.
    const whole = await logs('talker', '--all-containers', '--prefix', '--tail=1');
    assert.match(whole, /^\[pod\/talker\/counter\] line \d+$/m);
    assert.match(whole, /^\[pod\/talker\/quiet\] (\[end\]|err)$/m);
    assert.match(await logs('-l', 'app=talker', '--all-containers', '--prefix'), /^\[pod\/talker\/quiet\] out$/m);
    const since = new Date(Date.now() - 2000).toISOString();
    const recent = await logs(...counter, `--since-time=${since}`);
    assert.match(recent, /^line \d+$/m);
    assert.doesNotMatch(recent, /^line 1$/m);
    assert.match(await logs('failing', '-p'), /^life of /);
    await using following = new Background(join(cluster.toolsDirectory, 'kubectl-1.20'), ['logs', '-f', ...counter], {
      KUBECONFIG: cluster.kubeconfig,
      HOME: cluster.dataDir,
    });
    await following.printed(/^line 1\n[^]*^line 30$/m);
  },

  'logs -f: goes on in the next file when one is put aside, and old files go': async (cluster) => {
    await using following = chattyFollowed!;
    const uid = await cluster.ok('get', 'pod', 'chatty', '-o', 'jsonpath={.metadata.uid}');
    const { logs } = nodePaths(cluster.paths, `${cluster.name}-node1`);
    const folder = join(logs, `default_chatty_${uid}`, 'main');
    const files = await until(
      'two files put aside',
      async () => readdirSync(folder).toSorted(),
      (names) => names.length === 3 && names.some((name) => name.endsWith('.gz')),
      60_000,
    );
    assert.deepEqual(files.map((name) => name.replace(/\.\d{8}-\d{6}/, '.TIME')).toSorted(), [
      '0.log',
      '0.log.TIME',
      '0.log.TIME.gz',
    ]);
    // What kubectl shows without following is the file that is written now, as anywhere.
    const [first] = (await cluster.ok('logs', 'chatty')).split(' x', 1);
    const last = Number(/^line (\d+)$/.exec(first ?? '')?.[1]) + 1;
    assert.ok(last > 2, `${first}`);
    await following.printed(new RegExp(`^line ${last} `, 'm'));
    const numbers = [...following.output.matchAll(/^line (\d+) /gm)].map(([, number]) => Number(number));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
      'none is missing, none comes twice',
    );
  },

  'exec and logs go on in peace beside each other': async (cluster) => {
    const codes = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const ran = await exec(cluster, 'talker', '-c', 'quiet', '--', 'sh', '-c', `echo ${index}; exit ${index}`);
        return [ran.code, ran.stdout];
      }),
    );
    assert.deepEqual(
      codes,
      Array.from({ length: 6 }, (_, index) => [index, `${index}\n`]),
    );
  },
});
