import { apiVersionOf, type Resource } from '#api/resource.ts';
import * as resources from '#client/resources.ts';

const known: readonly Resource[] = Object.values(resources);

/** The kind that a manifest names, or undefined. */
export const resourceOf = (apiVersion: string, kind: string): Resource | undefined =>
  known.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);

/** What to say of a kind that is not known: kubectl's words, and what there is. */
export function noMatches(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  const version = apiVersion.slice(slash + 1);
  const group = slash < 0 ? '' : ` of group "${apiVersion.slice(0, slash)}"`;
  const elsewhere = known.find((resource) => resource.kind === kind);
  const hint = elsewhere
    ? `${kind} is in ${apiVersionOf(elsewhere)}`
    : `known are ${known
        .map((resource) => resource.kind)
        .toSorted()
        .join(', ')}`;
  return `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(version)}${group}: ${hint}`;
}

/** `pod/web`, `deployment.apps/web`: how kubectl names an object. */
export const nameOfObject = ({ kind, group }: Resource, name: string): string =>
  `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
