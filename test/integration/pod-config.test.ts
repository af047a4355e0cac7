/** What a kubelet makes of a pod's names, DNS and variables, as the runtime is told it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Service } from '#api/generated/core-v1.ts';
import { eventResource, serviceResource } from '#client/resources.ts';
import type { CreateConfigs } from '#cri/runtime.ts';
import { SmallCluster } from '#test/integration/support/small-cluster.ts';

const signal = new AbortController().signal;
const main = { name: 'main', image: 'nginx' };

class Watched {
  readonly cluster: SmallCluster;
  readonly made: CreateConfigs[];

  private constructor(cluster: SmallCluster, made: CreateConfigs[]) {
    this.cluster = cluster;
    this.made = made;
  }

  static async start(): Promise<Watched> {
    const made: CreateConfigs[] = [];
    const cluster = await SmallCluster.start({
      behaviour: (configs) => {
        made.push(configs);
        return { run: { kind: 'forever' }, stopAfterMs: 0, output: [] };
      },
    });
    return new Watched(cluster, made);
  }

  /** The newest of the pod's containers. */
  container(pod: string): CreateConfigs {
    return this.made.findLast(({ sandbox }) => sandbox.metadata.name === pod) ?? assert.fail(`no container of ${pod}`);
  }

  variables(pod: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.container(pod).container.envs.map(({ name, value }) => [name, String(value)]));
  }

  async events(reason: string): Promise<readonly Event[]> {
    const { items } = await this.cluster.client.list<Event>(eventResource, { namespace: 'default' }, signal);
    return items.filter((event) => event.reason === reason);
  }

  async service(name: string): Promise<Service> {
    const made = await this.cluster.client.create<Service>(
      serviceResource,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default' },
        spec: { ports: [{ port: 80 }] },
      },
      signal,
    );
    await this.cluster.settled();
    return made;
  }
}

test('pod config: a container knows the Services there were when it was made, its successor those of then', async () => {
  const watched = await Watched.start();
  await using cluster = watched.cluster;
  const one = await watched.service('one');
  await cluster.run('web', { containers: [main] });
  await cluster.run('bare', { containers: [main], enableServiceLinks: false });
  const first = watched.variables('web');
  assert.equal(first['ONE_SERVICE_HOST'], one.spec?.clusterIP);
  assert.match(first['KUBERNETES_SERVICE_HOST'] ?? '', /^[\d.]+$/);
  assert.deepEqual(
    Object.keys(watched.variables('bare')).filter((name) => !name.startsWith('KUBERNETES_')),
    [],
  );
  assert.equal(watched.variables('bare')['KUBERNETES_SERVICE_PORT'], '443');

  await watched.service('two');
  const { length } = watched.made;
  await cluster.advance(60_000);
  assert.equal(watched.made.length, length, 'a new Service restarts nothing');
  const [found] = await cluster.runtime.containers.list({ labels: { 'io.kubernetes.pod.name': 'web' } }, signal);
  await cluster.runtime.containers.stop(found!.id, 0, signal);
  await cluster.advance(1000);
  assert.deepEqual(Object.keys(watched.variables('web')).includes('TWO_SERVICE_HOST'), true);
  assert.deepEqual(cluster.troubles, []);
});

test('pod config: without a cluster DNS its pods have the node’s, and are told so once; the node too', async () => {
  const watched = await Watched.start();
  await using cluster = watched.cluster;
  const dnsConfig = { options: [{ name: 'ndots', value: '2' }] };
  await cluster.run('first', { containers: [main, { ...main, name: 'other' }] });
  await cluster.run('merged', { containers: [main], dnsPolicy: 'Default', dnsConfig });
  await cluster.run('second', { containers: [main] });
  const node = { servers: ['192.0.2.53'], searches: ['simulated.example'], options: [] };
  assert.deepEqual(watched.container('first').sandbox.dns, node);
  assert.deepEqual(watched.container('merged').sandbox.dns, { ...node, options: ['ndots:2'] });
  const told = await watched.events('MissingClusterDNS');
  assert.deepEqual(
    told.map(({ involvedObject, count }) => [involvedObject.kind, involvedObject.name, count ?? 1]).toSorted(),
    [
      ['Node', 'node1', 1],
      ['Pod', 'first', 1],
      ['Pod', 'second', 1],
    ],
  );
});

test('pod config: hostnames; one that no kernel would take is told of, and no sandbox made', async () => {
  const watched = await Watched.start();
  await using cluster = watched.cluster;
  await cluster.run('web', { containers: [main], hostname: 'a', subdomain: 'sub', setHostnameAsFQDN: true });
  assert.equal(watched.container('web').sandbox.hostname, 'a.sub.default.svc.cluster.local');
  await cluster.run('over', { containers: [main], hostname: 'a', hostnameOverride: 'db.example.com' });
  assert.equal(watched.container('over').sandbox.hostname, 'db.example.com');

  const name = 'n'.repeat(40);
  await cluster.run(name, { containers: [main], subdomain: 'sub', setHostnameAsFQDN: true });
  const [told] = await watched.events('FailedCreatePodSandBox');
  assert.equal(
    told?.message,
    `Failed to create pod sandbox: failed to construct FQDN from pod hostname and cluster domain, FQDN ${name}.sub.default.svc.cluster.local is too long (64 characters is the max, 70 characters requested)`,
  );
  const sandboxes = await cluster.runtime.sandboxes.list({ labels: { 'io.kubernetes.pod.name': name } }, signal);
  assert.deepEqual(sandboxes, []);
});

test('pod config: a stop signal is sent, and the status tells which', async () => {
  const watched = await Watched.start();
  await using cluster = watched.cluster;
  const lifecycle = { stopSignal: 'SIGUSR1' as const };
  await cluster.run('web', {
    os: { name: 'linux' },
    containers: [
      { ...main, lifecycle },
      { ...main, name: 'plain' },
    ],
  });
  const { containerStatuses = [] } = (await cluster.pod('web'))?.status ?? {};
  assert.deepEqual(
    containerStatuses.map(({ stopSignal }) => stopSignal),
    ['SIGUSR1', undefined],
  );
});
