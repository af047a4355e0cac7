import assert from 'node:assert/strict';
import { containerOf, heedful, idle, podManifest } from '#test/e2e/support/pod-watch.ts';
import { configMap, type Stage } from '#test/e2e/support/api-volumes.ts';

/** Many pods begin at once, on a machine that may have more to do. */
export const PATIENCE_MS = 90_000;
const managed = '# Kubernetes-managed hosts file.\n';
const quick = { terminationGracePeriodSeconds: 1 };
const hosts = (stage: Stage, pod: string, container: string): Promise<string> =>
  stage.cluster.ok('exec', pod, '-c', container, '--', 'cat', '/etc/hosts');

/**
 * KubeletManagedEtcHosts should test kubelet managed /etc/hosts file. Kubelet when scheduling an agnhost Pod with hostAliases should
 * write entries to /etc/hosts. DNS should provide /etc/hosts entries for the cluster.
 */
export async function hostsFiles(stage: Stage): Promise<void> {
  const { create, pods, cluster } = stage;
  const own = { name: 'own', mountPath: '/etc/hosts', subPath: 'hosts' };
  const containers = [idle('one'), idle('two'), idle('three', { volumeMounts: [own] })];
  const hostAliases = [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }];
  await create(
    configMap('own-hosts', { hosts: '192.0.2.9 of-its-own\n' }),
    podManifest('hosts', {
      ...quick,
      containers,
      hostAliases,
      hostname: 'querier',
      subdomain: 'service',
      volumes: [{ name: 'own', configMap: { name: 'own-hosts' } }],
    }),
    podManifest('hosts-of-node', { ...quick, hostNetwork: true, hostAliases, containers: [idle('one')] }),
  );
  const { status } = await pods.running('hosts', PATIENCE_MS);
  const lines = (status?.podIPs ?? []).map(({ ip }) => `${ip}\tquerier.service.default.svc.cluster.local\tquerier\n`);
  assert.equal(lines.length, status?.podIPs?.length);
  const one = await hosts(stage, 'hosts', 'one');
  assert.ok(one.startsWith(`${managed}127.0.0.1\tlocalhost\n::1\tlocalhost`), one);
  assert.ok(one.endsWith(`${lines.join('')}\n# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n`), one);
  assert.equal(await hosts(stage, 'hosts', 'two'), one);
  assert.equal(await hosts(stage, 'hosts', 'three'), '192.0.2.9 of-its-own\n');
  assert.match(await stage.sh('hosts', 'stat -c "%a %u" /etc/hosts; hostname'), /^644 0\nquerier\n$/);

  await pods.running('hosts-of-node', PATIENCE_MS);
  const node = await hosts(stage, 'hosts-of-node', 'one');
  assert.match(node, /^# Kubernetes-managed hosts file \(host network\)\.\n[^]*\n\n# Entries added by HostAliases\.\n/);

  // What a container writes to it the others see; one that is made anew has the kubelet's, which all have then.
  await stage.sh('hosts', 'echo 192.0.2.8 scribbled >> /etc/hosts');
  assert.equal(await hosts(stage, 'hosts', 'two'), `${one}192.0.2.8 scribbled\n`);
  await cluster.kubectl('exec', 'hosts', '--', 'kill', '1');
  await pods.reaches('hosts', 'restarted', (pod) => containerOf(pod, 'one')?.restartCount === 1, PATIENCE_MS);
  await pods.running('hosts', PATIENCE_MS);
  assert.equal(await hosts(stage, 'hosts', 'one'), one);
  assert.equal(await hosts(stage, 'hosts', 'two'), one);
  await cluster.ok('delete', 'pod', 'hosts', 'hosts-of-node', '--wait=false');
}

