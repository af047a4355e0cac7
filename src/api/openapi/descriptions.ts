/** What `kubectl explain` says of kinds and of the fields people ask for most. One line each, our own words. */
const kinds: Readonly<Record<string, string>> = {
  'core/v1.Binding': 'Puts a pod on a node.',
  'core/v1.ConfigMap': 'Configuration as keys and values, for pods to read as environment, arguments or files.',
  'core/v1.Endpoints': 'The addresses behind a Service, in one object.',
  'core/v1.Event': 'Something that happened to an object, kept for a while.',
  'core/v1.LimitRange': 'Bounds and defaults for the resources of single pods and containers of a namespace.',
  'core/v1.Namespace': 'A scope for names: most kinds of objects live in one.',
  'core/v1.Node': 'A machine that runs pods.',
  'core/v1.PersistentVolume': 'A piece of storage of the cluster.',
  'core/v1.PersistentVolumeClaim': "A user's request for storage.",
  'core/v1.Pod': 'Containers that run together on one node and share an address and volumes.',
  'core/v1.PodTemplate': 'A description of pods to be made.',
  'core/v1.ReplicationController': 'Keeps a number of equal pods running; a ReplicaSet is its successor.',
  'core/v1.ResourceQuota': 'Bounds what all objects of a namespace may use together.',
  'core/v1.Secret': 'Values that must not be shown to everyone, base64-encoded in `data`.',
  'core/v1.Service': 'A stable name and address for a set of pods.',
  'core/v1.ServiceAccount': 'An identity for the processes of a pod.',
  'apps/v1.ControllerRevision': 'A snapshot of the state of a DaemonSet or StatefulSet.',
  'apps/v1.DaemonSet': 'Runs a pod on every node that fits.',
  'apps/v1.Deployment': 'Rolls out and keeps running a number of equal pods.',
  'apps/v1.ReplicaSet': 'Keeps a number of equal pods running.',
  'apps/v1.StatefulSet': 'Runs pods that have stable names and storage of their own.',
  'autoscaling/v1.Scale': 'How many replicas a workload should have, and has.',
  'autoscaling/v2.HorizontalPodAutoscaler': 'Changes the number of replicas by load.',
  'batch/v1.CronJob': 'Makes a Job at given times.',
  'batch/v1.Job': 'Runs pods until enough of them have succeeded.',
  'coordination/v1.Lease': 'A claim that its holder renews: a heartbeat, or who leads.',
  'discovery/v1.EndpointSlice': 'Some of the addresses behind a Service.',
  'events/v1.Event': 'Something that happened to an object, kept for a while.',
  'networking/v1.Ingress': 'Rules by which HTTP requests from outside reach Services.',
  'networking/v1.NetworkPolicy': 'Which traffic may reach and leave a set of pods.',
  'node/v1.RuntimeClass': 'A way of running containers that pods can ask for.',
  'policy/v1.Eviction': 'A request to end a pod, as far as disruption budgets allow.',
  'policy/v1.PodDisruptionBudget': 'How many pods of a set may be ended on purpose at one time.',
  'rbac/v1.ClusterRole': 'Permissions, for one namespace or for all.',
  'rbac/v1.ClusterRoleBinding': 'Gives the permissions of a ClusterRole everywhere.',
  'rbac/v1.Role': 'Permissions within one namespace.',
  'rbac/v1.RoleBinding': 'Gives the permissions of a role within one namespace.',
  'scheduling/v1.PriorityClass': 'A name for a priority of pods.',
  'storage/v1.CSIDriver': 'What a storage driver can do and needs.',
  'storage/v1.CSINode': 'Which storage drivers a node has, and how many of their volumes it takes.',
  'storage/v1.CSIStorageCapacity': 'How much room a class of storage has, seen from some nodes.',
  'storage/v1.VolumeAttachment': 'A request to attach a volume to a node.',
  'storage/v1.StorageClass': 'A way in which volumes are provisioned.',
};

