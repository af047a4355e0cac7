import type {
  ConfigMapKeySelector,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '#api/generated/core-v1.ts';
import {
  configKeyProblems,
  dns1123SubdomainProblems,
  envVarNameProblems,
  labelKeyProblems,
  maskTrailingDash,
} from '#api/names.ts';
import { formatQuantity, isZero, parseQuantity, quantityProblem } from '#api/quantity.ts';
import type { Finding } from '#api/validation/check.ts';
import type { Volumes } from '#api/validation/mounts.ts';
import { validateFilePath } from '#api/validation/paths.ts';

/** Environment variables, and what they and downward volumes may refer to. */
export function validateEnv(env: readonly EnvVar[], volumes: Volumes, found: Finding): void {
  for (const [index, variable] of env.entries()) {
    const name = found.at(index).child('name');
    if (name.text(variable.name)) name.problems(variable.name, envVarNameProblems(variable.name));
    if (variable.valueFrom !== undefined) {
      const own = found.at(index).child('valueFrom');
      validateSource(variable.valueFrom, variable.value ?? '', own);
      if (variable.valueFrom.fileKeyRef)
        validateFileRef(variable.valueFrom.fileKeyRef, volumes, own.child('fileKeyRef'));
    }
  }
}

export function validateEnvFrom(sources: readonly EnvFromSource[], found: Finding): void {
  for (const [index, { prefix, configMapRef, secretRef }] of sources.entries()) {
    const own = found.at(index);
    if (prefix) own.child('prefix').problems(prefix, envVarNameProblems(prefix));
    if (configMapRef !== undefined) validateReferenceName(configMapRef.name, own.child('configMapRef').child('name'));
    if (secretRef !== undefined) validateReferenceName(secretRef.name, own.child('secretRef').child('name'));
    if (configMapRef === undefined && secretRef === undefined) {
      found.invalid('', 'must specify one of: `configMapRef` or `secretRef`');
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      found.invalid('', 'may not have more than one field specified at a time');
    }
  }
}

function validateReferenceName(name: string | undefined, found: Finding): void {
  if (found.text(name)) found.problems(name, dns1123SubdomainProblems(maskTrailingDash(name)));
}

function validateSource(source: EnvVarSource, value: string, found: Finding): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef !== undefined) validateFieldRef(fieldRef, envFields, found.child('fieldRef'));
  if (resourceFieldRef !== undefined) validateResourceRef(resourceFieldRef, 'env', found.child('resourceFieldRef'));
  if (configMapKeyRef !== undefined) validateKeyRef(configMapKeyRef, found.child('configMapKeyRef'));
  if (secretKeyRef !== undefined) validateKeyRef(secretKeyRef, found.child('secretKeyRef'));
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef];
  const count = sources.filter((each) => each !== undefined).length;
  if (count === 0) {
    found.invalid(
      '',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    );
  } else if (value !== '') {
    found.invalid('', 'may not be specified when `value` is not empty');
  } else if (count > 1) {
    found.invalid('', 'may not have more than one field specified at a time');
  }
}

function validateKeyRef({ name = '', key }: ConfigMapKeySelector, found: Finding): void {
  found.child('name').problems(name, dns1123SubdomainProblems(name));
  if (found.child('key').text(key)) found.child('key').problems(key, configKeyProblems(key));
}

/** A key in a file that a container of the pod has written, to a volume of the pod's own (KEP-3721). */
function validateFileRef({ volumeName, path, key }: FileKeySelector, volumes: Volumes, found: Finding): void {
  if (found.child('key').text(key)) found.child('key').problems(key, envVarNameProblems(key));
  const name = found.child('volumeName');
  if (name.text(volumeName)) {
    const volume = volumes.get(volumeName);
    if (volume === undefined) name.absent(volumeName);
    else if (volume.emptyDir === undefined) name.invalid(volumeName, 'referenced volume must be of type emptyDir');
  }
  validateFilePath(path, found.child('path'));
}

const envFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
export const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const podFields = new Set([
  ...envFields,
  ...volumeFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);

/** A field of the pod: `metadata.name`, `metadata.labels['key']`. */
export function validateFieldRef(reference: ObjectFieldSelector, supported: readonly string[], found: Finding): void {
  const { apiVersion, fieldPath } = reference;
  if (!found.child('apiVersion').text(apiVersion)) return;
  const own = found.child('fieldPath');
  if (!own.text(fieldPath)) return;
  if (apiVersion !== 'v1') {
    own.invalid(fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`);
    return;
  }
  const subscripted = /^(?<path>.*?)\['(?<key>.*)'\]$/s.exec(fieldPath);
  if (subscripted !== null) {
    const { path = '', key = '' } = subscripted.groups ?? {};
    if (path === 'metadata.annotations') found.problems(key.toLowerCase(), labelKeyProblems(key.toLowerCase()));
    else if (path === 'metadata.labels') found.problems(key, labelKeyProblems(key));
    else own.invalid(fieldPath, `error converting fieldPath: field label does not support subscript: ${fieldPath}`);
  } else if (!podFields.has(fieldPath)) {
    own.invalid(fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`);
  } else if (!supported.includes(fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath)) {
    own.unsupported(fieldPath, supported);
  }
}

const resourceFields = ['limits', 'requests'].flatMap((kind) =>
  ['cpu', 'ephemeral-storage', 'memory'].map((name) => `${kind}.${name}`),
);
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** A volume must say whose resources it means; a variable means its own container's. */
export function validateResourceRef(reference: ResourceFieldSelector, where: 'env' | 'volume', found: Finding): void {
  const { containerName, resource, divisor = '0' } = reference;
  const isHugePages = /^(requests|limits)\.hugepages-/.test(resource ?? '');
  if (where === 'volume' && !containerName) found.child('containerName').required();
  else if (found.child('resource').text(resource) && !resourceFields.includes(resource) && !isHugePages) {
    found.child('resource').unsupported(resource, resourceFields);
  }
  const own = found.child('divisor');
  const problem = quantityProblem(divisor);
  if (problem !== undefined) own.invalid(divisor, problem);
  else if (!isZero(parseQuantity(divisor)))
    validateDivisor(resource ?? '', formatQuantity(parseQuantity(divisor)), own);
}

function validateDivisor(resource: string, divisor: string, found: Finding): void {
  const name = resource.slice(resource.indexOf('.') + 1);
  const [supported, what] = name === 'cpu' ? [['1m', '1'], 'cpu'] : [byteDivisors, divisorNames[name] ?? 'hugepages'];
  if (supported.includes(divisor) || (name !== 'cpu' && !(name in divisorNames) && !name.startsWith('hugepages-')))
    return;
  const list = name === 'cpu' ? '1m and 1' : byteDivisors.join(', ');
  found.invalid(resource, `only divisor's values ${list} are supported with the ${what} resource`);
}

const divisorNames: Readonly<Record<string, string>> = {
  memory: 'memory',
  'ephemeral-storage': 'local ephemeral storage',
};
