import type { ConfigMap, Namespace, Node, Secret, ServiceAccount, Taint } from '#api/generated/core-v1.ts';
import type { FieldError } from '#api/field-error.ts';
import { tooLongValue } from '#api/field-error.ts';
import { rootPath } from '#api/field-path.ts';
import { isDualStack } from '#api/ip.ts';
import { configKeyProblems, dns1123LabelProblems, labelKeyProblems, labelValueProblems } from '#api/names.ts';
import { semanticallyEqual } from '#api/semantic-diff.ts';
import { Finding, isImmutable } from '#api/validation/check.ts';
import {
  clusterName,
  namespacedName,
  validateKubeFinalizers,
  validateLabelName,
  validateMeta,
  validateMetaUpdate,
} from '#api/validation/metadata.ts';
import { validateTaintEffect } from '#api/validation/placement.ts';
import { validateQuantity } from '#api/validation/resources.ts';

/** Of a ConfigMap or a Secret as a whole, its keys not counted. */
const dataMostBytes = 1024 * 1024;
const frozen = 'field is immutable when `immutable` is set';

const namespaceName = { namespaced: false, nameProblems: dns1123LabelProblems };

export function validateNamespace(namespace: Namespace): readonly FieldError[] {
  const found = validateMeta(namespace.metadata, namespaceName);
  const finalizers = Finding.at('spec').child('finalizers');
  for (const finalizer of namespace.spec?.finalizers ?? []) {
    finalizers.problems(finalizer, labelKeyProblems(finalizer));
  }
  validateKubeFinalizers(namespace.spec?.finalizers, finalizers);
  return [...found.errors, ...finalizers.errors];
}

export function validateNamespaceUpdate(namespace: Namespace, old: Namespace): readonly FieldError[] {
  return validateMetaUpdate(namespace.metadata, old.metadata).errors;
}

export function validateNamespaceStatusUpdate(namespace: Namespace, old: Namespace): readonly FieldError[] {
  const meta = validateMetaUpdate(namespace.metadata, old.metadata);
  const found = Finding.at('status').child('phase');
  const phase = namespace.status?.phase;
  const isDeleted = namespace.metadata.deletionTimestamp !== undefined;
  if (isDeleted && phase !== 'Terminating') {
    found.invalid(phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty");
  } else if (!isDeleted && phase !== 'Active') {
    found.invalid(phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty");
  }
  return [...meta.errors, ...found.errors];
}

export function validateConfigMap(configMap: ConfigMap): readonly FieldError[] {
  const meta = validateMeta(configMap.metadata, namespacedName);
  const found = Finding.at('data');
  const binary = Finding.at('binaryData');
  let bytes = textBytes(Object.values(configMap.data ?? {}));
  for (const key of Object.keys(configMap.data ?? {})) {
    found.key(key).problems(key, configKeyProblems(key));
    if (Object.hasOwn(configMap.binaryData ?? {}, key)) {
      found.key(key).invalid(key, 'duplicate of key present in binaryData');
    }
  }
  for (const [key, value] of Object.entries(configMap.binaryData ?? {})) {
    binary.key(key).problems(key, configKeyProblems(key));
    bytes += base64Bytes(value);
  }
  const size = bytes > dataMostBytes ? [tooLongValue(rootPath(''), dataMostBytes)] : [];
  return [...meta.errors, ...found.errors, ...binary.errors, ...size];
}

export function validateConfigMapUpdate(configMap: ConfigMap, old: ConfigMap): readonly FieldError[] {
  const meta = validateMetaUpdate(configMap.metadata, old.metadata);
  return [...meta.errors, ...frozenErrors(configMap, old), ...validateConfigMap(configMap)];
}

export function validateSecret(secret: Secret): readonly FieldError[] {
  const meta = validateMeta(secret.metadata, namespacedName);
  const found = Finding.at('data');
  let bytes = 0;
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    found.key(key).problems(key, configKeyProblems(key));
    bytes += base64Bytes(value);
  }
  if (bytes > dataMostBytes) found.add(tooLongValue(found, dataMostBytes));
  validateSecretType(secret, found, meta);
  return [...meta.errors, ...found.errors];
}

export function validateSecretUpdate(secret: Secret, old: Secret): readonly FieldError[] {
  const meta = validateMetaUpdate(secret.metadata, old.metadata);
  const found = Finding.at('type');
  if (secret.type !== old.type) found.invalid(secret.type ?? '', isImmutable);
  return [...meta.errors, ...found.errors, ...frozenErrors(secret, old), ...validateSecret(secret)];
}

export const validateServiceAccount = (account: ServiceAccount): readonly FieldError[] =>
  validateMeta(account.metadata, namespacedName).errors;

export const validateServiceAccountUpdate = (account: ServiceAccount, old: ServiceAccount): readonly FieldError[] => [
  ...validateMetaUpdate(account.metadata, old.metadata).errors,
  ...validateServiceAccount(account),
];

export function validateNode(node: Node): readonly FieldError[] {
  const meta = validateMeta(node.metadata, clusterName);
  validateTaints(node.spec?.taints ?? [], meta.child('taints'));
  const found = Finding.at('status');
  validateNodeResources(node, found);
  const ranges = Finding.at('spec').child('podCIDRs');
  const { podCIDRs = [] } = node.spec ?? {};
  for (const [index, range] of podCIDRs.entries()) {
    ranges.at(index).cidr(range);
    if (podCIDRs.indexOf(range) < index) ranges.at(index).duplicate(range);
  }
  if (podCIDRs.length > 1 && (podCIDRs.length > 2 || !isDualStack(podCIDRs.map((each) => each.split('/')[0] ?? '')))) {
    ranges.invalid(podCIDRs, 'may specify no more than one CIDR for each IP family');
  }
  return [...meta.errors, ...found.errors, ...ranges.errors];
}

export function validateNodeUpdate(node: Node, old: Node): readonly FieldError[] {
  const meta = validateMetaUpdate(node.metadata, old.metadata);
  validateTaints(node.spec?.taints ?? [], meta.child('taints'));
  const found = Finding.at('status');
  validateNodeResources(node, found);
  const addresses = new Set<string>();
  for (const [index, address] of (node.status?.addresses ?? []).entries()) {
    const key = `${address.type}/${address.address}`;
    if (addresses.has(key)) found.child('addresses').at(index).duplicate(address);
    addresses.add(key);
  }
  const spec = Finding.at('spec');
  const { podCIDRs = [], providerID } = old.spec ?? {};
  if (podCIDRs.length > 0 && !semanticallyEqual(podCIDRs, node.spec?.podCIDRs ?? [])) {
    spec.child('podCIDRs').forbidden('node updates may not change podCIDR except from "" to valid');
  }
  if (providerID && providerID !== node.spec?.providerID) {
    spec.child('providerID').forbidden('node updates may not change providerID except from "" to valid');
  }
  return [...meta.errors, ...found.errors, ...spec.errors];
}

function validateTaints(taints: readonly Taint[], found: Finding): void {
  const pairs = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const own = found.at(index);
    validateLabelName(taint.key, own.child('key'));
    const problems = labelValueProblems(taint.value ?? '');
    if (problems.length > 0) own.child('value').invalid(taint.value, problems.join(';'));
    validateTaintEffect(taint.effect, own.child('effect'));
    const pair = `${taint.key}:${taint.effect}`;
    if (pairs.has(pair)) own.duplicate(taint, 'taints must be unique by key and effect pair');
    pairs.add(pair);
  }
}

