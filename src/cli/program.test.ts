import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Commands } from '#cli/commands.ts';
import { createProgram } from '#cli/program.ts';
import { UserError } from '#cli/user-error.ts';

interface Ran {
  readonly code: number;
  readonly calls: readonly (readonly unknown[])[];
  readonly out: string;
  readonly err: string;
}

/** Runs it with commands that only remember how they were called. */
async function run(argv: readonly string[], answer: () => number = () => 0): Promise<Ran> {
  const calls: unknown[][] = [];
  const remember =
    (name: string) =>
    async (...args: readonly unknown[]): Promise<number> => {
      calls.push([name, ...args]);
      return answer();
    };
  const commands: Commands = {
    up: remember('up'),
    down: remember('down'),
    status: remember('status'),
    why: remember('why'),
    simulate: remember('simulate'),
    kubeconfig: remember('kubeconfig'),
    node: remember('node'),
    imageLoad: remember('imageLoad'),
    imagePull: remember('imagePull'),
    imageList: remember('imageList'),
  };
  let [out, err] = ['', ''];
  const streams = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const code = await createProgram(commands, streams).run(argv);
  return { code, calls, out, err };
}

const usual = { name: 'peapod', dataDir: undefined };
const up = {
  files: [],
  port: undefined,
  runtime: { kind: 'containerd' },
  registryMirror: undefined,
  images: 'auto',
  staticPods: undefined,
  schedulerConfig: undefined,
  allowedUnsafeSysctls: [],
  detach: false,
  shape: { nodes: undefined, simulatedNodes: undefined },
  clusterFile: undefined,
  node: {
    nodeMonitorGraceMs: undefined,
    crashLoopMaxDelayMs: undefined,
    logMaxBytes: undefined,
    logMaxFiles: undefined,
  },
};
const why = { pod: undefined, namespace: undefined, node: undefined, output: 'text' };
const simulate = { files: [], replicas: undefined, nodes: [], schedulerConfig: undefined, output: 'text' };
const here = import.meta.filename;
const folder = import.meta.dirname;

