import assert from 'node:assert/strict';
import type { EventList, Node, Pod, PodList } from '#api/generated/core-v1.ts';
import { administrator, askApi, statusIn } from '#test/e2e/support/api-request.ts';
import { until } from '#test/e2e/support/cluster.ts';
import { sleeper } from '#test/e2e/support/manifests.ts';
import { onCluster } from '#test/e2e/support/on-cluster.ts';

/** Everything that only looks, by kubectl as it is today. */
onCluster('kubectl-read', {
  'get: a table, wide and with labels': async (cluster) => {
    await cluster.apply([sleeper('red', { colour: 'red' }), sleeper('blue', { colour: 'blue' })].join('\n---\n'));
    await cluster.ok('wait', '--for=condition=Ready', 'pod/red', 'pod/blue', '--timeout=30s');
    assert.match(
      await cluster.ok('get', 'pods'),
      /^NAME   READY   STATUS    RESTARTS   AGE\nblue   1\/1     Running   0          \d+s\nred    1\/1     Running   0          \d+s\n$/,
    );
    const { podIP } = (await cluster.get<Pod>('pod', 'red')).status!;
    const wide = await cluster.ok('get', 'pod', 'red', '-o', 'wide');
    assert.match(
      wide,
      /^NAME   READY   STATUS    RESTARTS   AGE   IP           NODE                 NOMINATED NODE   READINESS GATES$/m,
    );
    assert.ok(wide.includes(`   ${podIP}   kubectl-read-node1   <none>           <none>`), wide);
    assert.match(await cluster.ok('get', 'pods', '--show-labels'), /^red .* colour=red$/m);
    assert.match(await cluster.ok('get', 'pods', '-L', 'colour', '--no-headers'), /^blue .* blue$/m);
    assert.match(await cluster.ok('get', 'po', '--sort-by=.metadata.creationTimestamp'), /^red /m);
  },

  'get: json, yaml, names, jsonpath, columns of one’s own': async (cluster) => {
    const pod = await cluster.get<Pod>('pod', 'red');
    assert.deepEqual([pod.kind, pod.apiVersion, pod.status?.qosClass], ['Pod', 'v1', 'BestEffort']);
    const yaml = await cluster.ok('get', 'pod', 'red', '-o', 'yaml');
    assert.match(yaml, /^apiVersion: v1\nkind: Pod\nmetadata:\n/);
    assert.match(yaml, /^  uid: [0-9a-f-]{36}$/m);
    assert.equal(await cluster.ok('get', 'pods', '-o', 'name'), 'pod/blue\npod/red\n');
    const path = '{range .items[*]}{.metadata.name}={.status.phase} {end}';
    assert.equal(await cluster.ok('get', 'pods', '-o', `jsonpath=${path}`), 'blue=Running red=Running ');
    const columns = 'custom-columns=NAME:.metadata.name,COLOUR:.metadata.labels.colour';
    assert.equal(await cluster.ok('get', 'pods', '-o', columns), 'NAME   COLOUR\nblue   blue\nred    red\n');
    const { items } = await cluster.get<PodList>('pods');
    assert.equal(items.length, 2);
  },

  'get: selected by labels and by fields': async (cluster) => {
    const names = async (...args: readonly string[]): Promise<string> =>
      (await cluster.ok('get', 'pods', '-o', 'name', ...args)).replaceAll('pod/', '').trim().replaceAll('\n', ' ');
    assert.equal(await names('-l', 'colour=red'), 'red');
    assert.equal(await names('-l', 'colour!=red'), 'blue');
    assert.equal(await names('-l', 'colour in (red, blue)'), 'blue red');
    assert.equal(await names('-l', '!colour'), '');
    assert.equal(await names('--field-selector', 'metadata.name=red'), 'red');
    assert.equal(await names('--field-selector', 'status.phase!=Running'), '');
    assert.equal(await names('--field-selector', 'spec.nodeName=kubectl-read-node1', '-A'), 'blue red');
    const wrong = await cluster.kubectl('get', 'pods', '--field-selector', 'spec.colour=red');
    assert.match(
      wrong.stderr,
      /\(BadRequest\): Unable to find "\/v1, Resource=pods" that match label selector "", field selector "spec\.colour=red": field label not supported: spec\.colour/,
    );
    const bad = await cluster.kubectl('get', 'pods', '-l', 'colour in');
    assert.equal(bad.code, 1);
  },

  'get: in pieces, and of all namespaces': async (cluster) => {
    const whole = await cluster.ok('get', 'configmaps', '-A', '-o', 'name');
    const traced = await cluster.kubectl('get', 'configmaps', '-A', '-o', 'name', '--chunk-size=2', '-v=6');
    assert.equal(traced.stdout, whole);
    const asked = traced.stderr.split('\n').filter((line) => /configmaps\?.*limit=2/.test(line));
    assert.ok(asked.length > 1 && asked.slice(1).every((line) => line.includes('continue=')), traced.stderr);
    assert.match(await cluster.ok('get', 'pods', '-A'), /^NAMESPACE   NAME   READY /);
    const all = await cluster.ok('get', 'all', '-A');
    for (const name of ['pod/red', 'pod/blue', 'service/kubernetes']) assert.ok(all.includes(name), all);
  },

  'get: what is missing': async (cluster) => {
    const missing = await cluster.kubectl('get', 'pod', 'green');
    assert.deepEqual([missing.code, missing.stderr], [1, 'Error from server (NotFound): pods "green" not found\n']);
    const kind = await cluster.kubectl('get', 'unicorns');
    assert.deepEqual([kind.code, kind.stderr], [1, `error: the server doesn't have a resource type "unicorns"\n`]);
    const empty = await cluster.kubectl('get', 'pods', '-n', 'nowhere');
    assert.deepEqual([empty.code, empty.stderr], [0, 'No resources found in nowhere namespace.\n']);
  },

  'get -w: every change as it happens': async (cluster) => {
    await using watching = cluster.kubectlInBackground('get', 'pods', '-w', '--output-watch-events');
    await watching.printed(/^ADDED .* red /m);
    await cluster.apply(sleeper('watched'));
    await watching.printed(/^ADDED +watched +0\/1 +Pending/m);
    await watching.printed(/^MODIFIED +watched +1\/1 +Running/m);
    await cluster.ok('delete', 'pod', 'watched', '--wait=false');
    await watching.printed(/^MODIFIED +watched +1\/1 +Terminating/m);
    await watching.printed(/^DELETED +watched /m);
  },

  'describe: a pod with its events': async (cluster) => {
    const text = await cluster.ok('describe', 'pod', 'red');
    assert.match(text, /^Name: +red\n/);
    assert.match(text, /^Node: +kubectl-read-node1\/\S+$/m);
    assert.match(text, /^ {4}Container ID: +containerd:\/\/[0-9a-f]{64}$/m);
    assert.match(text, /^ {4}Image ID: +docker\.io\/library\/busybox@sha256:[0-9a-f]{64}$/m);
    assert.match(text, /^ {4}State: +Running$/m);
    for (const type of ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])
      assert.match(text, new RegExp(`^  ${type} +True *$`, 'm'));
    assert.match(
      text,
      /^  Normal +Scheduled +\S+ +default-scheduler +Successfully assigned default\/red to kubectl-read-node1$/m,
    );
    for (const reason of ['Created', 'Started'])
      assert.match(text, new RegExp(`^  Normal +${reason} +\\S+ +kubelet `, 'm'));
  },

  'describe: a node with what runs on it': async (cluster) => {
    const text = await cluster.ok('describe', 'node', 'kubectl-read-node1');
    assert.match(text, /^  Ready +True .*KubeletReady +kubelet is posting ready status$/m);
    assert.match(text, /^PodCIDR: +10\.2\d\d\.1\.0\/24$/m);
    assert.match(text, /^PodCIDRs: +10\.2\d\d\.1\.0\/24,fd00:10:2\d\d:1::\/64$/m);
    assert.match(text, /^  Container Runtime Version: +containerd:\/\/\d/m);
    assert.match(text, /^Non-terminated Pods: +\(2 in total\)$/m);
    const node = await cluster.get<Node>('node', 'kubectl-read-node1');
    assert.ok(Number(node.status!.capacity!['cpu']) >= 1);
    assert.match(
      await cluster.ok('get', 'nodes', '-o', 'wide'),
      /^kubectl-read-node1   Ready    <none>   \S+ +v1\.36\.0 /m,
    );
    assert.match(
      await cluster.ok('get', 'leases', '-n', 'kube-node-lease'),
      /^kubectl-read-node1   kubectl-read-node1 /m,
    );
  },

  explain: async (cluster) => {
    const text = await cluster.ok('explain', 'pod.spec.containers');
    assert.match(text, /^KIND: +Pod\nVERSION: +v1\n\nFIELD: containers <\[\]Container>\n/);
    assert.match(text, /^  image\t<string>$/m);
    assert.match(text, /^  name\t<string> -required-$/m);
    assert.match(await cluster.ok('explain', 'pod.spec.restartPolicy'), /^ENUM:\n +Always\n +Never\n +OnFailure$/m);
    assert.match(
      await cluster.ok('explain', 'events', '--api-version=events.k8s.io/v1'),
      /^GROUP: +events\.k8s\.io\nKIND: +Event\nVERSION: +v1\n/,
    );
    const missing = await cluster.kubectl('explain', 'pod.spec.colour');
    assert.deepEqual([missing.code, missing.stderr], [1, 'error: field "colour" does not exist\n']);
    assert.match(
      await cluster.ok('explain', 'pod', '--recursive'),
      /^ {4}preStop\t<LifecycleHandler>$|preStop\t<LifecycleHandler>/m,
    );
  },

  'what the server serves': async (cluster) => {
    const resources = await cluster.ok('api-resources');
    for (const line of [
      /^pods +po +v1 +true +Pod$/m,
      /^namespaces +ns +v1 +false +Namespace$/m,
      /^events +ev +events\.k8s\.io\/v1 +true +Event$/m,
      /^leases +coordination\.k8s\.io\/v1 +true +Lease$/m,
      /^priorityclasses +pc +scheduling\.k8s\.io\/v1 +false +PriorityClass$/m,
    ])
      assert.match(resources, line);
    const versions = (await cluster.ok('api-versions')).trim().split('\n');
    for (const version of ['v1', 'events.k8s.io/v1', 'coordination.k8s.io/v1']) assert.ok(versions.includes(version));
    assert.match(await cluster.ok('version'), /^Server Version: v1\.36\.0/m);
    assert.match(await cluster.ok('cluster-info'), /is running at .*https:\/\/127\.0\.0\.1:\d+/);
    for (const path of ['/healthz', '/livez', '/readyz']) assert.equal(await cluster.ok('get', '--raw', path), 'ok');
  },

  'auth: what one may do': async (cluster) => {
    assert.equal(await cluster.ok('auth', 'can-i', 'delete', 'pods'), 'yes\n');
    const bob = await cluster.kubectl('auth', 'can-i', 'delete', 'pods', '--as', 'bob');
    assert.deepEqual([bob.code, bob.stdout], [1, 'no\n']);
    const refused = await cluster.kubectl('get', 'pods', '--as', 'bob');
    assert.equal(
      refused.stderr,
      'Error from server (Forbidden): pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"\n',
    );
    assert.match(await cluster.ok('auth', 'whoami'), /kubernetes-admin/);
  },

  'events: by both APIs, of one object': async (cluster) => {
    const reasons = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await cluster.get<EventList>(...args)).items.map(({ reason }) => reason!).toSorted();
    const core = await until(
      'the events of red',
      () => reasons('events', '--field-selector', 'involvedObject.name=red'),
      (all) => all.includes('Started'),
    );
    assert.ok(core.includes('Scheduled') && core.includes('Created'), core.join(' '));
    assert.deepEqual(await reasons('events.events.k8s.io', '--field-selector', 'regarding.name=red'), core);
    const table = await cluster.ok('get', 'events', '--field-selector', 'involvedObject.name=red,reason=Started');
    assert.match(
      table,
      /^LAST SEEN   TYPE     REASON    OBJECT    MESSAGE\n\S+ +Normal   Started   pod\/red   Container started$/m,
    );
    assert.match(await cluster.ok('events', '--for', 'pod/red'), /Normal +Scheduled +Pod\/red +Successfully assigned/);
  },

  'what is not there yet is refused clearly': async (cluster) => {
    const refusals: readonly (readonly [RegExp, ...string[]])[] = [
      [/^error: Metrics API not available$/m, 'top', 'pods'],
      [/^error: Metrics API not available$/m, 'top', 'nodes'],
    ];
    for (const [message, ...args] of refusals) {
      const ran = await cluster.kubectl(...args);
      assert.deepEqual([args[0], ran.code], [args[0], 1]);
      assert.match(ran.stderr, message);
    }
  },

  'an old revision can be asked for, one that is to come cannot': async (cluster) => {
    const path = '/api/v1/namespaces/default/pods';
    // kubectl's own -o json makes a list of its own, without the revision.
    const { metadata } = JSON.parse(await cluster.ok('get', '--raw', path)) as PodList;
    const at = Number(metadata.resourceVersion);
    await cluster.apply(sleeper('later'));
    const names = async (query: string): Promise<readonly string[]> => {
      const list = JSON.parse(await cluster.ok('get', '--raw', `${path}?${query}`)) as PodList;
      return list.items.map((pod) => pod.metadata.name);
    };
    assert.deepEqual(await names(`resourceVersion=${at}&resourceVersionMatch=Exact`), ['blue', 'red']);
    assert.ok((await names('')).includes('later'));
    // Asked for directly: kubectl would try ten times.
    const as = await administrator(cluster);
    const future = await askApi(cluster, { path: `/api/v1/pods?resourceVersion=${at + 1_000_000}`, as });
    assert.deepEqual([future.status, statusIn(future).details?.causes?.[0]?.reason], [504, 'ResourceVersionTooLarge']);
    assert.match(statusIn(future).message!, /Too large resource version/);
  },
});
