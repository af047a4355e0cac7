import { withDefaultServiceAccount } from '#api/defaults/initial.ts';
import { ApiError } from '#api/errors.ts';
import type { Container, Pod, ServiceAccount, Volume, VolumeMount } from '#api/generated/core-v1.ts';
import type { KubeObject } from '#api/meta.ts';
import { projectsToken, refersToSecrets } from '#api/pod-references.ts';
import { isMirrorPod } from '#api/pod-source.ts';
import type { Clock } from '#lib/clock.ts';
import type { AdmissionPlugin, AdmissionRequest, Lookup } from '#server/admission.ts';
import { generateName } from '#server/registry/names.ts';
import type { StoreKey } from '#store/store.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const VOLUME_PREFIX = 'kube-api-access-';
/** An hour and a little: the number by which upstream tells the tokens it gave unasked. */
const TOKEN_SECONDS = 3607;
const FILE_MODE = 0o644;
/** A namespace's default account is made by a controller a moment after the namespace: who is that quick is made to wait. */
const WAITS_MS = [20, 40, 80, 160, 320, 640];
const never = new AbortController().signal;

export interface ServiceAccountParts {
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Every new pod runs as a service account that exists. From it the pod has its pull secrets, unless it names some, and,
 * unless pod or account say no, a volume with a token, the cluster's certificate and the namespace, in every container
 * that has nothing else at that path. Mirror pods have none of this: they are what they are on their node.
 */
export function serviceAccount(parts: ServiceAccountParts): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    async mutate(request, object): Promise<KubeObject> {
      const { operation, descriptor, subresource } = request;
      if (operation !== 'CREATE' || descriptor.plural !== 'pods' || subresource !== undefined) return object;
      const pod = withDefaultServiceAccount(object as Pod);
      const name = pod.spec?.serviceAccountName;
      // A mirror pod, or one that is so malformed that validation will refuse it.
      if (!name || !Array.isArray(pod.spec.containers)) return pod;
      const account = await accountNamed(name, request, parts);
      const mounted = wantsToken(pod, account) ? withToken(pod, parts.random) : pod;
      return withPullSecrets(mounted, account);
    },
    validate({ operation, descriptor, subresource, name }, object) {
      if (operation !== 'CREATE' || descriptor.plural !== 'pods' || subresource !== undefined) return;
      const why = objectionToMirror(object as Pod);
      if (why !== undefined) throw refused(name, why);
    },
  };
}

/** A mirror pod runs already, without anything of the API's; what it refers to it would only give away. */
function objectionToMirror(pod: Pod): string | undefined {
  if (!isMirrorPod(pod)) return undefined;
  if (pod.spec.serviceAccountName) return 'a mirror pod may not reference service accounts';
  if (refersToSecrets(pod)) return 'a mirror pod may not reference secrets';
  return projectsToken(pod) ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined;
}

const refused = (name = '', why: string): ApiError =>
  new ApiError('Forbidden', `pods ${JSON.stringify(name)} is forbidden: ${why}`, { details: { name, kind: 'pods' } });

async function accountNamed(
  name: string,
  { namespace, name: pod }: AdmissionRequest,
  { lookup, clock }: ServiceAccountParts,
): Promise<ServiceAccount> {
  const look = (): KubeObject | undefined => lookup.get(`serviceaccounts/${namespace}/${name}` as StoreKey)?.object;
  let found = look();
  for (const wait of name === 'default' ? WAITS_MS : []) {
    if (found) break;
    await clock.sleep(wait, never);
    found = look();
  }
  if (found) return found as ServiceAccount;
  const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
  throw refused(pod, why);
}

/** The pod's own word counts, then the account's. */
const wantsToken = ({ spec }: Pod, account: ServiceAccount): boolean =>
  spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;

function withToken(pod: Pod, random: () => number): Pod {
  const { volumes = [], initContainers = [], containers } = pod.spec;
  const there = volumes.find(({ name, projected }) => projected !== undefined && name?.startsWith(VOLUME_PREFIX));
  const name = there?.name ?? generateName(VOLUME_PREFIX, random);
  const mount: VolumeMount = { name, readOnly: true, mountPath: MOUNT_PATH };
  const lacking = [...initContainers, ...containers].some((container) => !mountsThere(container));
  if (!lacking) return pod;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      volumes: there ? volumes : [...volumes, tokenVolume(name)],
      ...(pod.spec.initContainers ? { initContainers: initContainers.map((one) => withMount(one, mount)) } : {}),
      containers: containers.map((one) => withMount(one, mount)),
    },
  };
}

const mountsThere = ({ volumeMounts = [] }: Container): boolean =>
  volumeMounts.some(({ mountPath }) => mountPath === MOUNT_PATH);

const withMount = (container: Container, mount: VolumeMount): Container =>
  mountsThere(container) ? container : { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };

const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: FILE_MODE,
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
});

function withPullSecrets(pod: Pod, { imagePullSecrets = [] }: ServiceAccount): Pod {
  if ((pod.spec.imagePullSecrets ?? []).length > 0 || imagePullSecrets.length === 0) return pod;
  return { ...pod, spec: { ...pod.spec, imagePullSecrets } };
}