const understood: readonly { argv: string; want: readonly unknown[] }[] = [
  { argv: 'up', want: ['up', usual, up] },
  { argv: 'up --name a --data-dir /d', want: ['up', { name: 'a', dataDir: '/d' }, up] },
  { argv: `up -f ${here}`, want: ['up', usual, { ...up, files: [here] }] },
  { argv: `up -f ${here} --filename ${folder} -f -`, want: ['up', usual, { ...up, files: [here, folder, '-'] }] },
  { argv: 'up --simulated-nodes 500', want: ['up', usual, { ...up, shape: { ...up.shape, simulatedNodes: 500 } }] },
  { argv: `up --config ${here}`, want: ['up', usual, { ...up, clusterFile: here }] },
  { argv: 'up --nodes 3', want: ['up', usual, { ...up, shape: { ...up.shape, nodes: 3 } }] },
  { argv: 'node stop a-node2', want: ['node', usual, { action: 'stop', node: 'a-node2' }] },
  { argv: 'node heal b --name a', want: ['node', { ...usual, name: 'a' }, { action: 'heal', node: 'b' }] },
  { argv: 'up --port 1', want: ['up', usual, { ...up, port: 1 }] },
  { argv: 'up --port=65535', want: ['up', usual, { ...up, port: 65_535 }] },
  { argv: 'up --runtime containerd', want: ['up', usual, up] },
  { argv: 'up --runtime simulated', want: ['up', usual, { ...up, runtime: { kind: 'simulated' } }] },
  {
    argv: 'up --runtime unix:///run/c.sock',
    want: ['up', usual, { ...up, runtime: { kind: 'socket', socket: '/run/c.sock' } }],
  },
  {
    argv: 'up --registry-mirror http://127.0.0.1:5000',
    want: ['up', usual, { ...up, registryMirror: 'http://127.0.0.1:5000' }],
  },
  {
    argv: 'up --crash-loop-max-delay 2m --log-max-size 1Mi --log-max-files 3',
    want: [
      'up',
      usual,
      { ...up, node: { ...up.node, crashLoopMaxDelayMs: 120_000, logMaxBytes: 2 ** 20, logMaxFiles: 3 } },
    ],
  },
  {
    argv: 'up --node-monitor-grace-period 4s',
    want: ['up', usual, { ...up, node: { ...up.node, nodeMonitorGraceMs: 4000 } }],
  },
  { argv: 'up --images hub', want: ['up', usual, { ...up, images: 'hub' }] },
  { argv: 'up --images kit --detach', want: ['up', usual, { ...up, images: 'kit', detach: true }] },
  { argv: `up --scheduler-config ${here}`, want: ['up', usual, { ...up, schedulerConfig: here }] },
  { argv: `up --static-pods ${folder}`, want: ['up', usual, { ...up, staticPods: folder }] },
  {
    argv: 'up --allowed-unsafe-sysctls kernel.msg*,net/core/somaxconn',
    want: ['up', usual, { ...up, allowedUnsafeSysctls: ['kernel.msg*', 'net/core/somaxconn'] }],
  },
  { argv: 'down', want: ['down', usual, { purge: false, graceSeconds: 10 }] },
  { argv: 'down --grace-period 0', want: ['down', usual, { purge: false, graceSeconds: 0 }] },
  {
    argv: 'down --purge --name a',
    want: ['down', { name: 'a', dataDir: undefined }, { purge: true, graceSeconds: 10 }],
  },
  { argv: 'status', want: ['status', usual, { output: 'text' }] },
  { argv: 'status -o json --data-dir d', want: ['status', { name: 'peapod', dataDir: 'd' }, { output: 'json' }] },
  { argv: 'status --output text', want: ['status', usual, { output: 'text' }] },
  { argv: 'why', want: ['why', usual, why] },
  { argv: 'why -A', want: ['why', usual, why] },
  { argv: 'why -n shop', want: ['why', usual, { ...why, namespace: 'shop' }] },
  { argv: 'why web', want: ['why', usual, { ...why, pod: 'web', namespace: 'default' }] },
  { argv: 'why pod/web -n shop', want: ['why', usual, { ...why, pod: 'web', namespace: 'shop' }] },
  { argv: 'why shop/web -o json', want: ['why', usual, { ...why, pod: 'web', namespace: 'shop', output: 'json' }] },
  { argv: 'why shop/pods/web -n shop', want: ['why', usual, { ...why, pod: 'web', namespace: 'shop' }] },
  { argv: 'why web -A', want: ['why', usual, { ...why, pod: 'web' }] },
  // A namespace may be called as the kind is, a pod too.
  { argv: 'why pod', want: ['why', usual, { ...why, pod: 'pod', namespace: 'default' }] },
  { argv: 'why web --node n2', want: ['why', usual, { ...why, pod: 'web', namespace: 'default', node: 'n2' }] },
  { argv: `simulate -f ${here}`, want: ['simulate', usual, { ...simulate, files: [here] }] },
  {
    argv: `simulate -f - -f ${here} --replicas 3 --nodes ${here} --nodes ${folder} --scheduler-config ${here} -o json`,
    want: [
      'simulate',
      usual,
      { files: ['-', here], replicas: 3, nodes: [here, folder], schedulerConfig: here, output: 'json' },
    ],
  },
  { argv: 'kubeconfig --name a', want: ['kubeconfig', { name: 'a', dataDir: undefined }] },
  { argv: `image load ${here}`, want: ['imageLoad', usual, { file: here }] },
  { argv: 'image pull nginx --name a', want: ['imagePull', { name: 'a', dataDir: undefined }, { name: 'nginx' }] },
  { argv: 'image list -o json', want: ['imageList', usual, { output: 'json' }] },
  { argv: 'image list', want: ['imageList', usual, { output: 'text' }] },
];

for (const { argv, want } of understood) {
  const shown = argv.replaceAll(here, 'FILE').replaceAll(folder, 'DIR');
  test(`program: peapod ${shown}`, async () => {
    const { code, calls, out, err } = await run(argv.split(' '), () => 7);
    assert.deepEqual(calls, [want]);
    assert.deepEqual([code, out, err], [7, '', '']);
  });
}