function validateNodeResources({ status }: Node, found: Finding): void {
  for (const list of ['capacity', 'allocatable'] as const) {
    for (const [name, text] of Object.entries(status?.[list] ?? {})) {
      validateQuantity(name, text, found.child(list).child(name));
    }
  }
}

interface Data {
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

function frozenErrors(object: Data, old: Data): readonly FieldError[] {
  if (old.immutable !== true) return [];
  const errors: FieldError[] = [];
  if (object.immutable !== true) Finding.at('immutable', errors).forbidden(frozen);
  for (const name of ['data', 'binaryData'] as const) {
    if (!semanticallyEqual(object[name], old[name])) Finding.at(name, errors).forbidden(frozen);
  }
  return errors;
}

/** What a Secret of some types must hold. */
function validateSecretType({ type, data = {}, metadata }: Secret, found: Finding, meta: Finding): void {
  const needs = (key: string): void => {
    if (!Object.hasOwn(data, key)) found.key(key).required();
  };
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const account = 'kubernetes.io/service-account.name';
      meta.child('annotations').key(account).text(metadata?.annotations?.[account]);
      break;
    }
    case 'kubernetes.io/dockercfg':
      validateJson(data, '.dockercfg', found);
      break;
    case 'kubernetes.io/dockerconfigjson':
      validateJson(data, '.dockerconfigjson', found);
      break;
    case 'kubernetes.io/basic-auth':
      if (Object.hasOwn(data, 'username') || Object.hasOwn(data, 'password')) break;
      needs('username');
      needs('password');
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) found.key('ssh-privatekey').required();
      break;
    case 'kubernetes.io/tls':
      needs('tls.crt');
      needs('tls.key');
      break;
    default:
  }
}

function validateJson(data: Readonly<Record<string, string>>, key: string, found: Finding): void {
  const text = data[key];
  const own = found.key(key);
  if (text === undefined) {
    own.required();
    return;
  }
  try {
    const parsed: unknown = JSON.parse(atob(text));
    if (typeof parsed === 'object' && !Array.isArray(parsed)) return;
    own.invalid('<secret contents redacted>', 'must be a JSON object');
  } catch {
    // The parser's own words could quote the secret.
    own.invalid('<secret contents redacted>', 'must be valid JSON');
  }
}

/** Only what could be too much is encoded to be counted: a UTF-16 unit is at most three bytes. */
function textBytes(texts: readonly string[]): number {
  const units = texts.reduce((total, text) => total + text.length, 0);
  if (units * 3 <= dataMostBytes) return units;
  const encoder = new TextEncoder();
  return texts.reduce((total, text) => total + encoder.encode(text).length, 0);
}

const base64Bytes = (text: string): number => {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
};
