import { createHash } from 'node:crypto';
import { apiVersionOf } from '#api/resource.ts';
import type { ApiResource } from '#api/openapi/paths.ts';
import type { Answer, Document } from '#server/answer.ts';
import type { Descriptor } from '#server/descriptor.ts';
import { GIT_VERSION } from '#server/discovery/version.ts';
import { parseAccept } from '#server/http/negotiation.ts';
import type { Query } from '#server/request.ts';
import type { ReviewKind } from '#server/subresources/reviews.ts';

/**
 * OpenAPI: version 2 as one document (JSON, or gnostic's protobuf for old kubectl), version 3 as one a group version. A document is made
 * when it is first asked for, and kept.
 */
export class OpenApi {
  readonly #resources: readonly ApiResource[];
  readonly #documents = new Map<string, Promise<Document>>();

  constructor(descriptors: readonly Descriptor[], reviews: readonly ReviewKind[]) {
    this.#resources = [...descriptors.map(described), ...reviews.map((each) => ({ ...each, verbs: ['create'] }))];
  }

  /** Undefined for a path that is none of OpenAPI's. */
  answer(path: string, accept: string, query: Query): Promise<Answer> | undefined {
    if (path === '/openapi/v2') return this.#v2(accept);
    if (path === '/openapi/v3' || path === '/openapi/v3/') return this.#v3Index();
    const groupVersion = /^\/openapi\/v3\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(path);
    const wanted = groupVersion?.[1] ?? groupVersion?.[2];
    return wanted !== undefined && this.#groupVersions().includes(wanted) ? this.#v3(wanted, query) : undefined;
  }

  async #v2(accept: string): Promise<Answer> {
    // Old clients write the type with an @ where later ones have a dot.
    const protobuf = parseAccept(accept).some(({ type }) =>
      /^application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf$/.test(type),
    );
    const document = await this.#kept(protobuf ? 'v2 protobuf' : 'v2', async () => {
      const { openapiV2 } = await import('#api/openapi/document.ts');
      const found = openapiV2(this.#resources, GIT_VERSION);
      if (!protobuf) return { contentType: 'application/json', body: Buffer.from(JSON.stringify(found)) };
      const { gnosticMediaType, gnosticV2 } = await import('#api/openapi/gnostic.ts');
      return { contentType: gnosticMediaType, body: gnosticV2(found) };
    });
    return { kind: 'document', document };
  }

  #v3Document(groupVersion: string): Promise<Document> {
    return this.#kept(`v3 ${groupVersion}`, async () => {
      const { openapiV3 } = await import('#api/openapi/document.ts');
      const found = openapiV3(groupVersion, this.#resources, GIT_VERSION);
      return { contentType: 'application/json', body: Buffer.from(JSON.stringify(found)) };
    });
  }

  /** A URL with the right hash names its content for ever. */
  async #v3(groupVersion: string, query: Query): Promise<Answer> {
    const document = await this.#v3Document(groupVersion);
    return { kind: 'document', document: { ...document, immutable: query['hash'] === hashOf(document) } };
  }

  async #v3Index(): Promise<Answer> {
    const document = await this.#kept('v3', async () => {
      const entries = await Promise.all(
        this.#groupVersions().map(async (each) => {
          const path = each.includes('/') ? `apis/${each}` : `api/${each}`;
          const hash = hashOf(await this.#v3Document(each));
          return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const;
        }),
      );
      return {
        contentType: 'application/json',
        body: Buffer.from(JSON.stringify({ paths: Object.fromEntries(entries) })),
      };
    });
    return { kind: 'document', document };
  }

  #groupVersions(): readonly string[] {
    return [...new Set(this.#resources.map(apiVersionOf))];
  }

  #kept(key: string, make: () => Promise<Pick<Document, 'contentType' | 'body'>>): Promise<Document> {
    const known = this.#documents.get(key);
    if (known) return known;
    const made = make().then(({ contentType, body }) => ({
      contentType,
      body,
      etag: `"${digest(body)}"`,
      immutable: false,
    }));
    this.#documents.set(key, made);
    made.catch(() => this.#documents.delete(key));
    return made;
  }
}

const digest = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex').toUpperCase();

const hashOf = ({ etag }: Document): string => etag.slice(1, -1);

const described = ({
  group,
  version,
  kind,
  plural,
  namespaced,
  verbs,
  subresources,
  schema,
}: Descriptor): ApiResource => ({
  ...(schema === undefined ? {} : { schema }),
  group,
  version,
  kind,
  plural,
  namespaced,
  verbs,
  subresources: Object.entries(subresources).map(([name, sub]) => ({
    name,
    verbs: sub.verbs,
    ...(sub.kind === kind
      ? {}
      : { of: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind } }),
  })),
});