const misunderstood: readonly { argv: string; want: string; help?: string }[] = [
  { argv: '', want: 'a command is missing', help: 'peapod' },
  { argv: 'frob', want: "unknown command 'frob'", help: 'peapod' },
  { argv: 'stat', want: "unknown command 'stat' (Did you mean status?)", help: 'peapod' },
  { argv: 'help frob', want: "unknown command 'frob'", help: 'peapod' },
  { argv: '--name a up', want: "unknown option '--name'", help: 'peapod' },
  { argv: 'up --prot 1', want: "unknown option '--prot' (Did you mean --port?)" },
  { argv: 'up now', want: "too many arguments for 'up'. Expected 0 arguments but got 1: now." },
  ...['0', '65536', '-1', 'http', '8080x', '1e3', ''].map((port) => ({
    argv: `up --port=${port}`,
    want: `option '--port <PORT>' argument '${port}' is invalid. A port is a number from 1 to 65535.`,
  })),
  { argv: 'up --port', want: "option '--port <PORT>' argument missing" },
  ...['docker', 'unix://', 'unix://run/x', 'tcp://127.0.0.1:1', '/run/c.sock'].map((runtime) => ({
    argv: `up --runtime ${runtime}`,
    want: `option '--runtime <RUNTIME>' argument '${runtime}' is invalid. It is containerd, simulated or unix:///SOCKET.`,
  })),
  ...['mirror', 'ftp://mirror', 'localhost:5000'].map((url) => ({
    argv: `up --registry-mirror ${url}`,
    want: `option '--registry-mirror <URL>' argument '${url}' is invalid. It is an http or https URL, such as http://127.0.0.1:5000.`,
  })),
  ...['0s', '6m', '10', 'soon'].map((time) => ({
    argv: `up --crash-loop-max-delay ${time}`,
    want: `option '--crash-loop-max-delay <TIME>' argument '${time}' is invalid. It is from 1s to 5m, such as 30s.`,
  })),
  ...['0s', '61m', '10'].map((time) => ({
    argv: `up --node-monitor-grace-period ${time}`,
    want: `option '--node-monitor-grace-period <TIME>' argument '${time}' is invalid. It is from 1s to 60m, such as 10s.`,
  })),
  {
    argv: 'up --log-max-size much',
    want: "option '--log-max-size <SIZE>' argument 'much' is invalid. It is a number of bytes, such as 10Mi.",
  },
  {
    argv: 'up --log-max-files 1',
    want: "option '--log-max-files <COUNT>' argument '1' is invalid. It is a number of at least 2.",
  },
  {
    argv: 'up --images none',
    want: "option '--images <SOURCE>' argument 'none' is invalid. Allowed choices are auto, hub, kit.",
  },
  {
    argv: 'up --allowed-unsafe-sysctls kernel.msgmax,vm.swappiness',
    want: `option '--allowed-unsafe-sysctls <LIST>' argument 'kernel.msgmax,vm.swappiness' is invalid. The sysctl "vm.swappiness" is not known to be a pod's own.`,
  },
  { argv: 'up --detach -f -', want: '-f - and --detach: a cluster in the background cannot read this input' },
  {
    argv: 'status -o yaml',
    want: "option '-o, --output <FORMAT>' argument 'yaml' is invalid. Allowed choices are text, json.",
    help: 'peapod status',
  },
  {
    argv: 'down --grace-period 1m',
    want: "option '--grace-period <SECONDS>' argument '1m' is invalid. A grace period is a whole number of seconds.",
    help: 'peapod down',
  },
  { argv: 'down --purge=x', want: "unknown option '--purge=x' (Did you mean --purge?)", help: 'peapod down' },
  { argv: 'image', want: 'a command is missing', help: 'peapod image' },
  { argv: 'image lod', want: "unknown command 'lod' (Did you mean load?)", help: 'peapod image' },
  { argv: 'why a b', want: "too many arguments for 'why'. Expected 1 argument but got 2: a, b.", help: 'peapod why' },
  ...['/web', 'web/', 'a/b/c'].map((pod) => ({
    argv: `why ${pod}`,
    want: `'${pod}' is no pod. A pod is called NAME, pod/NAME or NAMESPACE/NAME.`,
    help: 'peapod why',
  })),
  { argv: 'why -n a -A', want: '-n and -A: one of them', help: 'peapod why' },
  { argv: 'why a/web -n b', want: 'a/web names a namespace, and so does -n', help: 'peapod why' },
  { argv: 'why a/web -A', want: 'a/web names a namespace, and so does -A', help: 'peapod why' },
  { argv: 'why --node n2', want: '--node: for which POD?', help: 'peapod why' },
  { argv: 'simulate', want: "required option '-f, --filename <FILE|DIR>' not specified", help: 'peapod simulate' },
  {
    argv: 'simulate -f - --nodes -',
    want: '-f - and --nodes -: one of them reads standard input',
    help: 'peapod simulate',
  },
  ...['0', '10001', 'many'].map((count) => ({
    argv: `simulate -f - --replicas ${count}`,
    want: `option '--replicas <COUNT>' argument '${count}' is invalid. It is a number from 1 to 10000.`,
    help: 'peapod simulate',
  })),
  { argv: 'image load', want: "missing required argument 'FILE'", help: 'peapod image load' },
  { argv: 'image pull', want: "missing required argument 'NAME'", help: 'peapod image pull' },
];

