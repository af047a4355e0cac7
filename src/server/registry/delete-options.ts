import { ApiError, badRequest, conflict } from '#api/errors.ts';
import { invalid, invalidValue, unsupported, type FieldError } from '#api/field-error.ts';
import { rootPath } from '#api/field-path.ts';
import type { KubeObject } from '#api/meta.ts';
import type { Resource } from '#api/resource.ts';
import type { Query } from '#server/request.ts';
import { isTrue } from '#server/request.ts';

export interface DeleteOptions {
  readonly graceSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly dryRun: boolean;
}

/** From the body (DeleteOptions), or from the query where there is none. */
export function parseDeleteOptions(body: unknown, query: Query): DeleteOptions {
  const options = (typeof body === 'object' && body !== null ? body : fromQuery(query)) as Record<string, unknown>;
  const { gracePeriodSeconds, preconditions, propagationPolicy, orphanDependents } = options;
  const errors: FieldError[] = [];
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isInteger(gracePeriodSeconds)) {
    throw badRequest('gracePeriodSeconds must be an integer');
  }
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalidValue(rootPath('propagationPolicy'), propagationPolicy, why));
  } else if (propagationPolicy !== undefined && !policies.includes(propagationPolicy as string)) {
    errors.push(unsupported(rootPath('propagationPolicy'), propagationPolicy, policies));
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'DeleteOptions' }, '', errors);
  refuseForeground(propagationPolicy);
  const { uid, resourceVersion } = (preconditions ?? {}) as { uid?: string; resourceVersion?: string };
  const dryRun = isDryRun(query, options['dryRun']);
  return { graceSeconds: (gracePeriodSeconds ?? undefined) as number | undefined, uid, resourceVersion, dryRun };
}

const policies = ['Foreground', 'Background', 'Orphan'];

/**
 * Nothing collects dependents yet, so Background and Orphan come to the same; Foreground would promise that they are gone
 * first, and that cannot be kept.
 */
function refuseForeground(policy: unknown): void {
  if (policy !== 'Foreground') return;
  throw new ApiError(
    'NotImplemented',
    'propagationPolicy "Foreground" is not supported yet: dependents are not collected; use "Background" or "Orphan"',
  );
}

function fromQuery(query: Query): Record<string, unknown> {
  const grace = query['gracePeriodSeconds'];
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(query['propagationPolicy'] === undefined ? {} : { propagationPolicy: query['propagationPolicy'] }),
    ...(query['orphanDependents'] === undefined ? {} : { orphanDependents: isTrue(query['orphanDependents']) }),
  };
}

/** `dryRun=All` is the only dry run there is. */
export function isDryRun(query: Query, inBody?: unknown): boolean {
  const asked = query['dryRun'] ?? (Array.isArray(inBody) ? inBody[0] : undefined);
  if (asked === undefined || asked === '') return false;
  if (asked === 'All') return true;
  throw invalid({ group: 'meta.k8s.io', kind: 'Options' }, '', [unsupported(rootPath('dryRun'), [asked], ['All'])]);
}

export function checkPreconditions(resource: Resource, object: KubeObject, options: DeleteOptions): void {
  const { name, uid, resourceVersion } = object.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`;
    throw conflict(resource, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== (resourceVersion as string)) {
    const asked = options.resourceVersion;
    const why = `Precondition failed: ResourceVersion in precondition: ${asked}, ResourceVersion in object meta: ${resourceVersion}`;
    throw conflict(resource, name, why);
  }
}
