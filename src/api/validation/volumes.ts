import type {
  DownwardAPIVolumeFile,
  HostPathVolumeSource,
  KeyToPath,
  PodSpec,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '#api/generated/core-v1.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '#api/names.ts';
import { parseQuantity, quantityProblem, signOf } from '#api/quantity.ts';
import type { Finding } from '#api/validation/check.ts';
import { validateClaimTemplate } from '#api/validation/claims.ts';
import { validateFieldRef, validateResourceRef, volumeFields } from '#api/validation/env.ts';
import { validateLabelSelector } from '#api/validation/metadata.ts';
import { validateFileMode, validateFilePath, validateNoBacksteps } from '#api/validation/paths.ts';
import { rareSources } from '#api/validation/rare-volumes.ts';
import { sourceRule, type SourceRule } from '#api/validation/source-rule.ts';

/** The pod's volumes by name: those that containers may mount. `podName` is missing in templates. */
export function validateVolumes(
  spec: PodSpec,
  podName: string | undefined,
  found: Finding,
): ReadonlyMap<string, Volume> {
  const volumes = new Map<string, Volume>();
  const given = spec.volumes ?? [];
  for (const [index, volume] of given.entries()) {
    const own = found.at(index);
    const before = own.errors.length;
    validateSource(volume, podName, own);
    const name = own.child('name');
    if (name.text(volume.name)) name.problems(volume.name, dns1123LabelProblems(volume.name));
    if (volumes.has(volume.name)) name.duplicate(volume.name);
    if (own.errors.length === before) volumes.set(volume.name, volume);
    const claimName = volume.persistentVolumeClaim?.claimName;
    if (claimName === undefined || podName === undefined) continue;
    if (given.some((each) => each.ephemeral !== undefined && `${podName}-${each.name}` === claimName)) {
      const why = 'must not reference a PVC that gets created for an ephemeral volume';
      own.child('persistentVolumeClaim').child('claimName').invalid(claimName, why);
    }
  }
  return volumes;
}

function validateSource(volume: Volume, podName: string | undefined, found: Finding): void {
  let isTyped = false;
  for (const rule of sourceRules) {
    if (volume[rule.name] === undefined) continue;
    if (isTyped) found.child(rule.name).forbidden('may not specify more than 1 volume type');
    else rule.validate(volume, found);
    isTyped = true;
  }
  if (!isTyped) found.required('must specify a volume type');
  if (volume.ephemeral === undefined || !podName || !volume.name) return;
  const claimName = `${podName}-${volume.name}`;
  for (const problem of dns1123SubdomainProblems(claimName)) {
    found.child('name').invalid(volume.name, `PVC name ${JSON.stringify(claimName)}: ${problem}`);
  }
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const sourceRules: readonly SourceRule[] = [
  sourceRule('emptyDir', ({ sizeLimit }, found) => {
    if (sizeLimit === undefined) return;
    const isAmount = quantityProblem(sizeLimit) === undefined && signOf(parseQuantity(sizeLimit)) >= 0;
    if (!isAmount) found.child('sizeLimit').forbidden('SizeLimit field must be a valid resource quantity');
  }),
  sourceRule('hostPath', validateHostPath),
  sourceRule('secret', ({ secretName, defaultMode, items }, found) => {
    found.child('secretName').text(secretName);
    validateFileMode(defaultMode, found.child('defaultMode'));
    validateItems(items, found.child('items'));
  }),
  sourceRule('persistentVolumeClaim', ({ claimName }, found) => {
    found.child('claimName').text(claimName);
  }),
  sourceRule('downwardAPI', ({ defaultMode, items }, found) => {
    validateFileMode(defaultMode, found.child('defaultMode'));
    for (const file of items ?? []) validateDownwardFile(file, found);
  }),
  sourceRule('configMap', ({ name, defaultMode, items }, found) => {
    found.child('name').text(name);
    validateFileMode(defaultMode, found.child('defaultMode'));
    validateItems(items, found.child('items'));
  }),
  sourceRule('projected', validateProjected),
  sourceRule('ephemeral', ({ volumeClaimTemplate }, found) => {
    const own = found.child('volumeClaimTemplate');
    if (volumeClaimTemplate === undefined) own.required();
    else validateClaimTemplate(volumeClaimTemplate, own);
  }),
  sourceRule('image', ({ reference, pullPolicy }, found) => {
    found.child('reference').text(reference);
    found.child('pullPolicy').requiredOneOf(pullPolicy, ['Always', 'IfNotPresent', 'Never']);
  }),
  ...rareSources,
];

export function validateHostPath({ path, type }: HostPathVolumeSource, found: Finding): void {
  if (!found.child('path').text(path)) return;
  validateNoBacksteps(path, found.child('path'));
  found.child('type').oneOf(type, hostPathTypes);
}

function validateItems(items: readonly KeyToPath[] | undefined, found: Finding): void {
  for (const [index, { key, path, mode }] of (items ?? []).entries()) {
    const own = found.at(index);
    own.child('key').text(key);
    validateFilePath(path, own.child('path'));
    validateFileMode(mode, own.child('mode'));
  }
}

function validateDownwardFile(file: DownwardAPIVolumeFile, found: Finding): void {
  const { path, fieldRef, resourceFieldRef, mode } = file;
  validateFilePath(path, found.child('path'));
  if (fieldRef !== undefined) {
    validateFieldRef(fieldRef, volumeFields, found.child('fieldRef'));
    if (resourceFieldRef !== undefined) {
      found.invalid('resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
    }
  } else if (resourceFieldRef !== undefined) {
    validateResourceRef(resourceFieldRef, 'volume', found.child('resourceFieldRef'));
  } else found.required('one of fieldRef and resourceFieldRef is required');
  validateFileMode(mode, found.child('mode'));
}

function validateProjected({ defaultMode, sources }: ProjectedVolumeSource, found: Finding): void {
  validateFileMode(defaultMode, found.child('defaultMode'));
  const paths = new Set<string>();
  for (const [index, source] of (sources ?? []).entries()) {
    const own = found.child('sources').at(index);
    validateProjection(source, own, found);
    for (const { path, owner } of projectedPaths(source)) {
      if (paths.has(path)) found.invalid(owner ?? path, 'conflicting duplicate paths');
      paths.add(path);
    }
    if (Object.values(source).filter((each) => each !== undefined).length > 1) {
      own.forbidden('may not specify more than 1 volume type per source');
    }
  }
}

function validateProjection(source: VolumeProjection, own: Finding, volume: Finding): void {
  const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle, podCertificate } = source;
  for (const [name, reference] of [['secret', secret] as const, ['configMap', configMap] as const]) {
    if (reference === undefined) continue;
    own.child(name).child('name').text(reference.name);
    validateItems(reference.items, own.child(name).child('items'));
  }
  for (const file of downwardAPI?.items ?? []) validateDownwardFile(file, own.child('downwardAPI'));
  if (token !== undefined) {
    const seconds = token.expirationSeconds ?? 0;
    const at = own.child('serviceAccountToken').child('expirationSeconds');
    if (seconds < 600) at.invalid(seconds, 'may not specify a duration less than 10 minutes');
    if (seconds > 2 ** 32) at.invalid(seconds, 'may not specify a duration larger than 2^32 seconds');
    validateFilePath(token.path, volume.child('path'));
  }
  if (clusterTrustBundle !== undefined) {
    const { name, signerName, labelSelector, path } = clusterTrustBundle;
    const at = own.child('clusterTrustBundle');
    if (name !== undefined && signerName !== undefined) {
      at.invalid(clusterTrustBundle, 'only one of name and signerName may be used');
    } else if (name === undefined && signerName === undefined) {
      at.required('either name or signerName must be specified');
    }
    validateLabelSelector(labelSelector, at.child('labelSelector'));
    validateFilePath(path, at.child('path'));
  }
  // Behind a gate that is off by default upstream: nothing here would issue the certificate.
  if (podCertificate !== undefined) own.child('podCertificate').forbidden('not supported by this cluster');
}

function projectedPaths(source: VolumeProjection): readonly { readonly path: string; readonly owner?: string }[] {
  const { secret, configMap, downwardAPI, clusterTrustBundle } = source;
  const keyed = [secret, configMap].flatMap((reference) =>
    (reference?.items ?? []).map(({ path }) => ({ path, owner: reference?.name ?? '' })),
  );
  const files = (downwardAPI?.items ?? []).map(({ path }) => ({ path }));
  const bundle = clusterTrustBundle === undefined ? [] : [{ path: clusterTrustBundle.path }];
  return [...keyed, ...files, ...bundle].filter(({ path }) => path);
}