const metadata: Readonly<Record<string, string>> = {
  annotations: 'Notes for tools, as keys and values that nothing selects by.',
  creationTimestamp: 'When the server stored the object first.',
  deletionGracePeriodSeconds: 'How long the object may take to end, once it is being deleted.',
  deletionTimestamp: 'Set once the object is being deleted: when it should be gone.',
  finalizers: 'The object stays until those who put their names here have removed them.',
  generateName: 'Start of a name that the server completes, where `name` is not given.',
  generation: 'Counts the changes of the desired state.',
  labels: 'Keys and values by which objects are selected.',
  name: 'Unique among objects of one kind within a namespace. Cannot change.',
  namespace: 'Where the name is unique. Cannot change.',
  ownerReferences: 'When all of these objects are gone, this one is deleted.',
  resourceVersion:
    'Changes with every change of the object; sent back, it guards against overwriting what was not seen.',
  uid: 'Tells the object from earlier ones of the same name.',
};

const podSpec: Readonly<Record<string, string>> = {
  activeDeadlineSeconds: 'The pod is ended as failed when it has been active this long.',
  affinity: 'On which nodes, and near which pods, the pod may or should be placed.',
  automountServiceAccountToken: 'Whether containers get a token of the service account.',
  containers: 'The containers of the pod; at least one. Cannot be added to or taken from later.',
  dnsPolicy: 'Where containers look up names.',
  ephemeralContainers: 'Containers added to a running pod to look into it.',
  hostAliases: "Lines for the containers' hosts file.",
  hostNetwork: "Use the node's network instead of one of the pod's own.",
  hostPID: "Use the node's process ids.",
  hostname: 'The host name the containers see; the name of the pod unless given.',
  imagePullSecrets: 'Secrets with credentials for image registries.',
  initContainers: 'Containers that run before the others, one after the other, each to its end.',
  nodeName: 'The node the pod runs on; given by the scheduler unless set.',
  nodeSelector: 'Labels a node must have for the pod to be placed there.',
  priorityClassName: 'How important the pod is, by the name of a PriorityClass.',
  restartPolicy: 'Whether containers that ended are started again: Always, OnFailure or Never.',
  runtimeClassName: 'A RuntimeClass by which the containers are run.',
  schedulerName: 'The scheduler that places the pod.',
  securityContext: 'Users, groups and privileges for all containers of the pod.',
  serviceAccountName: 'The ServiceAccount the pod runs as.',
  shareProcessNamespace: 'Let the containers see the processes of each other.',
  terminationGracePeriodSeconds: 'How long containers may take to end before they are killed.',
  tolerations: 'Taints of nodes that do not keep the pod away.',
  topologySpreadConstraints: 'How evenly pods are spread over nodes and zones.',
  volumes: 'Volumes that containers of the pod can mount.',
};

const container: Readonly<Record<string, string>> = {
  args: "Arguments of the entry point; the image's CMD unless given. $(VAR) is replaced from the environment.",
  command: "The entry point; the image's ENTRYPOINT unless given. $(VAR) is replaced from the environment.",
  env: 'Environment variables.',
  envFrom: 'ConfigMaps and Secrets whose keys become environment variables.',
  image: 'The name of the image.',
  imagePullPolicy: 'When the image is pulled: Always, IfNotPresent or Never.',
  lifecycle: 'What to do after the start and before the end of the container.',
  livenessProbe: 'A check that restarts the container when it fails.',
  name: 'Unique within the pod. Cannot change.',
  ports: 'Ports the container listens on; for information, others can be reached too.',
  readinessProbe: 'A check that takes the pod out of its Services while it fails.',
  resources: 'What the container is given at least and at most.',
  restartPolicy: 'For an init container, Always makes it a sidecar that runs along with the others.',
  securityContext: 'User, group and privileges of this container; wins over what the pod says.',
  startupProbe: 'A check that must succeed once before the other probes begin.',
  stdin: 'Keep standard input open.',
  terminationMessagePath: 'A file whose content becomes the message of the container when it ends.',
  terminationMessagePolicy: 'Whether the end of the log stands in for a missing message.',
  tty: 'Give the container a terminal; needs `stdin`.',
  volumeMounts: 'Where volumes of the pod appear in the container.',
  workingDir: "Where the process starts; the image's unless given.",
};

