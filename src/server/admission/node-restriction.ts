import { ApiError } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import { referredKind } from '#api/pod-references.ts';
import { isMirrorPod, sourceAnnotations } from '#api/pod-source.ts';
import type { StoreKey } from '#store/store.ts';
import type { AdmissionPlugin, AdmissionRequest, Lookup } from '#server/admission.ts';

const USER_PREFIX = 'system:node:';
const GROUP = 'system:nodes';

/**
 * What a node may do to pods: show its static pods by mirrors that refer to nothing it could not read otherwise, delete its
 * own, and say how its own are. Others' pods are none of its business. The rules and words are upstream's.
 */
export function nodeRestriction(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request, object) {
      const node = nodeAsking(request);
      if (node === undefined || request.descriptor.plural !== 'pods') return;
      const why = objection(request, object as Pod | undefined, { node, lookup });
      if (why !== undefined) throw refused(request, why);
    },
  };
}

interface Asker {
  readonly node: string;
  readonly lookup: Lookup;
}

function nodeAsking({ user }: AdmissionRequest): string | undefined {
  if (!user.groups?.includes(GROUP) || !user.name.startsWith(USER_PREFIX)) return undefined;
  return user.name.slice(USER_PREFIX.length);
}

function objection(request: AdmissionRequest, object: Pod | undefined, asker: Asker): string | undefined {
  const { operation, subresource, old } = request;
  const { node } = asker;
  const isOwn = (old as Pod | undefined)?.spec.nodeName === node;
  if (subresource === 'status') {
    return isOwn
      ? undefined
      : `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`;
  }
  if (subresource === 'eviction') {
    return isOwn ? undefined : `node ${quoted(node)} can only evict pods with spec.nodeName set to itself`;
  }
  if (subresource !== undefined)
    return `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`;
  switch (operation) {
    case 'CREATE':
      return object && objectionToMirror(object, asker);
    case 'DELETE':
      return isOwn ? undefined : `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`;
    default:
      return `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`;
  }
}

function objectionToMirror(pod: Pod, asker: Asker): string | undefined {
  const node = quoted(asker.node);
  if (!isMirrorPod(pod)) {
    return `pod does not have ${quoted(sourceAnnotations.mirror)} annotation, node ${node} can only create mirror pods`;
  }
  if (pod.spec.nodeName !== asker.node) return `node ${node} can only create pods with spec.nodeName set to itself`;
  const owner = objectionToOwner(pod, asker);
  if (owner !== undefined) return owner;
  const kind = referredKind(pod);
  return kind === undefined ? undefined : `node ${node} can not create pods that reference ${kind}`;
}

function objectionToOwner({ metadata }: Pod, { node: name, lookup }: Asker): string | undefined {
  const node = quoted(name);
  const [owner, second] = metadata.ownerReferences ?? [];
  if (second !== undefined) return `node ${node} can only create pods with a single owner reference set to itself`;
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== name) {
    return `node ${node} can only create pods with an owner reference set to itself`;
  }
  if (owner.controller !== true) {
    return `node ${node} can only create pods with a controller owner reference set to itself`;
  }
  if (owner.blockOwnerDeletion === true) return `node ${node} must not set blockOwnerDeletion on an owner reference`;
  const uid = lookup.get(`nodes/${name}` as StoreKey)?.object.metadata.uid;
  if (uid === undefined) return `node ${node} not found`;
  return owner.uid === uid ? undefined : `node ${name} UID mismatch: expected ${uid} got ${owner.uid}`;
}

const quoted = (text: string): string => JSON.stringify(text);

function refused({ name = '' }: AdmissionRequest, why: string): ApiError {
  return new ApiError('Forbidden', `pods ${quoted(name)} is forbidden: ${why}`, { details: { name, kind: 'pods' } });
}