/** DNS should support configurable pod DNS nameservers. */
export async function dns({ create, pods, cluster, sh }: Stage): Promise<void> {
  const resolvConf = (pod: string): Promise<string> => sh(pod, 'cat /etc/resolv.conf');
  const options = [{ name: 'ndots', value: '2' }, { name: 'edns0' }];
  await create(
    podManifest('dns-none', {
      ...quick,
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'], options },
      containers: [idle()],
    }),
    podManifest('dns-default', { ...quick, dnsPolicy: 'Default', containers: [idle()] }),
    podManifest('dns-first', {
      ...quick,
      dnsConfig: {
        nameservers: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
        searches: Array.from({ length: 32 }, (_, n) => `s${n}.example`),
      },
      containers: [idle()],
    }),
  );
  await pods.running('dns-none', PATIENCE_MS);
  assert.equal(await resolvConf('dns-none'), 'search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2 edns0\n');
  await pods.running('dns-default', PATIENCE_MS);
  const node = await resolvConf('dns-default');
  await pods.running('dns-first', PATIENCE_MS);
  const first = await resolvConf('dns-first');
  const serversOf = (text: string): readonly string[] => text.match(/^nameserver .*$/gm) ?? [];
  assert.deepEqual(
    serversOf(first),
    [...serversOf(node), 'nameserver 192.0.2.1', 'nameserver 192.0.2.2', 'nameserver 192.0.2.3'].slice(0, 3),
  );
  assert.match(first, /s15\.example/);
  if (serversOf(node).length > 0) {
    await pods.told(
      'dns-first',
      /Warning DNSConfigForming Nameserver limits were exceeded, .* line is: .*192\.0\.2\.2$/,
    );
  }
  await pods.told(
    'dns-first',
    /Warning MissingClusterDNS pod: "dns-first_default\(.*\)"\. kubelet does not have/,
    PATIENCE_MS,
  );
  assert.deepEqual(
    (await pods.events('dns-default')).filter((event) => event.includes('DNS')),
    [],
  );
  await cluster.ok('delete', 'pod', 'dns-none', 'dns-default', 'dns-first', '--wait=false');
}

export async function hostnames({ create, pods, cluster, sh }: Stage): Promise<void> {
  const long = 'n'.repeat(40);
  const fqdn = { subdomain: 'sub', setHostnameAsFQDN: true };
  await create(
    podManifest('fqdn', { ...quick, ...fqdn, hostname: 'short', containers: [idle()] }),
    podManifest('override', { ...quick, hostnameOverride: 'db.example.com', subdomain: 'sub', containers: [idle()] }),
    podManifest(long, { ...quick, ...fqdn, containers: [idle()] }),
  );
  const uts = 'hostname; cat /proc/sys/kernel/hostname; echo $HOSTNAME';
  await pods.running('fqdn', PATIENCE_MS);
  const whole = 'short.sub.default.svc.cluster.local';
  assert.equal(await sh('fqdn', uts), `${whole}\n${whole}\n${whole}\n`);
  await pods.running('override', PATIENCE_MS);
  assert.equal(await sh('override', uts), 'db.example.com\n'.repeat(3));
  assert.match(await sh('override', 'cat /etc/hosts'), /^10\..*\tdb\.example\.com$/m);
  await pods.told(
    long,
    /FailedCreatePodSandBox .*FQDN n{40}\.sub\.default\.svc\.cluster\.local is too long \(64 char/,
    PATIENCE_MS,
  );
  await cluster.ok('delete', 'pod', 'fqdn', 'override', long, '--wait=false');
}

/** Sent once, before the grace period begins to run out; what does not heed it is killed when it has. */
export async function stopSignals({ create, pods, cluster }: Stage): Promise<void> {
  const lifecycle = { stopSignal: 'SIGUSR1' };
  await create(
    podManifest(
      'signalled',
      {
        os: { name: 'linux' },
        restartPolicy: 'Never',
        containers: [
          heedful('heeds', `trap 'exit 8' TERM; trap 'exit 7' USR1`, { lifecycle }),
          heedful('deaf', `trap 'echo no >> /dev/termination-log' USR1`, { lifecycle }),
          heedful('plain', `trap 'exit 8' TERM; trap 'exit 7' USR1`),
        ],
      },
      { finalizers: ['example.com/look'] },
    ),
  );
  const running = await pods.running('signalled', PATIENCE_MS);
  assert.deepEqual(
    running.status?.containerStatuses?.map(({ stopSignal }) => stopSignal),
    ['SIGUSR1', 'SIGUSR1', undefined],
  );
  await cluster.ok('delete', 'pod', 'signalled', '--grace-period=3', '--wait=false');
  const ended = await pods.ended('signalled', PATIENCE_MS);
  const ends = ['heeds', 'deaf', 'plain'].map((name) => containerOf(ended, name)?.state?.terminated);
  assert.deepEqual(
    ends.map((end) => [end?.exitCode, end?.message]),
    [
      [7, undefined],
      [137, 'no\n'],
      [8, undefined],
    ],
  );
  await cluster.ok('patch', 'pod', 'signalled', '--type=merge', '-p', '{"metadata":{"finalizers":null}}');
}
