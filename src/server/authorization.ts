import { ApiError } from '#api/errors.ts';
import type { User } from '#api/transport.ts';
import { rules, type Rule } from '#server/authorization-rules.ts';
import type { RequestInfo } from '#server/request.ts';

/** What somebody wants to do, as authorization sees it: to an object or a collection, or to a plain path. */
export type Attributes =
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly group: string;
      readonly plural: string;
      readonly subresource: string | undefined;
      readonly namespace: string | undefined;
      readonly name: string | undefined;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

/**
 * The second stage: may this user do that? A table of named rules answers (`authorization-rules.ts`); who is in `system:masters`
 * may do everything. There are no roles to configure yet.
 */
export function isAllowed(user: User, attributes: Attributes): boolean {
  if (user.groups.includes('system:masters')) return true;
  return rules.some((rule) => appliesTo(rule, user) && covers(rule, user, attributes));
}

export function authorize(user: User, info: RequestInfo): void {
  if (isAllowed(user, info)) return;
  throw forbiddenTo(user, info);
}

/** Every rule of the table that speaks of this user. */
export const rulesFor = (user: User): readonly Rule[] =>
  user.groups.includes('system:masters') ? [everything] : rules.filter((rule) => appliesTo(rule, user));

const everything: Rule = {
  name: 'cluster-admin',
  groups: ['system:masters'],
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  paths: ['*'],
};

const appliesTo = (rule: Rule, user: User): boolean =>
  rule.groups?.some((group) => user.groups.includes(group)) === true || rule.users?.includes(user.name) === true;

function covers(rule: Rule, user: User, wanted: Attributes): boolean {
  if (!matches(rule.verbs, wanted.verb)) return false;
  if (wanted.kind === 'path') return rule.paths?.some((path) => pathMatches(path, wanted.path)) === true;
  const resource = wanted.subresource === undefined ? wanted.plural : `${wanted.plural}/${wanted.subresource}`;
  if (!matches(rule.apiGroups ?? [], wanted.group) || !matches(rule.resources ?? [], resource)) return false;
  if (rule.namespaces && !rule.namespaces.includes(wanted.namespace ?? '')) return false;
  // A node may touch only what bears its own name.
  return rule.ownName !== true || wanted.name === user.name.replace(/^system:node:/, '');
}

const matches = (allowed: readonly string[], wanted: string): boolean =>
  allowed.includes('*') || allowed.includes(wanted);

const pathMatches = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

/** The 403 in upstream's words. */
export function forbiddenTo(user: User, wanted: Attributes): ApiError {
  const who = `User ${JSON.stringify(user.name)} cannot ${wanted.verb}`;
  if (wanted.kind === 'path') {
    return new ApiError('Forbidden', `forbidden: ${who} path ${JSON.stringify(wanted.path)}`, { details: {} });
  }
  const { group, plural, subresource, namespace, name } = wanted;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const where =
    namespace === undefined || plural === 'namespaces'
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(namespace)}`;
  const qualified = group === '' ? plural : `${plural}.${group}`;
  const what = name === undefined ? qualified : `${qualified} ${JSON.stringify(name)}`;
  const message = `${what} is forbidden: ${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${where}`;
  const details = { ...(name === undefined ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural };
  return new ApiError('Forbidden', message, { details });
}
