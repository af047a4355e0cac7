import { ApiError } from '#api/errors.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { PriorityClass } from '#api/generated/scheduling-v1.ts';
import type { StoreKey } from '#store/store.ts';
import type { AdmissionPlugin, Lookup } from '#server/admission.ts';

const PREFIX = 'priorityclasses.scheduling.k8s.io/';

/** Gives a pod the priority of its class, or of the default class, so that nobody who reads a pod needs the classes. */
export function priority(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'Priority',
    mutate({ operation, descriptor, subresource, old }, object) {
      if (descriptor.plural !== 'pods' || subresource !== undefined) return object;
      if (operation === 'CREATE') return withPriority(object as Pod, lookup);
      return operation === 'UPDATE' && old ? withPriorityOf(old as Pod, object as Pod) : object;
    },
  };
}

/** A manifest that replaces a pod names neither number nor policy; they are what they were. */
function withPriorityOf(old: Pod, pod: Pod): Pod {
  const { priority: value = old.spec.priority, preemptionPolicy: policy = old.spec.preemptionPolicy } = pod.spec;
  if (value === pod.spec.priority && policy === pod.spec.preemptionPolicy) return pod;
  const kept = {
    ...(value === undefined ? {} : { priority: value }),
    ...(policy === undefined ? {} : { preemptionPolicy: policy }),
  };
  return { ...pod, spec: { ...pod.spec, ...kept } };
}

function withPriority(pod: Pod, lookup: Lookup): Pod {
  const { priorityClassName: named, priority: given, preemptionPolicy: policyGiven } = pod.spec;
  const chosen = named ? classNamed(named, pod, lookup) : defaultClass(lookup);
  const value = chosen?.value ?? 0;
  const policy = chosen?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (given !== undefined && given !== value) {
    throw refused(
      pod,
      `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  if (policyGiven !== undefined && policyGiven !== policy) {
    throw refused(
      pod,
      `the string value of PreemptionPolicy (${policyGiven}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  }
  const name = named || chosen?.metadata.name;
  const spec = { ...pod.spec, ...(name ? { priorityClassName: name } : {}), priority: value, preemptionPolicy: policy };
  return { ...pod, spec };
}

function classNamed(name: string, pod: Pod, lookup: Lookup): PriorityClass {
  const found = lookup.get(`${PREFIX}${name}` as StoreKey);
  if (!found) throw refused(pod, `no PriorityClass with name ${name} was found`);
  return found.object as unknown as PriorityClass;
}

/** Of several default classes the one with the lowest value counts. */
function defaultClass(lookup: Lookup): PriorityClass | undefined {
  return lookup
    .under(PREFIX)
    .map(({ object }) => object as unknown as PriorityClass)
    .filter(({ globalDefault }) => globalDefault === true)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

function refused(pod: Pod, why: string): ApiError {
  const name = pod.metadata.name || pod.metadata.generateName || '';
  return new ApiError('Forbidden', `pods ${JSON.stringify(name)} is forbidden: ${why}`, {
    details: { name, kind: 'pods' },
  });
}
