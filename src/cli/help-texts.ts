/** What stands below the options in `--help`: a command's own explanation and examples. */
export const helpTexts = {
  peapod: `
Examples:
  peapod up -f pod.yaml        start a cluster here and run the pod; Ctrl-C stops it
  peapod up --detach           start a cluster in the background
  export KUBECONFIG=$(mktemp); peapod kubeconfig > $KUBECONFIG
  kubectl get pods -A          any Kubernetes tool works on it
  peapod why                   what is not ready, and why
  peapod simulate -f pod.yaml  where it would go, and why not
  peapod down                  stop it; its data stays for the next time`,

  up: `
Without -f a cluster is started; it runs until Ctrl-C, which stops its containers too. A cluster that was
left running (SIGTERM, a crash) is taken over with its containers. With -f, manifests are applied as kubectl
apply would, namespaces that are missing are made, and the pods are followed until they are Ready.

Runtimes:
  containerd        peapod starts one of its own; needs root
  simulated         containers that are only pretended; needs no root
  unix:///SOCKET    another that runs already, with its own images and network

Nodes:
  one is this machine as it is. Several are hosts of their own on it: each has its network namespace, its containerd
  and its part of the pods' addresses, and speaks HTTPS to the API. How many there are is remembered.

Images:
  auto              hub where Docker Hub can be reached, else kit; found out once per data directory
  hub               from where their names say
  kit               built here from packages, stand-ins for well-known images

Static pods:
  each file of the directory, YAML or JSON, holds one Pod, which the node runs whatever becomes of the API. The
  API shows it under its name with the node's behind it. Write, change or remove a file, and the pod follows.

Nodes:
  --nodes 3 makes three hosts of this machine, each with a network, containers and an agent of its own, for \`peapod
  node\` to switch off and cut off. --simulated-nodes adds real kubelets over containers that are only remembered, for
  scale. --config names nodes and gives them labels, taints and capacity: see examples/cluster.yaml, and
  src/cli/cluster-file/cluster-file.schema.json for every field. What is said of nodes is remembered by the cluster.

Scheduling:
  the file of --scheduler-config is what kube-scheduler's --config takes (kubescheduler.config.k8s.io/v1). What of it
  is not honoured is refused, and says so.

Examples:
  peapod up -f examples/multi-container-pod.yaml
  peapod up --name test --port 7443 --detach
  peapod up --nodes 3
  peapod up --runtime simulated
  peapod up -f manifests/ -f more.yaml
  kubectl create --dry-run=client -o yaml configmap a | peapod up -f -`,

  down: `
It succeeds when nothing runs. Data (the API's objects, images) is kept for the next \`peapod up\` unless purged.

Every container gets its preStop hook and its pod's own terminationGracePeriodSeconds, cut to --grace-period;
sidecars end after the others. Ctrl-C of \`peapod up\` does the same. 0 kills at once. Pods are not deleted:
the next \`peapod up\` runs them anew.

Examples:
  peapod down
  peapod down --grace-period 60
  peapod down --name test --purge`,

  status: `
It fails when the cluster does not run. JSON has pid, api, nodes, runtime, images and dataDir.

Examples:
  peapod status
  peapod status -o json | jq -r .api`,

  why: `
First one sentence that says why the pod is not ready now, and what would help; then its timeline. A timeline
outlives its pod by an hour. Of a pod that fits nowhere it also says what
stands in the way on the nearest nodes, and whether evicting others would help.

With --node, what each plugin of the scheduler says of that node: as the cluster was when the pod was last tried, as
long as that is kept (minutes); else as it is now. What it then says applies to is told.

JSON has pod, ready, sentence, help, container (where it is about one), impasse (of a pod that fits nowhere) and
entries, with scores by plugin in those of scheduling attempts; with --node it has pod, basis, verdict, and now where
that differs. Without POD it is an array, without entries. Programs may also ask the API, for
/apis/peapod.dev/v1alpha1/namespaces/NAMESPACE/podtimelines/NAME.

Examples:
  peapod why
  peapod why web
  peapod why shop/web
  peapod why pod/web -n shop -o json | jq -r .sentence
  peapod why web --node peapod-node2`,

  simulate: `
Places pods as the scheduler would, and creates nothing: Pods, and those that Deployments, ReplicaSets, StatefulSets,
ReplicationControllers and Jobs make, of which nothing but the template and the number is looked at. Each is defaulted, admitted and validated by the API server
first; each that fits counts for those behind it. Nobody is evicted: where that would make room, it is said of whom.
Where nodes are equally good the cluster draws lots; here the same question always gets the same answer.

Without --nodes it is about the cluster that runs. With it no cluster is needed: the files hold Nodes, and whatever
else stands there already: Pods with spec.nodeName, Namespaces, PriorityClasses, Services, PodDisruptionBudgets.
\`kubectl get nodes,pods,pc,svc,pdb -A -o yaml\` writes such a file. A Node that does not say so has room for 110 pods
and its name as label kubernetes.io/hostname. Missing namespaces are made.

JSON has fits, and pods: pod, outcome (placed, nowhere, not-scheduled), node, attempt (as in podtimelines: how many
nodes each reason refused, the best with their scores by plugin), sentence, help and impasse (the nearest nodes with
their obstacles, and eviction).

It exits with 0 when every pod gets a node, 1 when some do not, 2 when it was asked wrongly, also by a manifest that
the API refuses.

Examples:
  peapod simulate -f pod.yaml
  peapod simulate -f pod.yaml --replicas 20
  peapod simulate -f pod.yaml --nodes nodes.yaml
  peapod simulate -f pod.yaml --nodes nodes.yaml --scheduler-config config.yaml -o json`,

  kubeconfig: `
The same file stands in the data directory as \`kubeconfig\`.

Examples:
  peapod kubeconfig > ~/.kube/peapod && export KUBECONFIG=~/.kube/peapod`,

  node: `
For clusters of several nodes (\`peapod up --nodes 3\`), each of which is a host of its own. A node that is switched off
loses what ran on it; one that is cut off goes on with what it has, and knows nothing new. Both stay as they are when
peapod is stopped by a signal or killed; \`peapod down\` ends them.

Examples:
  peapod node stop peapod-node2
  peapod node start peapod-node2
  peapod node partition peapod-node3
  peapod node heal peapod-node3`,

  image: `
Examples:
  peapod image load web.tar    what docker save has written
  peapod image pull nginx:1.27
  peapod image list -o json`,
} as const;
