import { ApiError, badRequest, conflict, notFound } from '#api/errors.ts';
import { invalid, invalidValue } from '#api/field-error.ts';
import { child, rootPath } from '#api/field-path.ts';
import type { TokenRequest } from '#api/generated/authentication-v1.ts';
import type { Pod } from '#api/generated/core-v1.ts';
import type { StoreKey } from '#store/store.ts';
import type { Lookup } from '#server/admission.ts';
import { timestamp } from '#server/registry/meta.ts';
import type { Registry } from '#server/registry/registry.ts';
import type { SubresourceHandler } from '#server/subresources/call.ts';
import type { ServiceAccountTokens, TokenGuard, TokenSubject } from '#server/tokens/service-account-tokens.ts';

const LEAST_SECONDS = 600;
const MOST_SECONDS = 2 ** 32;
const DEFAULT_SECONDS = 3600;

interface TokenParts {
  readonly registry: Registry;
  readonly lookup: Lookup;
  readonly tokens: ServiceAccountTokens;
}

/** `serviceaccounts/NAME/token`: makes a token for an account, perhaps bound to a pod or secret that it dies with. */
export function requestToken({ registry, lookup, tokens }: TokenParts): SubresourceHandler {
  return async ({ request, target }) => {
    const wanted = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
    const body = request.body.object(wanted) as unknown as TokenRequest;
    const { metadata } = registry.get(target).object;
    const namespace = metadata.namespace ?? '';
    const seconds = body.spec?.expirationSeconds ?? DEFAULT_SECONDS;
    checkSeconds(seconds);
    const bound = body.spec?.boundObjectRef;
    const subject: TokenSubject = {
      namespace,
      name: metadata.name,
      uid: metadata.uid,
      ...(bound ? { boundTo: boundObject(bound, { namespace, account: metadata.name }, lookup) } : {}),
    };
    const { token, expiresAt } = await tokens.issue(subject, body.spec?.audiences ?? [], seconds);
    const { name, creationTimestamp } = metadata;
    const value = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp },
      spec: { ...body.spec, audiences: body.spec?.audiences ?? [tokens.issuer], expirationSeconds: seconds },
      status: { token, expirationTimestamp: timestamp(expiresAt) },
    };
    return { kind: 'value', code: 201, value };
  };
}

function checkSeconds(seconds: number): void {
  const path = child(rootPath('spec'), 'expirationSeconds');
  const refuse = (why: string): ApiError =>
    invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [invalidValue(path, seconds, why)]);
  if (seconds < LEAST_SECONDS) throw refuse('may not specify a duration less than 10 minutes');
  if (seconds > MOST_SECONDS) throw refuse('may not specify a duration larger than 2^32 seconds');
}

type BoundReference = NonNullable<TokenRequest['spec']['boundObjectRef']>;

function boundObject(
  { kind = '', name = '', uid }: BoundReference,
  { namespace, account }: { namespace: string; account: string },
  lookup: Lookup,
): NonNullable<TokenSubject['boundTo']> {
  const plural = boundKinds[kind];
  if (plural === undefined)
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to object of kind ${kind}`);
  const found = lookup.get(`${plural}/${plural === 'nodes' ? '' : `${namespace}/`}${name}` as StoreKey);
  if (!found) throw notFound({ group: '', plural }, name);
  const { object } = found;
  if (uid && uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', plural }, name, why);
  }
  if (kind === 'Pod' && (object as Pod).spec.serviceAccountName !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    );
  }
  return { kind, name, uid: object.metadata.uid };
}

const boundKinds: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

/** A token is worth nothing once its account, or what it is bound to, is gone or has been made anew. */
export const tokenGuard =
  (lookup: Lookup): TokenGuard =>
  ({ namespace, name, uid, boundTo }) => {
    const same = (key: string, wanted: string): boolean => lookup.get(key as StoreKey)?.object.metadata.uid === wanted;
    if (!same(`serviceaccounts/${namespace}/${name}`, uid)) return false;
    if (!boundTo) return true;
    const plural = `${boundTo.kind.toLowerCase()}s`;
    return same(`${plural}/${plural === 'nodes' ? '' : `${namespace}/`}${boundTo.name}`, boundTo.uid);
  };
