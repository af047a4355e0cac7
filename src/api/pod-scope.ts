import type { Container, Pod } from '#api/generated/core-v1.ts';

/**
 * What becomes of every field of a pod that a user may set. SCOPE.md says the same in prose, and a test holds the two and
 * the list of fields that Kubernetes has to each other: a field can be without effect, but not without anyone knowing.
 *
 *  - honoured: does what upstream documents.
 *  - ignored: accepted, stored, shown, and without effect yet; creating such a pod gives a warning.
 *  - refused: a pod that sets it is not run; the message says so.
 */
export type Fate = 'honoured' | 'ignored' | 'refused';

export const podFields: Readonly<Record<string, Fate>> = {
  activeDeadlineSeconds: 'honoured',
  affinity: 'honoured',
  automountServiceAccountToken: 'honoured',
  containers: 'honoured',
  dnsConfig: 'honoured',
  dnsPolicy: 'honoured',
  enableServiceLinks: 'honoured',
  ephemeralContainers: 'honoured',
  hostAliases: 'honoured',
  hostIPC: 'honoured',
  hostNetwork: 'honoured',
  hostPID: 'honoured',
  hostUsers: 'ignored',
  hostname: 'honoured',
  hostnameOverride: 'honoured',
  imagePullSecrets: 'honoured',
  initContainers: 'honoured',
  nodeName: 'honoured',
  nodeSelector: 'honoured',
  os: 'honoured',
  overhead: 'honoured',
  preemptionPolicy: 'honoured',
  priority: 'honoured',
  priorityClassName: 'honoured',
  readinessGates: 'honoured',
  resourceClaims: 'ignored',
  resources: 'honoured',
  restartPolicy: 'honoured',
  runtimeClassName: 'refused',
  schedulerName: 'honoured',
  schedulingGates: 'honoured',
  schedulingGroup: 'ignored',
  securityContext: 'honoured',
  serviceAccount: 'honoured',
  serviceAccountName: 'honoured',
  setHostnameAsFQDN: 'honoured',
  shareProcessNamespace: 'honoured',
  subdomain: 'honoured',
  terminationGracePeriodSeconds: 'honoured',
  tolerations: 'honoured',
  topologySpreadConstraints: 'honoured',
  volumes: 'honoured',
};

export const containerFields: Readonly<Record<string, Fate>> = {
  args: 'honoured',
  command: 'honoured',
  env: 'honoured',
  envFrom: 'honoured',
  image: 'honoured',
  imagePullPolicy: 'honoured',
  lifecycle: 'honoured',
  livenessProbe: 'honoured',
  name: 'honoured',
  ports: 'honoured',
  readinessProbe: 'honoured',
  resizePolicy: 'ignored',
  resources: 'honoured',
  restartPolicy: 'honoured',
  restartPolicyRules: 'honoured',
  securityContext: 'honoured',
  startupProbe: 'honoured',
  stdin: 'honoured',
  stdinOnce: 'honoured',
  terminationMessagePath: 'honoured',
  terminationMessagePolicy: 'honoured',
  tty: 'honoured',
  volumeDevices: 'refused',
  volumeMounts: 'honoured',
  workingDir: 'honoured',
};

/** The kinds of volumes a kubelet can give. A pod with another stays at ContainerCreating, with an event that says why. */
export const volumeKinds: readonly string[] = [
  'configMap',
  'downwardAPI',
  'emptyDir',
  'hostPath',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** Warnings for whoever creates the pod: what of it is accepted and has no effect yet. */
export function withoutEffect({ spec }: Pod): readonly string[] {
  const told = (fields: Readonly<Record<string, Fate>>, object: object, path: string): readonly string[] =>
    Object.keys(object)
      .filter((field) => fields[field] === 'ignored')
      .map((field) => `${path}.${field}: has no effect yet in peapod (see SCOPE.md)`);
  const each = (list: readonly Container[] | undefined, name: string): readonly string[] =>
    (list ?? []).flatMap((container, n) => told(containerFields, container, `spec.${name}[${n}]`));
  const volumes = (spec.volumes ?? []).flatMap((volume, n) =>
    Object.keys(volume)
      .filter((kind) => kind !== 'name' && !volumeKinds.includes(kind))
      .map(
        (kind) =>
          `spec.volumes[${n}].${kind}: volumes of this kind are not supported yet in peapod; the pod will wait for it`,
      ),
  );
  return [
    ...told(podFields, spec, 'spec'),
    ...each(spec.initContainers, 'initContainers'),
    ...each(spec.containers, 'containers'),
    ...volumes,
  ];
}
