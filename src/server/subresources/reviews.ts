import { badRequest } from '#api/errors.ts';
import type { User } from '#api/transport.ts';
import type { Resource } from '#api/resource.ts';
import type { TokenAuthenticator } from '#server/authentication.ts';
import { isAllowed, rulesFor, type Attributes } from '#server/authorization.ts';

/** A kind that is only ever posted, and answered: nothing is kept. */
export interface ReviewKind extends Resource {
  readonly singular: string;
  readonly answer: (review: ReviewBody, user: User) => object | Promise<object>;
}

interface ReviewBody {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly metadata?: object;
}

const review = (group: string, kind: string, answer: ReviewKind['answer']): ReviewKind => ({
  group,
  version: 'v1',
  plural: `${kind.toLowerCase()}s`,
  kind,
  singular: kind.toLowerCase(),
  namespaced: false,
  answer,
});

/** The questions one may ask the server about itself and its users, answered by the same stages that judge requests. */
export const reviewKinds = (tokens: TokenAuthenticator): readonly ReviewKind[] => [
  review('authentication.k8s.io', 'SelfSubjectReview', (_review, user) => ({
    status: { userInfo: userInfo(user) },
  })),
  review('authentication.k8s.io', 'TokenReview', async ({ spec }) => {
    const token = spec?.['token'];
    const found = typeof token === 'string' && token !== '' ? await tokens.authenticate(token) : undefined;
    if (!found) return { spec, status: { authenticated: false, user: {}, error: 'invalid bearer token' } };
    return { spec, status: { authenticated: true, user: userInfo(found) } };
  }),
  review('authorization.k8s.io', 'SelfSubjectAccessReview', ({ spec }, user) => access(spec, user)),
  review('authorization.k8s.io', 'SubjectAccessReview', ({ spec }) => {
    const { user, groups } = (spec ?? {}) as { user?: string; groups?: readonly string[] };
    return access(spec, { name: user ?? '', groups: groups ?? [] });
  }),
  review('authorization.k8s.io', 'SelfSubjectRulesReview', ({ spec }, user) => ({ spec, status: ownRules(user) })),
];

const userInfo = (user: User): object => ({
  username: user.name,
  ...(user.uid === undefined ? {} : { uid: user.uid }),
  groups: user.groups,
});

function access(spec: ReviewBody['spec'], user: User): object {
  const allowed = isAllowed(user, wantedIn(spec));
  return { spec, status: { allowed, ...(allowed ? {} : { reason: '' }) } };
}

function wantedIn(spec: ReviewBody['spec']): Attributes {
  const resource = spec?.['resourceAttributes'] as Readonly<Record<string, string>> | undefined;
  const path = spec?.['nonResourceAttributes'] as Readonly<Record<string, string>> | undefined;
  if ((resource === undefined) === (path === undefined)) {
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  }
  if (path) return { kind: 'path', verb: path['verb'] ?? '', path: path['path'] ?? '' };
  return {
    kind: 'resource',
    verb: resource?.['verb'] ?? '',
    group: resource?.['group'] ?? '',
    plural: resource?.['resource'] ?? '',
    subresource: resource?.['subresource'] || undefined,
    namespace: resource?.['namespace'] || undefined,
    name: resource?.['name'] || undefined,
  };
}

function ownRules(user: User): object {
  const all = rulesFor(user);
  const resourceRules = all
    .filter(({ resources }) => resources)
    .map(({ verbs, apiGroups, resources }) => ({ verbs, apiGroups, resources }));
  const nonResourceRules = all
    .filter(({ paths }) => paths)
    .map(({ verbs, paths }) => ({ verbs, nonResourceURLs: paths }));
  return { resourceRules, nonResourceRules, incomplete: false };
}
