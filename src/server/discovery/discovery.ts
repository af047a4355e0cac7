import { createHash } from 'node:crypto';
import { apiVersionOf } from '#api/resource.ts';
import type { Answer } from '#server/answer.ts';
import type { Descriptor, Subresource } from '#server/descriptor.ts';
import { parseAccept } from '#server/http/negotiation.ts';
import type { ReviewKind } from '#server/subresources/reviews.ts';

/** What is served, as discovery sees it. */
interface DiscoveredResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: Readonly<Record<string, Subresource>>;
}

/**
 * Discovery: which groups, versions and resources there are. Two forms: a document a group version, as of old, and all of them in one
 * (aggregated), which newer clients ask for by their Accept header.
 */
export class Discovery {
  readonly #resources: readonly DiscoveredResource[];
  readonly #aggregated = new Map<string, Answer>();

  constructor(descriptors: readonly Descriptor[], reviews: readonly ReviewKind[]) {
    const posted = reviews.map((each) => ({
      ...each,
      verbs: ['create'],
      shortNames: [],
      categories: [],
      subresources: {},
    }));
    this.#resources = [...descriptors, ...posted];
  }

  /** Undefined for a path that is none of discovery's. */
  answer(path: string, accept: string): Answer | undefined {
    const [root, group, version, ...more] = path.split('/').filter((each) => each !== '');
    if (more.length > 0) return undefined;
    if (root === 'api') {
      if (group === undefined) return this.#aggregatedFor('api', accept) ?? value(coreVersions);
      return version === undefined ? this.#resourceList('', group) : undefined;
    }
    if (root !== 'apis') return undefined;
    if (group === undefined) return this.#aggregatedFor('apis', accept) ?? value(this.#groupList());
    return version === undefined ? this.#groupAnswer(group) : this.#resourceList(group, version);
  }

  #groupNames(): readonly string[] {
    return [...new Set(this.#resources.map(({ group }) => group))].filter((group) => group !== '');
  }

  #group(name: string): object {
    const versions = [
      ...new Set(this.#resources.filter(({ group }) => group === name).map(({ version }) => version)),
    ].map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions, preferredVersion: versions[0] };
  }

  #groupList(): object {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: this.#groupNames().map((name) => this.#group(name)) };
  }

  #groupAnswer(name: string): Answer | undefined {
    if (!this.#groupNames().includes(name)) return undefined;
    return value({ kind: 'APIGroup', apiVersion: 'v1', ...this.#group(name) });
  }

  #resourceList(group: string, version: string): Answer | undefined {
    const here = this.#resources.filter((each) => each.group === group && each.version === version);
    if (here.length === 0) return undefined;
    const groupVersion = apiVersionOf({ group, version });
    const resources = here.flatMap((each) => [resourceEntry(each), ...subresourceEntries(each)]);
    return value({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources });
  }

  #aggregatedFor(root: 'api' | 'apis', accept: string): Answer | undefined {
    const wanted = parseAccept(accept).find(
      ({ parameters }) =>
        parameters.get('as') === 'APIGroupDiscoveryList' && parameters.get('g') === 'apidiscovery.k8s.io',
    );
    const version = wanted?.parameters.get('v');
    if (version !== 'v2' && version !== 'v2beta1') return undefined;
    const key = `${root} ${version}`;
    const known = this.#aggregated.get(key);
    if (known) return known;
    const groups = root === 'api' ? [''] : this.#groupNames();
    const items = groups.map((group) => this.#aggregatedGroup(group));
    const made = document(version, {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items,
    });
    this.#aggregated.set(key, made);
    return made;
  }

  #aggregatedGroup(group: string): object {
    const here = this.#resources.filter((each) => each.group === group);
    const versions = [...new Set(here.map(({ version }) => version))].map((version) => ({
      version,
      resources: here.filter((each) => each.version === version).map(aggregatedEntry),
      freshness: 'Current',
    }));
    return { metadata: group === '' ? {} : { name: group }, versions };
  }
}

const coreVersions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };

const value = (body: object): Answer => ({ kind: 'value', code: 200, value: body });

function document(version: string, body: object): Answer {
  const bytes = Buffer.from(JSON.stringify(body));
  const etag = `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"`;
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return { kind: 'document', document: { contentType, body: bytes, etag, immutable: false } };
}

const resourceEntry = ({
  plural,
  singular,
  namespaced,
  kind,
  verbs,
  shortNames,
  categories,
}: DiscoveredResource): object => ({
  name: plural,
  singularName: singular,
  namespaced,
  kind,
  verbs,
  ...(shortNames.length > 0 ? { shortNames } : {}),
  ...(categories.length > 0 ? { categories } : {}),
});

const subresourceEntries = ({ plural, namespaced, subresources }: DiscoveredResource): readonly object[] =>
  Object.entries(subresources).map(([name, { kind, group, version, verbs }]) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(group === undefined ? {} : { group, version }),
    kind,
    verbs,
  }));

const aggregatedEntry = (resource: DiscoveredResource): object => {
  const { group, version, plural, singular, kind, namespaced, verbs, shortNames, categories } = resource;
  const subresources = Object.entries(resource.subresources).map(([name, sub]) => ({
    subresource: name,
    responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
    verbs: sub.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
};
