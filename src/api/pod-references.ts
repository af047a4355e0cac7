import type { Container, EnvFromSource, EnvVar, Pod, Volume } from '#api/generated/core-v1.ts';

/**
 * What a pod needs from the API besides itself. Pods from files may need nothing of it: they run without an API, and a node
 * could otherwise read whatever it likes by showing a pod that refers to it.
 */

/** The plural of the first kind of object that a pod refers to; undefined for one that stands by itself. */
export function referredKind(pod: Pod): string | undefined {
  const { serviceAccountName, resourceClaims = [], volumes = [] } = pod.spec;
  if (serviceAccountName) return 'serviceaccounts';
  if (refersToSecrets(pod)) return 'secrets';
  if (refersToConfigMaps(pod)) return 'configmaps';
  if (resourceClaims.length > 0) return 'resourceclaims';
  return volumes.map(kindBehind).find((kind) => kind !== undefined);
}

export const refersToSecrets = ({ spec }: Pod): boolean =>
  (spec.imagePullSecrets ?? []).length > 0 ||
  variablesOf(spec).some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined) ||
  variableSourcesOf(spec).some(({ secretRef }) => secretRef !== undefined) ||
  (spec.volumes ?? []).some(hasSecret);

const refersToConfigMaps = ({ spec }: Pod): boolean =>
  variablesOf(spec).some(({ valueFrom }) => valueFrom?.configMapKeyRef !== undefined) ||
  variableSourcesOf(spec).some(({ configMapRef }) => configMapRef !== undefined) ||
  (spec.volumes ?? []).some(
    ({ configMap, projected }) => configMap !== undefined || projected?.sources?.some((source) => source.configMap),
  );

/** Whether one of its volumes has a token of a service account in it. */
export const projectsToken = ({ spec }: Pod): boolean =>
  (spec.volumes ?? []).some(({ projected }) => projected?.sources?.some((source) => source.serviceAccountToken));

const hasSecret = (volume: Volume): boolean =>
  volume.secret !== undefined ||
  volume.projected?.sources?.some(({ secret }) => secret !== undefined) === true ||
  volume.azureFile !== undefined ||
  volume.csi?.nodePublishSecretRef !== undefined ||
  [volume.cephfs, volume.cinder, volume.flexVolume, volume.rbd, volume.scaleIO, volume.iscsi, volume.storageos].some(
    (source) => source?.secretRef !== undefined,
  );

function kindBehind(volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) return 'persistentvolumeclaims';
  if (volume.csi !== undefined) return 'csidrivers';
  if (volume.glusterfs !== undefined) return 'endpoints';
  const sources = volume.projected?.sources ?? [];
  if (sources.some(({ serviceAccountToken }) => serviceAccountToken !== undefined)) return 'serviceaccounts';
  if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined)) return 'clustertrustbundles';
  return sources.some(({ podCertificate }) => podCertificate !== undefined) ? 'podcertificaterequests' : undefined;
}

const containersOf = (spec: Pod['spec']): readonly Pick<Container, 'env' | 'envFrom'>[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...(spec.ephemeralContainers ?? []),
];

const variablesOf = (spec: Pod['spec']): readonly EnvVar[] => containersOf(spec).flatMap(({ env = [] }) => env);

const variableSourcesOf = (spec: Pod['spec']): readonly EnvFromSource[] =>
  containersOf(spec).flatMap(({ envFrom = [] }) => envFrom);