const others: Readonly<Record<string, string>> = {
  'core/v1.Pod.spec': 'What the pod should be.',
  'core/v1.Pod.status': 'What the pod is, as last reported.',
  'core/v1.ContainerPort.containerPort': 'The number of the port, 1 to 65535.',
  'core/v1.ContainerPort.hostPort': 'A port of the node that leads to this one.',
  'core/v1.ContainerPort.protocol': 'TCP unless given.',
  'core/v1.EnvVar.name': 'The name of the variable.',
  'core/v1.EnvVar.value': 'Its value, in which $(VAR) stands for a variable given before.',
  'core/v1.EnvVar.valueFrom': 'Where the value comes from: a field of the pod, a ConfigMap, a Secret, a resource.',
  'core/v1.ResourceRequirements.limits': 'The most the container may use.',
  'core/v1.ResourceRequirements.requests': 'What is set aside for the container; the limits unless given.',
  'core/v1.VolumeMount.mountPath': 'Where the volume appears in the container.',
  'core/v1.VolumeMount.name': 'A volume of the pod.',
  'core/v1.VolumeMount.readOnly': 'Whether the container may only read it.',
  'core/v1.VolumeMount.subPath': 'A path within the volume that is mounted instead of its root.',
  'core/v1.Volume.configMap': 'Files made of the keys of a ConfigMap.',
  'core/v1.Volume.emptyDir': 'A directory that is made and removed with the pod.',
  'core/v1.Volume.hostPath': 'A file or directory of the node.',
  'core/v1.Volume.name': 'Unique within the pod.',
  'core/v1.Volume.secret': 'Files made of the keys of a Secret.',
  'core/v1.Probe.failureThreshold': 'How many failures in a row count as failed.',
  'core/v1.Probe.initialDelaySeconds': 'How long after the start of the container the first check is made.',
  'core/v1.Probe.periodSeconds': 'The time between two checks.',
  'core/v1.Probe.successThreshold': 'How many successes in a row count as success again.',
  'core/v1.Probe.timeoutSeconds': 'How long a check may take.',
  'core/v1.PodStatus.conditions': 'Whether the pod is scheduled, initialized, ready.',
  'core/v1.PodStatus.containerStatuses': 'The state of each container.',
  'core/v1.PodStatus.hostIP': 'The address of the node.',
  'core/v1.PodStatus.phase': 'Pending, Running, Succeeded, Failed or Unknown.',
  'core/v1.PodStatus.podIP': 'The address of the pod.',
  'core/v1.PodStatus.qosClass': 'Guaranteed, Burstable or BestEffort, as follows from the resources.',
  'core/v1.ConfigMap.data': 'Values that are text.',
  'core/v1.ConfigMap.binaryData': 'Values that are not text, in base64.',
  'core/v1.ConfigMap.immutable': 'Refuse any change of the values.',
  'core/v1.Secret.data': 'Values in base64.',
  'core/v1.Secret.stringData': 'Values as plain text, merged into `data` when written; never shown.',
  'core/v1.Secret.type': 'What the secret is for, and so which keys it must have.',
  'core/v1.ServiceSpec.clusterIP': 'The address of the Service; None for one without.',
  'core/v1.ServiceSpec.ports': 'The ports of the Service.',
  'core/v1.ServiceSpec.selector': 'Labels of the pods behind the Service.',
  'core/v1.ServiceSpec.type': 'ClusterIP, NodePort, LoadBalancer or ExternalName.',
};

/** `name` is `core/v1.Pod` or `core/v1.Pod.spec`. Nothing where there is no text. */
export function describe(name: string): { readonly description?: string } {
  const text = kinds[name] ?? others[name] ?? ofField(name);
  return text === undefined ? {} : { description: text };
}

function ofField(name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  const field = name.slice(dot + 1);
  switch (name.slice(0, dot)) {
    case 'meta/v1.ObjectMeta':
      return metadata[field];
    case 'core/v1.PodSpec':
      return podSpec[field];
    case 'core/v1.Container':
    case 'core/v1.EphemeralContainer':
      return container[field];
    default:
      return undefined;
  }
}
