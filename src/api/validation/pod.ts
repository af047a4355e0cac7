import type { Binding, EphemeralContainer, Pod, PodSpec } from '#api/generated/core-v1.ts';
import type { FieldError } from '#api/field-error.ts';
import { restartsAfter } from '#api/restart-policy.ts';
import { differenceText, differences, semanticallyEqual } from '#api/semantic-diff.ts';
import { Finding } from '#api/validation/check.ts';
import { validateImageSpaces } from '#api/validation/containers.ts';
import { namespacedName, validateMeta, validateMetaUpdate } from '#api/validation/metadata.ts';
import { validatePodSpec } from '#api/validation/pod-spec.ts';
import { validatePodChange } from '#api/validation/pod-change.ts';

/** A client may have left all of it out. */
const noSpec: PodSpec = { containers: [] };

const mirrorAnnotation = 'kubernetes.io/config.mirror';
const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

/** A pod that is about to be created; it has been defaulted. */
export function validatePod(pod: Pod): readonly FieldError[] {
  const meta = validateMeta(pod.metadata, namespacedName);
  const spec = Finding.at('spec');
  validateAnnotationsOfPod(pod, meta.child('annotations'));
  validateSpecOfPod(pod, spec);
  const { ephemeralContainers = [], nodeName, schedulingGates = [] } = pod.spec ?? {};
  if (ephemeralContainers.length > 0) spec.child('ephemeralContainers').forbidden('cannot be set on create');
  if (nodeName && schedulingGates.length > 0) {
    spec.child('nodeName').forbidden('cannot be set until all schedulingGates have been cleared');
  }
  return [...meta.errors, ...spec.errors];
}

/** Only a few fields of a pod may change; `pod` has been defaulted. */
export function validatePodUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const update = validateMetaUpdate(pod.metadata, old.metadata);
  const meta = validateMeta(pod.metadata, namespacedName);
  const spec = Finding.at('spec');
  validateAnnotationsOfPod(pod, meta.child('annotations'));
  validateMirror(pod, old, update.child('annotations'));
  validateSpecOfPod(pod, spec);
  validatePodChange(pod.spec ?? noSpec, old.spec, spec);
  return [...update.errors, ...meta.errors, ...spec.errors];
}

/** `kubectl debug`: containers may be added to the ephemeral ones, nothing else. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    const found = Finding.at('');
    found.forbidden('static pods do not support ephemeral containers');
    return found.errors;
  }
  const update = validateMetaUpdate(pod.metadata, old.metadata);
  const spec = Finding.at('spec');
  validateSpecOfPod(pod, spec);
  const given = new Map((pod.spec.ephemeralContainers ?? []).map((each) => [each.name, each]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    refuseEphemeralChange(before, given.get(before.name), spec.child('ephemeralContainers'));
  }
  return [...update.errors, ...spec.errors];
}

/** The status as the kubelet and others write it. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const meta = validateMetaUpdate(pod.metadata, old.metadata);
  const found = Finding.at('status');
  const status = pod.status ?? {};
  const before = old.status ?? {};
  if ((pod.spec.nodeName ?? '') !== (old.spec.nodeName ?? '')) {
    found.child('nodeName').forbidden('may not be changed directly');
  }
  if (status.qosClass !== before.qosClass) found.child('qosClass').invalid(status.qosClass ?? '', 'field is immutable');
  for (const kind of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    refuseResurrection(pod, old, kind, found.child(kind));
  }
  for (const [index, { ip }] of (status.podIPs ?? []).entries()) found.child('podIPs').at(index).ip(ip);
  for (const [index, { ip }] of (status.hostIPs ?? []).entries()) found.child('hostIPs').at(index).ip(ip);
  const [hostIP] = status.hostIPs ?? [];
  if (hostIP !== undefined && hostIP.ip !== status.hostIP) {
    found.child('hostIPs').at(0).child('ip').invalid(hostIP.ip, 'must be equal to `hostIP`');
  }
  return [...meta.errors, ...found.errors];
}

export function validateBinding({ target }: Binding): readonly FieldError[] {
  const found = Finding.at('target');
  if (target?.kind) found.child('kind').oneOf(target.kind, ['Node', '<empty>']);
  found.child('name').text(target?.name);
  return found.errors;
}

function validateSpecOfPod(pod: Pod, found: Finding): void {
  const spec: PodSpec = pod.spec ?? noSpec;
  validatePodSpec(spec, pod.metadata?.name ?? '', found);
  if (!spec.serviceAccountName) {
    for (const [index, { projected }] of (spec.volumes ?? []).entries()) {
      for (const [at, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
        if (serviceAccountToken === undefined) continue;
        const own = found.child('volumes').at(index).child('projected').child('sources').at(at);
        own.child('serviceAccountToken').forbidden('must not be specified when serviceAccountName is not set');
      }
    }
  }
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      validateImageSpaces(container, found.child(list).at(index));
    }
  }
}

function validateAnnotationsOfPod({ metadata, spec }: Pod, found: Finding): void {
  const mirror = metadata?.annotations?.[mirrorAnnotation];
  if (mirror !== undefined && !spec?.nodeName) {
    found.key(mirrorAnnotation).invalid(mirror, 'must set spec.nodeName if mirror pod annotation is set');
  }
  const cost = metadata?.annotations?.[deletionCostAnnotation];
  if (cost !== undefined && !(/^(0|-?[1-9][0-9]*)$/.test(cost) && Math.abs(Number(cost)) < 2 ** 31)) {
    found.key(deletionCostAnnotation).invalid(cost, 'must be a 32bit integer');
  }
}

function validateMirror(pod: Pod, old: Pod, found: Finding): void {
  const after = pod.metadata.annotations?.[mirrorAnnotation];
  const before = old.metadata.annotations?.[mirrorAnnotation];
  if (after === before) return;
  const what = before === undefined ? 'may not add' : 'may not remove or update';
  found.key(mirrorAnnotation).forbidden(`${what} mirror pod annotation`);
}

function refuseEphemeralChange(
  before: EphemeralContainer,
  after: EphemeralContainer | undefined,
  found: Finding,
): void {
  const name = JSON.stringify(before.name);
  if (after === undefined) found.forbidden(`existing ephemeral containers ${name} may not be removed\n`);
  else if (!semanticallyEqual(before, after)) {
    const changes = differences(before, after, '').map(differenceText).join('\n');
    found.forbidden(`existing ephemeral containers ${name} may not be changed\n${changes}`);
  }
}

/** What has ended for good stays ended. */
function refuseResurrection(
  pod: Pod,
  old: Pod,
  kind: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses',
  found: Finding,
): void {
  const { spec } = old;
  if (kind !== 'ephemeralContainerStatuses' && spec.restartPolicy === 'Always') return;
  const containers = kind === 'initContainerStatuses' ? (spec.initContainers ?? []) : spec.containers;
  for (const [index, before] of (old.status?.[kind] ?? []).entries()) {
    const { terminated } = before.state ?? {};
    if (terminated === undefined) continue;
    const container = containers.find(({ name }) => name === before.name);
    const role = kind === 'containerStatuses' ? 'main' : container?.restartPolicy === 'Always' ? 'sidecar' : 'init';
    if (container !== undefined && restartsAfter(role, old, container, terminated.exitCode)) continue;
    const after = pod.status?.[kind]?.find((each) => each.name === before.name);
    if (after === undefined || after.state?.terminated !== undefined) continue;
    found.at(index).child('state').forbidden('may not be transitioned to non-terminated state');
  }
}