for (const { argv, want, help = 'peapod up' } of misunderstood) {
  test(`program: wrong usage: peapod ${argv}`, async () => {
    const { code, calls, out, err } = await run(argv === '' ? [] : argv.split(' '));
    assert.equal(err, `peapod: ${want} (see \`${help} --help\`)\n`);
    assert.deepEqual([code, calls, out], [2, [], '']);
  });
}

for (const path of [
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
  'version',
]) {
  test(`program: help of peapod ${path}`, async () => {
    const words = path === '' ? [] : path.split(' ');
    for (const flag of ['--help', '-h']) {
      const { code, calls, out, err } = await run([...words, flag]);
      assert.deepEqual([code, calls, err], [0, [], '']);
      assert.ok(out.startsWith(`Usage: ${['peapod', ...words].join(' ')}`), out);
      const ofCluster = !['', 'image', 'version'].includes(path);
      assert.equal(/--name <NAME>[^]*--data-dir <DIR>/.test(out), ofCluster, out);
    }
  });
}

test('program: help tells of every option and has examples', async () => {
  const { out } = await run(['up', '--help']);
  for (const option of [
    '-f, --filename',
    '--port',
    '--runtime',
    '--registry-mirror',
    '--images',
    '--crash-loop-max-delay',
    '--node-monitor-grace-period',
    '--log-max-size',
    '--log-max-files',
    '--static-pods',
    '--scheduler-config',
    '--config',
    '--simulated-nodes',
    '--allowed-unsafe-sysctls',
    '--detach',
    'Examples:',
  ])
    assert.ok(out.includes(option), option);
  assert.equal((await run(['help', 'up'])).out, out);
});

test('program: the version', async () => {
  for (const argv of [['version'], ['--version'], ['-V']]) {
    const { code, out } = await run(argv);
    assert.equal(code, 0);
    assert.match(out, /^\d+\.\d+\.\d+\n$/);
  }
});

test('program: a file that is not there', async () => {
  for (const argv of [
    ['up', '-f', '/none/such'],
    ['up', '--scheduler-config', '/none/such'],
    ['up', '--config', '/none/such'],
    ['simulate', '-f', '/none/such'],
    ['simulate', '-f', '-', '--nodes', '/none/such'],
    ['image', 'load', '/none/such'],
  ]) {
    const { code, calls, err } = await run(argv);
    assert.deepEqual([code, calls, err], [1, [], 'peapod: the path "/none/such" does not exist\n']);
  }
});

const failures: readonly { name: string; error: unknown; code: number; want: string }[] = [
  { name: 'one line', error: new UserError('the port is taken'), code: 1, want: 'the port is taken' },
  { name: 'a code of its own', error: new UserError('no', { exitCode: 2 }), code: 2, want: 'no' },
  { name: 'no cause of what is for people', error: new UserError('a', { cause: new Error('b') }), code: 1, want: 'a' },
  {
    name: 'causes of anything else, each once, in one line',
    error: new Error('starting failed', { cause: new Error('disk\n  full', { cause: new Error('full') }) }),
    code: 1,
    want: 'starting failed: disk full',
  },
  { name: 'what is no error', error: 'oh', code: 1, want: "'oh'" },
];

for (const { name, error, code, want } of failures) {
  test(`program: a command that fails: ${name}`, async () => {
    const ran = await run(['up'], () => {
      throw error;
    });
    assert.deepEqual([ran.code, ran.out, ran.err], [code, '', `peapod: ${want}\n`]);
  });
}
